// Reviews in files, some of them malformed, and the journal of what was served: what the auditor holds topic and dead letters against.
import { spawn } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ReviewFilesOptions {
  /** Lines in each file at first. */
  readonly lines: number
  /** Every n-th line is malformed. */
  readonly malformedEvery: number
  readonly files?: number
  readonly seed?: number
  /** Length of the text of a review; longer ones fill transactions with fewer records. Default: 150 to 249. */
  readonly bodyBytes?: number
  /** From line `from` on, every n-th line has a text of so many bytes and is refused by the topic: it must be a dead letter. */
  readonly refused?: { readonly from: number; readonly every: number; readonly bytes: number }
  /** Different keys in a file. Default 50. */
  readonly keys?: number
}

/** One served item, as the auditor reads it. */
export interface Served {
  readonly id: string
  readonly key: string | null
  readonly dead: boolean
  readonly aborted?: boolean
  readonly split?: string
  readonly at?: number
}

export interface ReviewFiles {
  /** Lines served so far, of all files. */
  readonly served: number
  /** Bytes in each file so far, by its name. */
  ends(): ReadonlyMap<string, number>
  /** More lines at the end of each file, or of one. */
  serve(lines: number, file?: number): void
  /** Something that the auditor shall know besides. */
  note(served: Served): void
  /** The journal as it stands, for the auditor: the path of its file. */
  journal(): string
}

/** Files `reviews-<n>.ndjson` in `dir`; every malformed line must become one dead letter of `pipeline`. */
export function reviewFiles(dir: string, pipeline: string, options: ReviewFilesOptions): ReviewFiles {
  const { malformedEvery, files = 1, seed = 1, bodyBytes, refused, keys = 50 } = options
  const journal: Served[] = []
  const written = Array.from({ length: files }, () => ({ lines: 0, bytes: 0 }))
  const append = (file: number, count: number) => {
    const name = `reviews-${file}.ndjson`
    const stand = written[file]!
    const text: string[] = []
    for (const end = stand.lines + count; stand.lines < end; stand.lines++) {
      const i = stand.lines
      const isRefused = refused !== undefined && i >= refused.from && i % refused.every === 0
      const isMalformed = !isRefused && (i + file) % malformedEvery === malformedEvery - 1
      const dead = isRefused || isMalformed
      const key = `B${String((i * 7 + file + seed) % keys).padStart(4, '0')}-${file}`
      // Three kinds of damage: not JSON, no rating, a rating that is none.
      const kind = Math.floor(i / malformedEvery) % 3
      const item = {
        id: `R${file}-${i}`,
        asin: key,
        stars: (i % 5) + 1,
        body: 'x'.repeat(isRefused ? refused.bytes : (bodyBytes ?? 150 + (i % 100))),
      }
      const line = !isMalformed
        ? JSON.stringify(item)
        : kind === 0
          ? `{"id": "R${file}-${i}", broken`
          : kind === 1
            ? JSON.stringify({ ...item, stars: undefined })
            : JSON.stringify({ ...item, stars: 'none' })
      text.push(line)
      const id = `${pipeline}/${name}/${stand.bytes}`
      stand.bytes += Buffer.byteLength(line) + 1
      journal.push({ id, key, dead, split: name, at: stand.bytes })
    }
    appendFileSync(join(dir, name), text.map(line => `${line}\n`).join(''))
  }
  for (let file = 0; file < files; file++) append(file, options.lines)
  return {
    get served() {
      return written.reduce((sum, { lines }) => sum + lines, 0)
    },
    ends: () => new Map(written.map(({ bytes }, file) => [`reviews-${file}.ndjson`, bytes])),
    serve(lines, file) {
      for (let i = 0; i < files; i++) if (file === undefined || file === i) append(i, lines)
    },
    note: each => void journal.push(each),
    journal() {
      const path = join(dir, 'journal.ndjson')
      writeFileSync(path, journal.map(each => `${JSON.stringify(each)}\n`).join(''))
      return path
    },
  }
}

export interface Verdict {
  readonly ok: boolean
  /** The counts, or one anomaly a line. */
  readonly report: string
}

/** Runs an auditor, a program of its own; its arguments are in its file. */
export function runAuditor(args: readonly string[], program = 'audit.ts'): Promise<Verdict> {
  return new Promise((resolved, failed) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    const add = (text: Buffer) => void (said += String(text))
    child.stdout.on('data', add)
    child.stderr.on('data', add)
    child.once('error', failed)
    child.once('close', code => resolved({ ok: code === 0, report: said.trim() }))
  })
}
