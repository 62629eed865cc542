#!/usr/bin/env node
// argv in, exit code out. Checks the runtime before anything of it is needed, so an old Node gets a sentence and not a syntax error:
// keep this file free of static imports of our own and of syntax newer than Node 18.
import module from 'node:module'
import os from 'node:os'
import path from 'node:path'

const minNodeMajor = 24
/**
 * The heap of a process that moves records all day: a small nursery, an old space that grows slowly, and everything new in the nursery: V8 takes
 * records on their way for long-lived ones, and would fill the old space with them. Measured on 200,000 reviews from a file: 150 MB instead of
 * 230 MB at the same speed; to a file, 16 collections of the old space instead of 25. V8 takes the size of the nursery only at its start.
 */
const heapFlags = ['--max-semi-space-size=8', '--heap-growing-percent=50', '--no-allocation-site-pretenuring']
/** A server that answers small questions: measured on 3,000 of them, 90 MB instead of 117 MB at the same speed. */
const smallHeapFlags = ['--max-semi-space-size=1', '--optimize-for-size']
const longCommands = new Map([
  ['run', heapFlags],
  ['demo', heapFlags],
  ['registry', smallHeapFlags],
])
/** STRICT tables, RETURNING and upserts of the store. */
const minSqlite = [3, 38]

try {
  process.exitCode = await start()
} catch (error) {
  // Nothing of weir could be loaded: a broken installation.
  process.stderr.write(`error[internal] weir cannot start: ${error instanceof Error ? error.message : String(error)}\n`)
  if (process.env['WEIR_DEBUG'] === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
}

async function start(): Promise<number> {
  const unsupported = checkRuntime()
  if (unsupported) return refuse(unsupported)
  tuneHeap()
  guardStreams()
  quietWarnings()
  cacheCompiledCode()
  const [{ freezeObjectPrototype }, { runCli }, { guardProcess, processTerminal }] = await Promise.all([
    import('./cli/harden.ts'),
    import('./cli/frame.ts'),
    import('./cli/process.ts'),
  ])
  freezeObjectPrototype()
  guardProcess()
  const code = await runCli(process.argv.slice(2), processTerminal())
  // Where standard output is a socket, as under many supervisors, what was written may still be on its way.
  await Promise.all([process.stdout, process.stderr].map(stream => new Promise(resolve => stream.write('', resolve))))
  process.exit(code)
}

/** Why this runtime cannot run weir, and what to do. */
function checkRuntime(): { message: string; hint: string } | undefined {
  const node = process.versions.node
  if (Number(node.split('.')[0]) < minNodeMajor)
    return { message: `Node ${node} is too old`, hint: `Install Node ${minNodeMajor} or newer: https://nodejs.org` }
  const sqlite = process.versions['sqlite']
  if (!module.isBuiltin('node:sqlite') || sqlite === undefined)
    return {
      message: 'this Node has no SQLite (node:sqlite)',
      hint: 'Use an official build of Node, without --no-experimental-sqlite in NODE_OPTIONS.',
    }
  const [major = 0, minor = 0] = sqlite.split('.').map(Number)
  if (major < minSqlite[0]! || (major === minSqlite[0] && minor < minSqlite[1]!))
    return {
      message: `SQLite ${sqlite} of this Node is too old`,
      hint: `Use a Node built with SQLite ${minSqlite.join('.')} or newer.`,
    }
  return undefined
}

/** Starts the program again in this very process with the flags of its heap, where the system can do that; costs about 40 ms. */
function tuneHeap(): void {
  const flags = process.argv
    .slice(2)
    .reduce<string[] | undefined>((found, each) => found ?? longCommands.get(each), undefined)
  if (!flags || flags.every(flag => process.execArgv.includes(flag))) return
  try {
    process.execve?.(
      process.execPath,
      [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)],
      process.env,
    )
  } catch {
    // Then weir runs as it is, with more memory.
  }
}

function refuse({ message, hint }: { message: string; hint: string }): number {
  const code = 'environment.unsupported'
  process.stderr.write(
    process.argv.includes('--json')
      ? `${JSON.stringify({ error: { code, message, hint } })}\n`
      : `error[${code}] ${message}\n  hint: ${hint}\n`,
  )
  return 3
}

/** A reader that has seen enough (`weir topic cat x | head`) is no failure; losing stderr is none either. */
function guardStreams(): void {
  process.stdout.on('error', error => {
    process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 3)
  })
  process.stderr.on('error', () => {})
}

/** Warnings of the runtime are for developers: shown with WEIR_DEBUG=1 only. */
function quietWarnings(): void {
  if (process.env['WEIR_DEBUG'] === '1') return
  process.removeAllListeners('warning')
  process.on('warning', () => {})
}

/** Keeps compiled code in the user's own cache folder; without a home that can be written to, weir starts a little slower. */
function cacheCompiledCode(): void {
  const base = process.env['XDG_CACHE_HOME'] || (process.env['HOME'] && path.join(process.env['HOME'], '.cache'))
  if (base && path.isAbsolute(base) && base !== os.tmpdir()) module.enableCompileCache?.(path.join(base, 'weir'))
}
