// Corpus sets H and F for requests (test/corpus/registry/cases.ts): each gets its status and Confluent's error code for a second of work at
// most, client and server together, without a stack trace or a secret, and nothing goes wrong inside.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpuMs } from '../support/cpu-time.ts'
import { type ServedRegistry, serveRegistry } from '../support/registry-server.ts'
import { cases, type RegistryPlace } from './registry/cases.ts'

const token = 'canary-registry-token'
const readToken = 'canary-registry-reader'
let served: ServedRegistry
let place: RegistryPlace
beforeAll(async () => {
  served = await serveRegistry({ full: token, read: readToken })
  place = { url: served.url, token, readToken }
})
afterAll(() => served?.[Symbol.asyncDispose]())

describe('the registry answers', () => {
  test.each(cases.map((each, i) => [each.name, i] as const))('%s', async (_, i) => {
    const { prepare, send, expected } = cases[i]!
    await prepare?.(place, `case-${i}`)
    const startedMs = cpuMs()
    const got = await send(place, `case-${i}`)
    const ms = cpuMs() - startedMs
    expect(got).toMatchObject(expected)
    expect(ms).toBeLessThan(1_000)
    const shown = JSON.stringify(got)
    expect(shown).not.toMatch(/\n\s+at |node:internal|\.ts:\d|\.js:\d/)
    expect(shown).not.toContain('canary')
    if (got.code !== undefined) expect(got.body).toEqual({ error_code: got.code, message: expect.any(String) })
    expect(served.errors).toEqual([])
  })
})
