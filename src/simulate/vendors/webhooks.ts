// When a job's webhook comes: on time, late, twice or never, as the job's fault has it.
import type { FaultKinds } from './faults.ts'
import type { Job } from './jobs.ts'
import { mayPush } from './push.ts'
import type { Desk } from './vendor.ts'

export const pushFaults = {
  push_late: { scope: 'job', doc: 'its webhook comes five times later' },
  push_twice: { scope: 'job', doc: 'its webhook comes twice' },
  push_never: { scope: 'job', doc: 'its webhook never comes' },
} as const satisfies FaultKinds

/**
 * Finishes the job after its delay and calls the webhook. Nothing happens where the address is not on this machine: then the job is only polled.
 * @param send called when the job has ended, once or twice
 */
export function announce(
  desk: Desk,
  job: Job,
  urls: readonly (string | null | undefined)[],
  send: () => Promise<unknown>,
): void {
  if (!urls.some(url => typeof url === 'string' && mayPush(url))) return
  desk.later(desk.settings.pushAfterMs * (job.fault === 'push_late' ? 5 : 1), async () => {
    desk.jobs.finish(job.id)
    if (job.state === 'pending' || job.fault === 'push_never') return
    await send()
    if (job.fault === 'push_twice') await send()
  })
}
