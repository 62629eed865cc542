// Set F: bad Avro bytes and schemas, through the decode step of a consumer. Each gets its code at its byte or JSON pointer, at once, in
// little memory; what is odd but allowed gives its value. expect.json holds the cases; bytes are hex, a body goes after the header of id 1.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { createDecode } from '../../src/pipeline/decode.ts'
import type { LogRecord, SchemaRegistry } from '../../src/pipeline/ports.ts'
import { toJsonText } from '../../src/schema/json.ts'
import { parseSchema } from '../../src/schema/parse.ts'
import { cpuMs } from '../support/cpu-time.ts'

interface Case {
  readonly case: string
  readonly schema?: unknown
  readonly schemaText?: string
  /** A schema too large to be committed. */
  readonly made?: keyof typeof made
  readonly reader?: unknown
  readonly framed?: string
  readonly body?: string
  readonly repeat?: readonly [hex: string, times: number]
  readonly tail?: string
  readonly code?: string
  readonly at?: string
  readonly message?: string
  readonly gives?: unknown
  readonly givesText?: string
  readonly warning?: string
}

const cases: readonly Case[] = JSON.parse(readFileSync(join(import.meta.dirname, 'avro/expect.json'), 'utf8'))

const record = (type: unknown) => ({ type: 'record', name: 'R', fields: [{ name: 'f', type }] })
const made = {
  '2 MB': () => JSON.stringify({ ...record('int'), doc: 'x'.repeat(2 * 1024 * 1024) }),
  'depth 65': () => {
    let type: unknown = 'int'
    for (let i = 0; i < 65; i++) type = { type: 'array', items: type }
    return JSON.stringify(record(type))
  },
  '10k fields': () =>
    JSON.stringify({ ...record('int'), fields: Array.from({ length: 10_000 }, (_, i) => ({ name: `f${i}`, type: 'int' })) }),
}

function schemaTextOf(each: Case): string {
  if (each.made) return made[each.made]()
  return each.schemaText ?? JSON.stringify(each.schema)
}

function bytesOf({ framed, body = '', repeat: [hex, times] = ['', 0], tail = '' }: Case): Uint8Array {
  return Buffer.from(framed ?? `0000000001${body}${hex.repeat(times)}${tail}`, 'hex')
}

/** A registry that knows one schema, under id 1. */
function registryOf(schema: string): SchemaRegistry {
  const byId = async (id: number) => {
    if (id === 1) return schema
    throw new WeirError('registry.unknown_id', `no schema has id ${id}`)
  }
  return { byId } as unknown as SchemaRegistry
}

async function outcomeOf(each: Case): Promise<{ value: unknown } | { error: WeirError }> {
  if (each.framed === undefined && each.body === undefined) {
    try {
      return { value: parseSchema(schemaTextOf(each)) }
    } catch (error) {
      return { error: error as WeirError }
    }
  }
  const decode = createDecode(registryOf(schemaTextOf(each)), each.reader === undefined ? null : JSON.stringify(each.reader))
  const log = { topic: 't', partition: 0, offset: 0n, timestampMs: 0, key: null, value: bytesOf(each), headers: [] } satisfies LogRecord
  const { decoded, failures } = await decode([log])
  expect(decoded.length + failures.length).toBe(1)
  return decoded[0] ? { value: decoded[0].value } : { error: failures[0]!.error }
}

describe('bad Avro bytes and schemas', () => {
  test('the corpus has its 56 cases, each once', () => {
    expect(new Set(cases.map(each => each.case)).size).toBe(56)
    expect(cases.length).toBe(56)
  })

  test.each(cases.map(each => [each.case, each] as const))('%s', async (_, each) => {
    const rssBefore = process.memoryUsage().rss
    const startedMs = cpuMs()
    const outcome = await outcomeOf(each)
    expect(cpuMs() - startedMs).toBeLessThan(1000)
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * 1024 * 1024)
    if (each.code === undefined) {
      if ('error' in outcome) throw outcome.error
      const text = toJsonText(outcome.value)
      if (each.givesText !== undefined) expect(text).toBe(each.givesText)
      else expect(JSON.parse(text)).toEqual(each.gives)
      if (each.warning) expect(parseSchema(schemaTextOf(each)).warnings.join()).toContain(each.warning)
      return
    }
    if (!('error' in outcome)) throw new Error('no error')
    const { error } = outcome
    expect(error).toBeInstanceOf(WeirError)
    expect({ code: error.code, ...(each.at ? { at: error.at } : {}) }).toEqual({
      code: each.code,
      ...(each.at ? { at: each.at } : {}),
    })
    if (each.message) expect(error.message).toContain(each.message)
    expect(error.hint?.length ?? 0).toBeGreaterThan(10)
    expect(error.message).not.toContain('\n')
  })
})
