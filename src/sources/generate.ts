// Synthetic reviews for load tests. Every review is a function of seed and index, so a stored cursor brings back the same ones (I13).
import { toWeirError, WeirError } from '../core/errors.ts'
import { decodeUtf8, parseJson } from '../core/json-text.ts'
import type { Item } from '../core/record.ts'
import { fields, share, Type } from '../core/spec.ts'
import type { Source, SourceBatch, Split } from '../pipeline/ports.ts'
import { reviewAt } from './generate/review.ts'
import { defineSource } from './source.ts'

const cursorVersion = 1
const batchItems = 1000
/** With a rate, batches come at least this often. */
const batchesPerSecond = 10

export const generate = defineSource({
  name: 'generate',
  summary: 'Makes synthetic reviews, the same ones for the same seed, as many and as fast as asked for.',
  config: fields({
    count: Type.Optional(
      Type.Integer({
        description: 'Reviews in all, malformed ones included; omitted: without end.',
        minimum: 0,
        maximum: 1e12,
      }),
    ),
    rate: Type.Optional(
      Type.Integer({
        description: 'Reviews a second in all; omitted: as fast as they are taken.',
        minimum: 1,
        maximum: 1e7,
      }),
    ),
    seed: Type.Integer({ description: 'Another seed makes other reviews.', default: 1, minimum: 0, maximum: 2 ** 31 }),
    malformed: share({ description: 'Share of reviews whose JSON is cut off.', default: '0%' }),
    products: Type.Integer({ description: 'Products that are reviewed.', default: 100, minimum: 1, maximum: 1e6 }),
    splits: Type.Integer({
      description: 'Parts that can be read at the same time.',
      default: 1,
      minimum: 1,
      maximum: 1000,
    }),
  }),
  examples: [
    { title: 'A million reviews', config: { count: 1_000_000 } },
    { title: 'A steady load with damage', config: { rate: 500, malformed: '1%', splits: 4 } },
  ],
  replayable: true,
  claim: () => ({
    guarantee: 'exactly_once',
    why: 'Every review is a function of seed and index, and the index is the cursor.',
    proof: {
      file: 'test/contract/source.ts',
      test: 'I13: going on from the cursor of any batch gives exactly the rest, in a new process as well',
    },
  }),
  open: (config, { clock }) => {
    const { count = Number.POSITIVE_INFINITY, rate, splits, malformed } = config
    const numberOf = (split: Split) => {
      const number = Number(/^part-(\d+)$/.exec(split.id)?.[1])
      if (!(number < splits))
        throw new WeirError('source.cursor_refused', 'No such split', { at: split.id, hint: `There are ${splits}.` })
      return number
    }
    const itemAt = (index: number): Item => {
      const { value, isMalformed } = reviewAt(config.seed, index, config.products, malformed)
      const text = () => Buffer.from(JSON.stringify(value))
      const position = `${index}`
      return isMalformed ? cutOff(text(), position) : { value, raw: text, position }
    }
    async function* read(split: Split, cursor: string | null, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
      const number = numberOf(split)
      const end = Math.max(0, Math.ceil((count - number) / splits))
      const perSecond = rate === undefined ? Number.POSITIVE_INFINITY : rate / splits
      const size = Math.max(1, Math.min(batchItems, Math.round(perSecond / batchesPerSecond)))
      const beganMs = clock.monotonic()
      const first = cursor === null ? 0 : nextOf(cursor)
      for (let next = first; next < end; ) {
        const to = Math.min(end, next + size)
        const waitMs = beganMs + ((to - first) * 1000) / perSecond - clock.monotonic()
        if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => {})
        if (signal.aborted) return
        const items: Item[] = []
        for (; next < to; next++) items.push(itemAt(number + next * splits))
        yield { items, cursor: JSON.stringify({ v: cursorVersion, next }) }
      }
    }
    return {
      endless: config.count === undefined,
      splits: async () => Array.from({ length: splits }, (_, i) => ({ id: `part-${i}`, vars: { part: i } })),
      read,
      reparse: raw => [parseJson(decodeUtf8(raw))],
      describeCursor: cursor => `${nextOf(cursor)} reviews made`,
      async [Symbol.asyncDispose]() {},
    } satisfies Source
  },
})

/** The review with its last third missing. */
function cutOff(bytes: Buffer, position: string): Item {
  const raw = bytes.subarray(0, Math.floor((bytes.length * 2) / 3))
  try {
    parseJson(raw.toString('latin1'))
  } catch (thrown) {
    return { value: undefined, raw, position, error: toWeirError(thrown) }
  }
  throw new WeirError('internal', 'A review that was cut off is still whole')
}

/** @throws cursor.invalid */
function nextOf(cursor: string): number {
  try {
    const { v, next } = JSON.parse(cursor)
    if (v === cursorVersion && Number.isSafeInteger(next) && next >= 0) return next
  } catch {
    // Not JSON, or not an object: said below.
  }
  throw new WeirError('cursor.invalid', 'The stored cursor of the generator cannot be understood', {
    hint: '`weir cursor reset` starts over.',
  })
}
