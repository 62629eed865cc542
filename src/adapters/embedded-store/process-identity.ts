// Names a process so that another one can prove it dead, and take over at once instead of waiting for its lease to run out.
// Only a hint: writing rights hang on the epoch alone (I7).
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

const own = identityHere()

/** This process, in words that another one on this machine understands. */
export function processIdentity(): string {
  return own
}

/** `boot/namespace/pid/start`: on Linux from /proc, elsewhere only host and pid. */
function identityHere(): string {
  const self = stateOf(process.pid)
  return self === null
    ? `host/${hostname()}/${process.pid}/`
    : `${bootId()}/${pidNamespace()}/${process.pid}/${self.started}`
}

/** True only when the named process cannot be alive any more. */
export function provenDead(identity: string): boolean {
  if (identity === own) return false
  const [boot, namespace, pid, started] = identity.split('/')
  if (boot === 'host') return namespace === hostname() && !exists(Number(pid))
  if (boot !== bootId()) return true
  if (namespace !== pidNamespace()) return false
  const state = stateOf(Number(pid))
  // Without an entry in /proc it may be hidden from us, not dead: the signal tells.
  return state === null ? !exists(Number(pid)) : state.started !== started || state.defunct
}

function bootId(): string {
  return readOr('', '/proc/sys/kernel/random/boot_id').trim()
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

/** Start time in ticks since boot: tells a process from a later one with the same pid. null: not to be seen. */
function stateOf(pid: number): { started: string; defunct: boolean } | null {
  const stat = readOr('', `/proc/${pid}/stat`)
  // pid (comm) state ppid ...: comm may hold spaces and parentheses; starttime is field 22 (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.length < 20 ? null : { started: fields[19]!, defunct: fields[0] === 'Z' || fields[0] === 'X' }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function readOr(fallback: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return fallback
  }
}
