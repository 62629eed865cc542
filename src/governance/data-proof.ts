// Items 13 and 14: records of a topic under a candidate, one by one. Keeps counts, the first failures and bounded samples, never the records.
import { toWeirError } from '../core/errors.ts'
import { compileDecoder, type Decoder } from '../schema/codec.ts'
import { type Comparison, compare, type SharedValues } from './comparison.ts'
import { exampleOf, generatedExamples, pathsOf } from './example.ts'
import { outlineOf, rootPath, type TypeOutline } from './outline.ts'
import type { PersonalValues } from './personal.ts'
import type { PiiKind } from './policy.ts'
import { readerFor, Unreadable } from './read-as.ts'
import type { DataCheck, Example, FailedRecord } from './review.ts'
import type { NamedSchema } from './schema-tree.ts'
import { leavesOf, meansTheSame } from './shown-value.ts'
import { ValueSamples } from './value-samples.ts'

/** A value as it stands in the log. */
export interface RetainedValue {
  readonly partition: number
  readonly offset: bigint
  readonly value: Uint8Array
}

export interface ProofOptions {
  readonly topic: string
  readonly candidate: NamedSchema
  /** The newest version before the candidate; null for a new subject. */
  readonly base: NamedSchema | null
  /** Kinds of personal data to look for in values. */
  readonly kinds: readonly PiiKind[]
}

/** What a proof saw, for a review. */
export interface ProofEvidence {
  readonly data: Omit<DataCheck, 'topic' | 'retained' | 'readers' | 'deadLetters'>
  readonly personalValues: readonly PersonalValues[]
  readonly sharedValues: readonly SharedValues[]
  /** `masked`: true for fields whose values are not shown. */
  readonly examples: (masked: (path: string) => boolean) => readonly Example[]
  /** Values of `changed`, with those of personal data hidden. */
  readonly changed: (masked: (path: string) => boolean) => DataCheck['changed']
}

const maxFailures = 100
const maxIds = 1_000

interface Writer {
  readonly version: number | null
  /** null: its own records cannot be read at all. */
  readonly reading: Reading | null
  readonly problem: string
  records: number
}

interface Reading {
  readonly text: string
  readonly root: TypeOutline
  readonly decoder: Decoder
  readonly read: (value: unknown) => unknown
  readonly comparison: Comparison
  /** Where the candidate has what stands at a path of the writer. */
  readonly readPath: (path: string) => string
  /** Why avsc refuses the pair; null when it does not. */
  readonly refusal: string | null
}

interface Kept {
  readonly place: string
  readonly framed: Uint8Array
  readonly reading: Reading
}

export class DataProof {
  readonly #options: ProofOptions
  readonly #root: TypeOutline
  readonly #writers = new Map<number, Writer>()
  readonly #failures: FailedRecord[] = []
  readonly #damaged: FailedRecord[] = []
  readonly #changed = new Map<string, { records: number; before: string; after: string }>()
  readonly #lost = new Map<string, number>()
  readonly #samples: ValueSamples
  #records = 0
  #tombstones = 0
  #failedCount = 0
  #damagedCount = 0
  /** For the example: the first that fails, the first that reads differently, the first of all. */
  #failing: Kept | null = null
  #differing: Kept | null = null
  #first: Kept | null = null

