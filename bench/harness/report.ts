// What a bar found, as text for people; the same objects are the JSON for programs.
import type { Line } from './compare.ts'
import type { Machine } from './machine.ts'
import { showSpread } from './numbers.ts'

export interface Verdict {
  /** What the bar asks. */
  readonly bar: string
  readonly found: string
  readonly met: boolean
}

export interface Report {
  readonly title: string
  readonly table: readonly (readonly string[])[]
  readonly verdicts: readonly Verdict[]
  readonly notes: readonly string[]
  /** The functions with the most time of their own, where a bar was missed or a profile was asked for. */
  readonly profiles: readonly { readonly of: string; readonly top: readonly string[] }[]
}

export interface Settings {
  readonly rounds: number
  readonly records: number
  readonly letters: number
  readonly starts: number
  /** What every program of the bars on Kafka writes with. */
  readonly compression: 'none' | 'gzip' | 'zstd'
  /** Profiles even where nothing is missed. */
  readonly profile: boolean
  readonly tell: (text: string) => void
}

export interface Bar {
  readonly name: string
  run(settings: Settings): Promise<Report>
}

export const profileLines = 15

export function compareTable(lines: readonly Line[]): string[][] {
  return [
    ['', 'wall s', 'records/s', 'CPU µs/record', 'peak RSS MB', 'wall / by hand', 'wall / own round before'],
    ...lines.map(line => [
      line.name,
      showSpread({
        median: line.wallMs.median / 1000,
        min: line.wallMs.min / 1000,
        max: line.wallMs.max / 1000,
      }),
      Math.round(line.perSecond).toLocaleString('en'),
      line.cpuUsPerRecord.toFixed(1),
      line.rssMb.toFixed(0),
      showSpread(line.ratio),
      showSpread(line.self),
    ]),
  ]
}

/** The bar on memory, for each line that is weir. */
export function rssVerdicts(lines: readonly Line[], limitMb: number): Verdict[] {
  return lines.map(({ name, rssMb }) => ({
    bar: `${name}: peak RSS ≤ ${limitMb} MB`,
    found: `${rssMb.toFixed(0)} MB`,
    met: rssMb <= limitMb,
  }))
}

export function showMachine({ date, commit, node, cpu, memoryGb, system, fsyncMs, load }: Machine): string {
  return [
    `date     ${date}`,
    `commit   ${commit}`,
    `node     ${node}`,
    `machine  ${cpu}, ${memoryGb} GB, ${system}`,
    `disk     ${fsyncMs.toFixed(2)} ms for an append of 4 KB with fdatasync (median of 200)`,
    `load     ${load.map(each => each.toFixed(2)).join(' ')} (1, 5, 15 minutes, before the run)`,
  ].join('\n')
}

export function showReport({ title, table, verdicts, notes, profiles }: Report): string {
  const parts = [`## ${title}`, showTable(table)]
  parts.push(verdicts.map(({ bar, found, met }) => `${met ? 'met   ' : 'MISSED'}  ${bar}: ${found}`).join('\n'))
  if (notes.length > 0) parts.push(notes.map(note => `- ${note}`).join('\n'))
  for (const { of, top } of profiles) parts.push(`Most time of their own, ${of}:\n${top.join('\n')}`)
  return parts.join('\n\n')
}

function showTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows
    .map(row =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
