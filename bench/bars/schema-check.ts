// A schema of 200 fields against the 50 versions of its subject, from their texts, all seven levels: at most 100 ms.
import { join } from 'node:path'
import { measure } from '../harness/measure.ts'
import { showSpread, spreadOf } from '../harness/numbers.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, profileLines } from '../harness/report.ts'

const fields = 200
const versions = 50
const times = 20
const mostMs = 100

interface Taken {
  readonly ms: number
  /** Of all threads, compiling and collecting too. */
  readonly cpuMs: number
}

interface Checked {
  readonly kilobytes: number
  readonly first: Taken & { readonly backward: number; readonly forward: readonly number[] }
  readonly again: readonly Taken[]
}

export const schemaCheck: Bar = {
  name: 'schema-check',
  async run({ rounds, profile }) {
    const program = [
      join(import.meta.dirname, '../children/check-schemas.ts'),
      ...[fields, versions, times].map(String),
    ]
    const runs: Checked[] = []
    for (let i = 0; i < rounds; i++) runs.push(JSON.parse((await measure(program)).stdout) as Checked)
    // Truth: no version can be read whole, for each lacks fields that the new schema needs; those of the tens cannot read it either.
    for (const { first } of runs)
      if (first.backward !== versions || first.forward.join() !== '50,40,30,20,10')
        throw new Error(`the check found other breaks: ${JSON.stringify(first)}`)
    const first = spreadOf(runs.map(({ first }) => first.ms))
    const again = spreadOf(runs.flatMap(each => each.again.map(({ ms }) => ms)))
    const cpu = (taken: readonly Taken[]) => showSpread(spreadOf(taken.map(({ cpuMs }) => cpuMs)), 1)
    const verdicts = [
      {
        bar: `the first check of a process ≤ ${mostMs} ms`,
        found: `${showSpread(first, 1)} ms`,
        met: first.median <= mostMs,
      },
      { bar: `the same check again ≤ ${mostMs} ms`, found: `${showSpread(again, 1)} ms`, met: again.median <= mostMs },
    ]
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met)) {
      const { options, top } = profiling('schema-check')
      await measure(program, options)
      profiles.push({ of: 'all of check-schemas.ts', top: top(profileLines) })
    }
    return {
      title: `a schema of ${fields} fields against ${versions} versions`,
      table: [
        ['', 'checks', 'ms, median (min–max)', 'CPU ms'],
        ['right after start', String(runs.length), showSpread(first, 1), cpu(runs.map(each => each.first))],
        ['again', String(runs.length * times), showSpread(again, 1), cpu(runs.flatMap(each => each.again))],
      ],
      verdicts,
      notes: [`${Math.round(runs[0]!.kilobytes)} KB of schema text, read and compared in both directions each time.`],
      profiles,
    }
  },
}