  constructor(options: ProofOptions) {
    this.#options = options
    this.#root = outlineOf(options.candidate)
    const comparison = options.base && compare(outlineOf(options.base), this.#root)
    this.#samples = new ValueSamples(options.kinds, comparison)
  }

  knows(id: number): boolean {
    return this.#writers.has(id)
  }

  /** False when so many ids were learnt that no other is looked up: random bytes look like ids too. */
  get takesMoreIds(): boolean {
    return this.#writers.size < maxIds
  }

  /** The schema of an id, before its first record; a text for why there is none. */
  learn(id: number, schema: NamedSchema | string, version: number | null): void {
    const found = typeof schema === 'string' ? schema : this.#readingOf(schema)
    this.#writers.set(id, {
      version,
      records: 0,
      ...(typeof found === 'string' ? { reading: null, problem: found } : { reading: found, problem: '' }),
    })
  }

  #readingOf(schema: NamedSchema): Reading | string {
    const { candidate } = this.#options
    let decoder: Decoder
    try {
      decoder = compileDecoder(schema.text, null)
    } catch (error) {
      return `its own schema is refused by the codec: ${toWeirError(error).message}`
    }
    const root = outlineOf(schema)
    const comparison = compare(root, this.#root)
    const mapped = pathsOf(comparison, 'old-by-new')
    const paths = new Map<string, string>()
    return {
      text: schema.text,
      root,
      decoder,
      read: readerFor(root, this.#root),
      comparison,
      readPath: path => {
        let found = paths.get(path)
        if (found === undefined) paths.set(path, (found = mapped(path)))
        return found
      },
      refusal: refusalOf(schema.text, candidate.text),
    }
  }

  tombstone(): void {
    this.#records++
    this.#tombstones++
  }

  /** A value without the wire header. */
  unframed(record: RetainedValue, message: string): void {
    this.#records++
    this.#damage(record, message)
  }

  /** One value. Its id was learnt before. */
  add(record: RetainedValue, id: number): void {
    const writer = this.#writers.get(id)!
    this.#records++
    writer.records++
    const { reading } = writer
    if (reading === null) {
      this.#damage(record, writer.problem)
      return
    }
    let written: unknown
    try {
      written = reading.decoder.decode(record.value)
    } catch (error) {
      this.#damage(record, toWeirError(error).message)
      return
    }
    const before = leavesOf(written, reading.root, rootPath(reading.root))
    this.#samples.add(written, reading.root, reading.readPath)
    const kept = () => ({
      place: `${record.partition}/${record.offset}`,
      framed: Uint8Array.from(record.value),
      reading,
    })
    this.#first ??= kept()
    let read: unknown
    try {
      read = reading.read(written)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      this.#failedCount++
      this.#failing ??= kept()
      note(this.#failures, record, `${error.path}: ${error.message}`)
      return
    }
    if (this.#compare(before, leavesOf(read, this.#root, rootPath(this.#root)), reading)) this.#differing ??= kept()
  }

  /** Counts what reads differently; true when something does. */
  #compare(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>, { readPath }: Reading): boolean {
    let differs = false
    for (const [path, text] of before) {
      const field = readPath(path)
      const now = after.get(field)
      if (now === undefined && text !== 'null') this.#lost.set(path, (this.#lost.get(path) ?? 0) + 1)
      if (now === undefined || meansTheSame(now, text)) continue
      differs = true
      const known = this.#changed.get(field)
      if (known) known.records++
      else this.#changed.set(field, { records: 1, before: text, after: now })
    }
    return differs
  }

  #damage(record: RetainedValue, message: string): void {
    this.#damagedCount++
    note(this.#damaged, record, message)
  }

  /** Versions whose records are in the log. */
  get versions(): ReadonlySet<number> {
    return new Set(
      [...this.#writers.values()].flatMap(({ version, records }) => (records > 0 && version !== null ? [version] : [])),
    )
  }

  evidence(): ProofEvidence {
    const writers = [...this.#writers].filter(([, { records }]) => records > 0).sort(([a], [b]) => a - b)
    const changed: ProofEvidence['changed'] = masked =>
      [...this.#changed].map(([field, { records, before, after }]) => ({
        field,
        records,
        example: masked(field) ? { before: '***', after: '***' } : { before, after },
      }))
    return {
      data: {
        records: this.#records,
        tombstones: this.#tombstones,
        failed: this.#failedCount,
        failures: this.#failures,
        damaged: { records: this.#damagedCount, first: this.#damaged },
        changed: changed(() => true),
        lost: [...this.#lost].map(([field, records]) => ({ field, records })),
        ids: writers.map(([id, { version, records }]) => ({ id, version, records })),
        refused: writers.flatMap(([id, { version, records, reading }]) =>
          reading?.refusal ? [{ id, version, records, message: reading.refusal }] : [],
        ),
      },
      personalValues: this.#samples.personal(),
      sharedValues: this.#samples.shared(),
      changed,
      examples: masked => this.#examples(masked),
    }
  }

  #examples(masked: (path: string) => boolean): readonly Example[] {
    const { candidate, base, topic } = this.#options
    const kept = [this.#failing, this.#differing ?? (this.#failing ? null : this.#first)]
    const real = kept.flatMap(each =>
      each === null
        ? []
        : [
            exampleOf({
              base: each.reading,
              candidate: { text: candidate.text, root: this.#root },
              comparison: each.reading.comparison,
              direction: 'old-by-new',
              framed: each.framed,
              from: `${topic} ${each.place}`,
              masked,
            }),
          ],
    )
    if (base === null) return real
    const root = outlineOf(base)
    const made = generatedExamples(
      { text: base.text, root },
      { text: candidate.text, root: this.#root },
      compare(root, this.#root),
    )
    return [...real, ...made.filter(({ direction }) => direction === 'new-by-old' || real.length === 0)]
  }
}

function note(list: FailedRecord[], { partition, offset }: RetainedValue, message: string): void {
  if (list.length < maxFailures) list.push({ partition, offset: String(offset), message: message.slice(0, 500) })
}

/** Why avsc does not read any record of the writer as the reader. */
function refusalOf(writer: string, reader: string): string | null {
  try {
    compileDecoder(writer, reader)
    return null
  } catch (error) {
    return toWeirError(error).message
  }
}
