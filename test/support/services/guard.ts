// Nothing outlives the tests: one small shell a process, which ends what is left and removes the folder once its input ends,
// and that happens however this process ends, SIGKILL included.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Each line is the whole list of processes to end.
const script = `trap '' INT TERM HUP
pids=
while IFS= read -r line; do pids=$line; done
[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }
`

let root: string | null = null
let shell: ChildProcess | null = null
const pids = new Set<number>()

/** A new empty folder that is gone when this process is. */
export function scratchDir(name: string): string {
  if (root === null) {
    root = mkdtempSync(join(tmpdir(), 'weir-services-'))
    shell = spawn('/bin/sh', ['-c', script, 'weir-guard', root], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    shell.unref()
    const input = shell.stdin as NonNullable<ChildProcess['stdin']> & { unref?: () => void }
    input.on('error', () => {})
    input.unref?.()
  }
  return mkdtempSync(join(root, `${name}-`))
}

/** Ends the child with this process, until it has ended by itself. A scratchDir was taken before. */
export function endWithUs(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  pids.add(pid)
  tell()
  child.once('exit', () => {
    pids.delete(pid)
    tell()
  })
}

const tell = () => shell!.stdin!.write(`${[...pids].join(' ')}\n`)
