// The first page of 1,000,000 dead letters: at most 100 ms, in the function behind `weir dlq list`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measure } from '../harness/measure.ts'
import { showSpread, spreadOf } from '../harness/numbers.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, profileLines } from '../harness/report.ts'
import { cache, expectCount, mainOf, recordsIn, removeFolder, root } from '../harness/scene.ts'

const page = 50
const mostMs = 100
const times = 20
const topic = 'reviews_dlq'

interface Listed {
  readonly letters: number
  readonly openMs: number
  readonly first: { readonly ms: number; readonly found: number; readonly first: string }
  readonly again: readonly number[]
  readonly behind: { readonly ms: number; readonly found: number; readonly first: string; readonly half: number }
  readonly rare: { readonly ms: number; readonly found: number; readonly first: string }
}

/** The store with the letters, made once and kept as long as the schema of a letter and the format of the store stay the same. */
async function filledStore(letters: number, tell: (text: string) => void): Promise<string> {
  const folder = join(cache, `dead-letters-${letters}`)
  const marker = join(folder, 'made-for')
  const madeFor = [
    'schemas/dead-letter.avsc',
    'src/adapters/embedded-store/migrations.ts',
    'bench/children/write-letters.ts',
  ]
    .map(file => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === madeFor) return folder
  removeFolder(folder)
  const writer = join(import.meta.dirname, '../children/write-letters.ts')
  const { wallMs } = await measure([writer, folder, topic, String(letters)])
  tell(`${letters.toLocaleString('en')} dead letters written in ${(wallMs / 1000).toFixed(0)} s`)
  writeFileSync(marker, madeFor)
  return folder
}

export const deadLetters: Bar = {
  name: 'dlq',
  async run({ letters, rounds, profile, tell }) {
    const store = await filledStore(letters, tell)
    expectCount('dead letters by offsets', await recordsIn(store, topic), letters)
    const lister = join(import.meta.dirname, '../children/list-letters.ts')
    const runs: Listed[] = []
    const commands: number[] = []
    const command = [mainOf('src'), '--data', store, '--json', 'dlq', 'list', topic]
    for (let i = 0; i < rounds; i++) {
      runs.push(JSON.parse((await measure([lister, store, topic, String(page), String(times)])).stdout) as Listed)
      commands.push((await measure(command)).wallMs)
    }
    for (const { first, behind, rare } of runs) {
      expectCount('letters on the first page', first.found, page)
      expectCount('letters behind the discarded half', behind.found, page)
      if (behind.first !== `0/${behind.half}`) throw new Error(`the page behind half begins at ${behind.first}`)
      expectCount('letters with the rare code', rare.found, 1)
    }
    const first = spreadOf(runs.map(each => each.first.ms))
    const again = spreadOf(runs.flatMap(each => each.again))
    const verdicts = [
      {
        bar: `first page of a process that has just started ≤ ${mostMs} ms`,
        found: `${showSpread(first, 1)} ms`,
        met: first.median <= mostMs,
      },
      { bar: `the same page again ≤ ${mostMs} ms`, found: `${showSpread(again, 1)} ms`, met: again.median <= mostMs },
    ]
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met)) {
      const { options, top } = profiling('dlq')
      await measure([lister, store, topic, String(page), String(times)], options)
      profiles.push({ of: 'all of list-letters.ts', top: top(profileLines) })
    }
    const row = (name: string, values: readonly number[]) => [
      name,
      String(values.length),
      showSpread(spreadOf(values), 1),
    ]
    return {
      title: `first ${page} of ${letters.toLocaleString('en')} dead letters`,
      table: [
        ['', 'runs', 'ms, median (min–max)'],
        row(
          'first page, right after start',
          runs.map(each => each.first.ms),
        ),
        row(
          'first page, again',
          runs.flatMap(each => each.again),
        ),
        row(
          'opening the store',
          runs.map(each => each.openMs),
        ),
        row(
          'first open page, older half discarded',
          runs.map(each => each.behind.ms),
        ),
        row(
          'the one letter of its code, at the end',
          runs.map(each => each.rare.ms),
        ),
        row('weir dlq list, whole command', commands),
      ],
      verdicts,
      notes: [
        'In-process, through selectLetters, as the command does it; the file is in the page cache of the system.',
        'There is no bar on the last four lines: a selection that finds little reads all letters before it.',
      ],
      profiles,
    }
  },
}
