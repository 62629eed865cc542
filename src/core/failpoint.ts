// Named places where tests make the process die, fail or wait: WEIR_FAILPOINT=<name>:<n>:<kill|throw|delay>[,...].
// The n-th time the place is reached the action happens, once. Without the variable a failpoint costs one comparison.
import { WeirError } from './errors.ts'

/** Every failpoint there is; the kill test goes through this list, so a new one is tested by being named here. */
export const failpoints = [
  'fetch.before',
  'fetch.after',
  'map.before',
  'encode.before',
  'append.begin',
  'append.before_commit',
  'append.after_commit',
  'dead_letter.write',
  'consume.decoded',
  'consume.delivered',
  'consume.before_commit',
  'consume.after_commit',
  'sink_file.before_sync',
  'sink_file.after_sync',
  'replay.before_commit',
  'replay.after_commit',
  'reparse.before_commit',
  'reparse.after_commit',
  'register.before_commit',
  'register.after_commit',
  'spool.before_append',
  'spool.after_append',
  'spool.before_forward',
  'spool.after_forward',
  'spool.before_remove',
  'shutdown.begin',
] as const
export type Failpoint = (typeof failpoints)[number]

interface Armed {
  left: number
  readonly action: 'kill' | 'throw' | 'delay'
}

const armed: Map<string, Armed> | undefined = parse(process.env['WEIR_FAILPOINT'])

function parse(text: string | undefined): Map<string, Armed> | undefined {
  if (!text) return undefined
  const result = new Map<string, Armed>()
  for (const part of text.split(',')) {
    const [name, count, action] = part.split(':')
    const known = (failpoints as readonly string[]).includes(name ?? '')
    if (!known || !/^[1-9]\d*$/.test(count ?? '') || (action !== 'kill' && action !== 'throw' && action !== 'delay'))
      throw new WeirError('usage.invalid', `WEIR_FAILPOINT has no meaning: ${part}`, {
        hint: 'Write name:count:kill, :throw or :delay.',
      })
    result.set(name!, { left: Number(count), action })
  }
  return result
}

/** Marks a place. Synchronous, so it can stand inside a SQL transaction. */
export function failpoint(name: Failpoint): void {
  if (armed === undefined) return
  const point = armed.get(name)
  if (!point || --point.left !== 0) return
  if (point.action === 'kill') process.kill(process.pid, 'SIGKILL')
  if (point.action === 'throw') throw new WeirError('internal', `failpoint ${name}`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
}
