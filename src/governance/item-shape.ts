// What sampled items look like: which fields they have, and of which kinds. What an Avro type is inferred from.
import { isObject } from '../core/json-text.ts'

/** Fields of one object, and objects inside each other; more are not looked at. */
const maxFields = 300
const maxDepth = 6
/** An object with more keys than this in all is a map: its keys are data. */
const maxKeys = 100
const maxItems = 50
/** Texts kept to look at what they are like. */
const maxTexts = 200

const isName = (key: string) => /^[A-Za-z_$@][\w$@-]{0,63}$/.test(key)

export class ItemShape {
  /** Values that are not null. */
  seen = 0
  nulls = 0
  booleans = 0
  integers = 0
  fractions = 0
  texts = 0
  lists = 0
  objects = 0
  /** Whole numbers beyond 32 bits. */
  isLong = false
  /** Whole numbers beyond 64 bits. */
  isHuge = false
  /** Some of the texts. They do not leave the process. */
  readonly someTexts: string[] = []
  readonly fields = new Map<string, ItemShape>()
  /** Keys that are data. */
  hasOtherKeys = false
  items: ItemShape | null = null

  add(value: unknown, depth = 0): void {
    if (value === null || value === undefined) {
      this.nulls++
      return
    }
    this.seen++
    if (typeof value === 'boolean') this.booleans++
    else if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number' || typeof value === 'bigint') this.#number(value)
    else if (Array.isArray(value)) this.#list(value, depth)
    else if (isObject(value)) this.#object(value, depth)
  }

  #text(value: string): void {
    this.texts++
    if (this.someTexts.length < maxTexts && value.trim() !== '') this.someTexts.push(value.slice(0, 300))
  }

  #number(value: number | bigint): void {
    if (typeof value === 'number' && !Number.isInteger(value)) {
      this.fractions++
      return
    }
    this.integers++
    if (value > 2_147_483_647 || value < -2_147_483_648) this.isLong = true
    if (typeof value === 'bigint' ? BigInt.asIntN(64, value) !== value : !Number.isSafeInteger(value))
      this.isHuge = true
  }

  #list(value: readonly unknown[], depth: number): void {
    this.lists++
    if (depth >= maxDepth) return
    this.items ??= new ItemShape()
    for (const item of value.slice(0, maxItems)) this.items.add(item, depth + 1)
  }

  #object(value: Readonly<Record<string, unknown>>, depth: number): void {
    this.objects++
    if (depth >= maxDepth) return
    const keys = Object.keys(value)
    if (keys.length > maxKeys) this.hasOtherKeys = true
    for (const key of keys.slice(0, maxKeys)) {
      if (!isName(key)) {
        this.hasOtherKeys = true
        continue
      }
      let field = this.fields.get(key)
      if (!field) {
        if (this.fields.size >= maxFields) continue
        this.fields.set(key, (field = new ItemShape()))
      }
      field.add(value[key], depth + 1)
    }
  }

  /** Kinds of values, as people call them. */
  get kinds(): readonly string[] {
    const all: readonly (readonly [number, string])[] = [
      [this.booleans, 'true or false'],
      [this.integers + this.fractions, 'number'],
      [this.texts, 'text'],
      [this.lists, 'list'],
      [this.objects, 'object'],
    ]
    return all.filter(([count]) => count > 0).map(([, word]) => word)
  }
}
