// What numbers depend on: processor, memory, disk, Node, commit, and what else the machine is doing.
import { spawnSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { median } from './numbers.ts'
import { cache, root } from './scene.ts'

export interface Machine {
  readonly date: string
  readonly commit: string
  readonly node: string
  readonly cpu: string
  readonly memoryGb: number
  readonly system: string
  /** Median of 200 appends of 4 KB, each synced: what a commit waits for at least. */
  readonly fsyncMs: number
  readonly load: readonly number[]
}

export function lookAtMachine(): Machine {
  const processors = cpus()
  return {
    date: new Date().toISOString(),
    commit: commit(),
    node: `${process.version} (V8 ${process.versions.v8}, SQLite ${process.versions['sqlite']})`,
    cpu: `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} processors`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    fsyncMs: fsyncMs(),
    load: load(),
  }
}

export function load(): number[] {
  return loadavg().map(each => Math.round(each * 100) / 100)
}

function commit(): string {
  const git = (...arguments_: string[]) => spawnSync('git', arguments_, { cwd: root, encoding: 'utf8' }).stdout?.trim()
  const id = git('rev-parse', '--short', 'HEAD')
  if (!id) return 'unknown'
  return git('status', '--porcelain', '--', 'src', 'bench', 'schemas', 'package.json') ? `${id} with changes` : id
}

function fsyncMs(): number {
  mkdirSync(cache, { recursive: true })
  const path = join(cache, 'fsync.probe')
  const fd = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const times = Array.from({ length: 200 }, () => {
    const startedMs = performance.now()
    writeSync(fd, block)
    fdatasyncSync(fd)
    return performance.now() - startedMs
  })
  closeSync(fd)
  rmSync(path)
  return median(times)
}
