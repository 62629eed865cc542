// Bad arguments and environments (RELIABILITY set B), each against the real process: the documented exit code, one error with a stable
// code and a hint, no stack trace, nothing left behind. cases.json holds the cases with their expected outcome.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../../src/cli/frame.ts'
import { commands } from '../../src/cli/index.ts'
import { runWeir } from '../support/cli.ts'
import { makeSmallStore, occupyPort, ownBucket } from '../support/small-store.ts'
import { memoryTerminal } from '../support/terminal.ts'

interface Case {
  readonly name: string
  readonly argv: readonly string[]
  /** Path to content, in the folder the command runs in; a path that ends in / is a folder. */
  readonly files?: Readonly<Record<string, string | null>>
  /** Path to permission bits, set last. */
  readonly mode?: Readonly<Record<string, number>>
  readonly env?: Readonly<Record<string, string | null>>
  readonly setup?: 'store' | 'running' | 'busyPort'
  readonly as?: 'nobody'
  readonly close?: 'stdin' | 'stdout'
  readonly versions?: Readonly<Record<string, string>>
  readonly inProcess?: boolean
  /** What must be there, else the case is skipped by name. */
  readonly needs?: string
  readonly exit: number
  /** Codes that are right, separated by |. */
  readonly code?: string
  readonly stdout?: string
  readonly stderr?: string
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL('cli/cases.json', import.meta.url), 'utf8'))
const nobody = 65_534
/** A bad input is answered at once; the rest is room for a busy machine. */
const maxAnswerMs = 10_000

function missing({ needs, as }: Case): string | false {
  if (as === 'nobody' && process.getuid?.() !== 0) return 'only root can become another user'
  if (needs === 'privilegedPorts' && unprivilegedFrom() <= 81) return 'this machine has no privileged ports'
  if (needs?.startsWith('command:') && !Object.hasOwn(commands, needs.slice(8))) return `no ${needs}`
  return false
}

function unprivilegedFrom(): number {
  const file = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 1024
}

for (const each of cases) {
  const why = missing(each)
  test(`${each.name}${why ? ` (skipped: ${why})` : ''}`, { skip: why !== false }, async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'weir-cli-'))
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rmSync(cwd, { recursive: true, force: true }))
    chmodSync(cwd, 0o755)
    const fill = await prepare(each, cwd, stack)
    const before = listing(cwd)
    const argv = each.argv.map(fill)
    const { code, out, err, ms } = each.inProcess ? await inProcess(argv, cwd) : await spawned(each, argv, cwd, fill)

    expect(err).not.toMatch(/^\s+at .+[:(]\d+:\d+\)?$/m)
    expect(out).not.toMatch(/^\s+at .+[:(]\d+:\d+\)?$/m)
    if (each.stderr) expect(err).toMatch(new RegExp(each.stderr, 's'))
    if (each.stdout) expect(out).toMatch(new RegExp(each.stdout, 's'))
    if (each.code) {
      const codes = [...`${err}\n${out}`.matchAll(/^error\[([a-z._]+)\]/gm)].map(m => m[1])
      expect(codes.length, err).toBe(1)
      expect(each.code.split('|')).toContain(codes[0])
      expect(err + out).toMatch(/^ {2}hint: \S|^ *= \S/m)
    } else expect(err).not.toMatch(/^error/m)
    expect(code, err).toBe(each.exit)
    expect(ms).toBeLessThan(maxAnswerMs)
    if (each.code) expect(listing(cwd), 'a refused command leaves nothing behind').toEqual(before)
  })
}

async function prepare(each: Case, cwd: string, stack: AsyncDisposableStack): Promise<(text: string) => string> {
  for (const [path, content] of Object.entries(each.files ?? {})) {
    const full = join(cwd, path)
    if (path.endsWith('/')) mkdirSync(full, { recursive: true })
    else {
      mkdirSync(dirname(full), { recursive: true })
      writeFileSync(full, content ?? '')
    }
  }
  let busyPort = 0
  if (each.setup === 'busyPort') {
    const { port, server } = await occupyPort()
    stack.defer(() => void server.close())
    busyPort = port
  }
  if (each.setup === 'store' || each.setup === 'running') {
    const store = await makeSmallStore(join(cwd, '.weir'))
    if (each.setup === 'store') await store[Symbol.asyncDispose]()
    else {
      stack.use(store)
      stack.use((await ownBucket(store)).producer)
    }
  }
  for (const [path, mode] of Object.entries(each.mode ?? {})) chmodSync(join(cwd, path), mode)
  const values: Record<string, () => string> = {
    '{busyPort}': () => String(busyPort),
    '{cwd}': () => cwd,
    '{big}': () => 'x'.repeat(120_000),
    '{megabyte}': () => 'x'.repeat(1_000_000),
  }
  return text => text.replace(/\{\w+\}/g, name => (Object.hasOwn(values, name) ? values[name]!() : name))
}

async function inProcess(argv: readonly string[], cwd: string) {
  const terminal = memoryTerminal({ cwd })
  const started = performance.now()
  const code = await runCli(argv, terminal)
  return { code, out: terminal.out(), err: terminal.err(), ms: performance.now() - started }
}

function spawned(each: Case, argv: readonly string[], cwd: string, fill: (text: string) => string) {
  // The versions of the runtime cannot be had at will, so the process is told other ones before anything of weir is loaded.
  const pretend = each.versions
    ? `Object.defineProperty(process,'versions',{value:{...process.versions,...${JSON.stringify(each.versions)}}})`
    : undefined
  return runWeir(argv, {
    cwd,
    env: Object.fromEntries(Object.entries(each.env ?? {}).map(([k, v]) => [k, v === null ? null : fill(v)])),
    ...(each.close ? { close: each.close } : {}),
    ...(each.as ? { uid: nobody } : {}),
    ...(pretend ? { nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`] } : {}),
  })
}

/** Files below the folder; the compile cache of the runtime is none of ours. */
function listing(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => !path.startsWith('.cache') && !/-(wal|shm)$/.test(path))
    .sort()
}
