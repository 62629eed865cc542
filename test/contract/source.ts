// What every source promises (pipeline/ports.ts), written once. A source states how it is set up; each test opens it anew.
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../src/core/errors.ts'
import { type Item, rawOf, type SourceBatch } from '../../src/core/record.ts'
import type { Source, Split } from '../../src/pipeline/ports.ts'

export interface SourceSetup {
  readonly name: string
  /** Opens the source over the same input each time; the input ends and has several batches in at least one split. */
  open(): Promise<Source>
  /** How many items there are, those with an error included. */
  readonly items: number
  /** How many of them have an error. */
  readonly failing: number
}

const what = (item: Item) => ({
  value: item.value,
  position: item.position,
  place: item.place,
  code: item.error?.code,
  raw: Buffer.from(rawOf(item)).toString('latin1'),
  context: item.context,
})

async function batchesOf(source: Source, split: Split, cursor: string | null): Promise<SourceBatch[]> {
  return Array.fromAsync(source.read(split, cursor, new AbortController().signal))
}

const itemsOf = (batches: readonly SourceBatch[]) => batches.flatMap(({ items }) => items.map(what))

export function sourceContract(setup: SourceSetup): void {
  const splitsOf = (source: Source) => source.splits(new AbortController().signal)

  describe(`${setup.name}: the source contract`, () => {
    test('splits have stable, unique names of at most 512 bytes', async () => {
      await using source = await setup.open()
      const names = (await splitsOf(source)).map(({ id }) => id)
      expect(new Set(names).size).toBe(names.length)
      expect(names.length).toBeGreaterThan(0)
      for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(512)
      await using again = await setup.open()
      expect((await splitsOf(again)).map(({ id }) => id)).toEqual(names)
    })

    test('I2: gives every item once, decoded or with its error and its bytes, each at its own position', async () => {
      await using source = await setup.open()
      let count = 0
      let failing = 0
      for (const split of await splitsOf(source)) {
        const batches = await batchesOf(source, split, null)
        const items = batches.flatMap(batch => batch.items)
        count += items.length
        for (const { drops } of batches) for (const dropped of Object.values(drops ?? {})) count += dropped
        expect(new Set(items.map(({ position }) => position)).size).toBe(items.length)
        for (const item of items)
          if (item.error) {
            failing++
            expect(item.value).toBeUndefined()
            expect(item.error.hint).toBeTruthy()
            expect(rawOf(item)).toBeInstanceOf(Uint8Array)
          } else expect(item.value).toBeTypeOf('object')
      }
      expect({ count, failing }).toEqual({ count: setup.items, failing: setup.failing })
    })

    test('I13: going on from the cursor of any batch gives exactly the rest, in a new process as well', async () => {
      await using source = await setup.open()
      for (const split of await splitsOf(source)) {
        const batches = await batchesOf(source, split, null)
        const stops =
          batches.length <= 6 ? batches.keys() : [0, 1, batches.length >> 1, batches.length - 2, batches.length - 1]
        for (const stop of stops) {
          await using restarted = await setup.open()
          const rest = await batchesOf(restarted, split, batches[stop]!.cursor)
          expect(itemsOf(rest)).toEqual(itemsOf(batches.slice(stop + 1)))
        }
      }
    })

    test('reads the same again from the start', async () => {
      await using source = await setup.open()
      for (const split of await splitsOf(source))
        expect(itemsOf(await batchesOf(source, split, null))).toEqual(itemsOf(await batchesOf(source, split, null)))
    })

    test('at the end, the cursor gives nothing more', async () => {
      await using source = await setup.open()
      for (const split of await splitsOf(source)) {
        const last = (await batchesOf(source, split, null)).at(-1)
        if (last) expect(itemsOf(await batchesOf(source, split, last.cursor))).toEqual([])
      }
    })

    test('cursors name their version and can be told in words', async () => {
      await using source = await setup.open()
      for (const split of await splitsOf(source))
        for (const { cursor } of await batchesOf(source, split, null)) {
          expect(JSON.parse(cursor)).toHaveProperty('v')
          expect(source.describeCursor(cursor)).not.toBe('')
        }
    })

    test.each(['', 'garbage', '{}', '[]', 'null', '{"v":999}', '{"v":1}'])('refuses the cursor %j', async cursor => {
      await using source = await setup.open()
      const [split] = await splitsOf(source)
      const error = await batchesOf(source, split!, cursor).catch((thrown: unknown) => thrown)
      expect(codeOf(error)).toBe('cursor.invalid')
      expect(() => source.describeCursor(cursor)).toThrow(expect.objectContaining({ code: 'cursor.invalid' }))
    })

    test('I11: ends soon after its signal has aborted', async () => {
      await using source = await setup.open()
      const [split] = await splitsOf(source)
      const stopping = new AbortController()
      let batches = 0
      try {
        for await (const _batch of source.read(split!, null, stopping.signal)) {
          batches++
          stopping.abort()
        }
      } catch (error) {
        expect(error).toBe(stopping.signal.reason)
      }
      expect(batches).toBeLessThanOrEqual(2)
    })

    test('may be left in the middle, and closed twice', async () => {
      const source = await setup.open()
      const [split] = await splitsOf(source)
      for await (const _batch of source.read(split!, null, new AbortController().signal)) break
      await source[Symbol.asyncDispose]()
      await source[Symbol.asyncDispose]()
    })

    test('I5: reads the bytes of a dead letter again as it read the item', async () => {
      await using source = await setup.open()
      for (const split of await splitsOf(source))
        for (const { items } of await batchesOf(source, split, null))
          for (const item of items) {
            const reread = () => source.reparse(rawOf(item), item.context)
            if (item.error) expect(reread).toThrow()
            else expect(reread()).toEqual([item.value])
          }
    })
  })
}
