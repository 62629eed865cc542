// The embedded registry over HTTP, a process of its own, one client: register, look up, check, get by id: p50 at most 1 ms each, 60 MB.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client } from 'undici'
import { environment, remember } from '../harness/measure.ts'
import { showSpread, spreadOf } from '../harness/numbers.ts'
import type { Bar, Verdict } from '../harness/report.ts'
import { builds, freshFolder, mainOf, removeFolder, schemaPath } from '../harness/scene.ts'

const mostMs = 1
const mostMb = 60
const subjects = 50
const calls = 1_000
const warmUp = 200
/** Those that weir gives itself for this command (src/main.ts). */
const flags = ['--max-semi-space-size=1', '--optimize-for-size']

interface Serving extends AsyncDisposable {
  readonly client: Client
  readonly pid: number
}

interface Memory {
  /** Of the whole process, at its peak. */
  readonly peakMb: number
  /** Of that what is its own, not pages of the files of Node; now. */
  readonly ownMb: number
}

export const registry: Bar = {
  name: 'registry',
  async run({ tell }) {
    const table = [['', 'ms a call, p50 (p5–p95)', '', '', '', '', 'peak RSS MB', 'own MB']]
    table.push(['', 'register', 'again', 'look up', 'check', 'by id', '', ''])
    const verdicts: Verdict[] = []
    for (const build of builds) {
      const folder = freshFolder(`registry-${build}`)
      const { times, memory } = await measured([
        mainOf(build),
        'registry',
        'serve',
        '--port',
        '0',
        '--json',
        '--data',
        join(folder, 'store'),
      ])
      removeFolder(folder)
      const name = `weir (${build})`
      const shown = (each: readonly number[]) => {
        const sorted = [...each].sort((a, b) => a - b)
        const at = (share: number) => sorted[Math.floor(sorted.length * share)]!.toFixed(2)
        return `${at(0.5)} (${at(0.05)}–${at(0.95)})`
      }
      table.push([name, ...Object.values(times).map(shown), memory.peakMb.toFixed(0), memory.ownMb.toFixed(0)])
      for (const [what, each] of Object.entries(times)) {
        const spread = spreadOf(each)
        verdicts.push({
          bar: `${name}: ${what}, p50 ≤ ${mostMs} ms`,
          found: `${showSpread(spread)} ms`,
          met: spread.median <= mostMs,
        })
      }
      verdicts.push({
        bar: `${name}: peak RSS ≤ ${mostMb} MB`,
        found: `${memory.peakMb.toFixed(0)} MB`,
        met: memory.peakMb <= mostMb,
      })
      tell(`${name} done`)
    }
    const folder = freshFolder('registry-by-hand')
    const bare = await bareMemory([
      ...flags,
      join(import.meta.dirname, '../by-hand/empty-server.ts'),
      join(folder, 'empty.db'),
    ])
    removeFolder(folder)
    table.push(['Node alone', '', '', '', '', '', bare.peakMb.toFixed(0), bare.ownMb.toFixed(0)])
    return {
      title: 'the embedded registry over HTTP',
      table,
      verdicts,
      notes: [
        `${calls} calls of each kind after ${warmUp}, one after the other over one connection; schemas of the size of RawReview in ${subjects} subjects, level BACKWARD.`,
        'own: what is not a page of a file, such as the program text of Node. Node alone: bench/by-hand/empty-server.ts, an empty HTTP server with an open SQLite file, with the same flags of the heap, after as many calls.',
      ],
      profiles: [],
    }
  },
}

async function measured(arguments_: readonly string[]): Promise<{ times: Record<string, number[]>; memory: Memory }> {
  await using serving = await serve(arguments_)
  const { client } = serving
  const schema = JSON.parse(readFileSync(schemaPath, 'utf8')) as { fields: object[] }
  /** Each number gives another schema that every earlier one reads. */
  const schemaText = (number: number) =>
    JSON.stringify({
      ...schema,
      fields: [...schema.fields, { name: `extra_${number}`, type: ['null', 'string'], default: null }],
    })
  const subject = (i: number) => `reviews-${i % subjects}-value`
  const times = {
    register: [] as number[],
    again: [] as number[],
    'look up': [] as number[],
    check: [] as number[],
    'by id': [] as number[],
  }
  const timed = async (into: number[] | null, method: 'GET' | 'POST', path: string, body?: object) => {
    const startedMs = performance.now()
    const answer = await ask(client, method, path, body)
    into?.push(performance.now() - startedMs)
    return answer
  }
  for (let i = -warmUp; i < calls; i++) {
    const keep = i >= 0
    const text = { schema: schemaText(i + warmUp) }
    const { id } = (await timed(
      keep ? times.register : null,
      'POST',
      `/subjects/${subject(i + warmUp)}/versions`,
      text,
    )) as { id: number }
    await timed(keep ? times.again : null, 'POST', `/subjects/${subject(i + warmUp)}/versions`, text)
    const found = (await timed(keep ? times['look up'] : null, 'POST', `/subjects/${subject(i + warmUp)}`, text)) as {
      id: number
    }
    const next = { schema: schemaText(i + warmUp + calls * 2) }
    const verdict = (await timed(
      keep ? times.check : null,
      'POST',
      `/compatibility/subjects/${subject(i + warmUp)}/versions/latest`,
      next,
    )) as { is_compatible: boolean }
    const { schema: stored } = (await timed(keep ? times['by id'] : null, 'GET', `/schemas/ids/${id}`)) as {
      schema: string
    }
    if (found.id !== id || !verdict.is_compatible || !stored.includes(`extra_${i + warmUp}`))
      throw new Error(`the registry answered something else at call ${i}`)
  }
  return { times, memory: memoryOf(serving.pid) }
}

async function bareMemory(arguments_: readonly string[]): Promise<Memory> {
  await using serving = await serve(arguments_)
  for (let i = 0; i < calls + warmUp; i++) await ask(serving.client, 'GET', '/')
  return memoryOf(serving.pid)
}

async function serve(arguments_: readonly string[]): Promise<Serving> {
  const child = remember(
    spawn(process.execPath, arguments_, {
      env: environment(),
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: freshFolder('registry-cwd'),
    }),
  )
  const lines = createInterface({ input: child.stdout! })
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => text as string),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`))),
  ])
  const client = new Client((JSON.parse(line) as { url: string }).url)
  return {
    client,
    pid: child.pid!,
    [Symbol.asyncDispose]: async () => {
      await client.close()
      child.kill()
      await once(child, 'exit')
    },
  }
}

async function ask(client: Client, method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
  const { statusCode, body: answer } = await client.request({
    method,
    path,
    ...(body
      ? { headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' }, body: JSON.stringify(body) }
      : {}),
  })
  const text = await answer.text()
  if (statusCode !== 200) throw new Error(`${method} ${path} answered ${statusCode} ${text}`)
  return JSON.parse(text)
}

function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const mb = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
  return { peakMb: mb('VmHWM'), ownMb: mb('RssAnon') }
}
