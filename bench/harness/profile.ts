// Where the time of a run goes: the functions with the most time of their own, from V8's sampling profiler.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MeasureOptions } from './measure.ts'
import { cache, root } from './scene.ts'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** As src/main.ts starts itself again with: a profiler does not outlive that. */
const heapFlags = ['--max-semi-space-size=8', '--heap-growing-percent=50', '--no-allocation-site-pretenuring']

/** The flags and the reader of one profile. */
export function profiling(name: string): { options: MeasureOptions; top(count: number): string[] } {
  const folder = join(cache, 'profiles', name)
  rmSync(folder, { recursive: true, force: true })
  return {
    options: { nodeFlags: [...heapFlags, '--cpu-prof', '--cpu-prof-dir', folder] },
    top: count => topOf(folder, count),
  }
}

function topOf(folder: string, count: number): string[] {
  const files = readdirSync(folder).filter(file => file.endsWith('.cpuprofile'))
  const own = new Map<string, number>()
  let total = 0
  for (const file of files) {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
    for (const [i, id] of samples.entries()) {
      const us = timeDeltas[i] ?? 0
      const name = names.get(id) ?? '?'
      own.set(name, (own.get(name) ?? 0) + us)
      total += us
    }
  }
  return [...own]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(
      ([name, us]) =>
        `${((us / total) * 100).toFixed(1).padStart(5)} %  ${(us / 1000).toFixed(0).padStart(6)} ms  ${name}`,
    )
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const file = url.startsWith('file:')
    ? fileURLToPath(url)
        .replace(`${root}/`, '')
        .replace(/^.*\/node_modules\//, 'node_modules/')
    : url
  const name = functionName || '(anonymous)'
  return file === '' ? name : `${name}  ${file}:${lineNumber + 1}`
}
