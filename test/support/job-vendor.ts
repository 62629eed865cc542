// A vendor that answers later, as a model: POST /jobs takes a job and is paid for it, GET /jobs?tag= lists, GET /jobs/<id> says how it stands,
// GET /results/<id>?page= gives the result in pages. Its journal of jobs is the truth about what was paid for.
import type { Reply } from './scripted-guard.ts'

export interface VendorJob {
  readonly id: string
  readonly tag: string
  readonly asin: string
  /** Polls until it is ready. */
  polls: number
  state: 'running' | 'ready' | 'failed' | 'gone'
  /** Items of its result, as they were when it was taken. */
  readonly items: readonly object[]
  /** True once the end of its result was given. */
  isRead: boolean
}

export interface JobVendor {
  /** Every job that was taken. */
  readonly journal: VendorJob[]
  /** Method and path of every call. */
  readonly calls: string[]
  readonly items: Map<string, object[]>
  /** Polls that a new job needs. */
  readyAfter: number
  answer(url: URL, method: string, body: string): Reply
}

const pageSize = 2

export function createJobVendor(items: Record<string, object[]> = {}): JobVendor {
  const journal: VendorJob[] = []
  const json = (body: unknown, status = 200): Reply => ({ status, body })
  const vendor: JobVendor = {
    journal,
    calls: [],
    items: new Map(Object.entries(items)),
    readyAfter: 2,
    answer(url, method, body) {
      vendor.calls.push(`${method} ${url.pathname}`)
      const [, kind, id] = url.pathname.split('/')
      if (kind === 'jobs' && method === 'POST') {
        const { asin = '', tag } = JSON.parse(body) as { asin?: string; tag: string }
        const job: VendorJob = {
          id: `j${journal.length + 1}`,
          tag,
          asin,
          polls: vendor.readyAfter,
          state: vendor.readyAfter === 0 ? 'ready' : 'running',
          isRead: false,
          items: [...(vendor.items.get(asin) ?? [])],
        }
        journal.push(job)
        return json({ job: { id: job.id, set: `set-${job.id}` } }, 202)
      }
      if (kind === 'jobs' && id === undefined) {
        const tag = url.searchParams.get('tag')
        return json({ jobs: journal.filter(job => job.tag === tag).map(job => ({ id: job.id })) })
      }
      const job = journal.find(each => each.id === id?.replace('set-', ''))
      if (job === undefined || job.state === 'gone') return json({ error: 'no such job' }, 404)
      if (kind === 'jobs') {
        if (job.state === 'running' && --job.polls < 0) job.state = 'ready'
        return json({ status: job.state })
      }
      if (job.state !== 'ready') return json({ status: job.state }, 202)
      const from = (Number(url.searchParams.get('page') ?? 1) - 1) * pageSize
      job.isRead ||= from + pageSize >= job.items.length
      return json({ items: job.items.slice(from, from + pageSize), more: from + pageSize < job.items.length })
    },
  }
  return vendor
}

/** The `http` config that reads it. */
export function jobConfig(
  base: string,
  over: { job?: object | undefined; [key: string]: unknown } = {},
): Record<string, unknown> {
  const { job, ...rest } = over
  const isPlain = 'job' in over && job === undefined
  const withJob = {
    job: {
      submit: {
        method: 'POST',
        url: `${base}/jobs`,
        body: { asin: '{{ split.?asin.orValue("") }}', tag: '{{ job.tag }}' },
      },
      id: 'body.job.id',
      keep: { set: 'body.job.set' },
      poll: {
        request: { url: `${base}/jobs/{{ job.id }}` },
        ready: 'body.status == "ready"',
        failed: 'body.status == "failed"',
        every: '10s',
        give_up_after: '10m',
      },
      find: {
        request: { url: `${base}/jobs`, query: { tag: '{{ job.tag }}' } },
        id: 'body.jobs.map(j, j.id)',
        keep: { set: '"set-" + body.jobs[0].id' },
      },
      ...job,
    },
  }
  return defined({
    ...(isPlain ? {} : { job: defined(withJob.job) }),
    request: { url: `${base}/results/{{ job.set }}` },
    records: 'body.items',
    paginate: { page: { param: 'page', has_more: 'body.more' } },
    cursor: { mode: 'membership', id: 'this.id' },
    ...rest,
  })
}

/** Without what is there only to leave a default out. */
const defined = (value: object) => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined))
