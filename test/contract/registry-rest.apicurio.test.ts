// A real Apicurio Registry under the same REST contract, with what it is known to do otherwise; and what the probe finds of it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { probeRegistry } from '../../src/adapters/registry-http/probe.ts'
import { systemClock } from '../../src/core/clock.ts'
import { ask } from '../support/registry-server.ts'
import type { Apicurio } from '../support/services/apicurio.ts'
import { describeWith } from '../support/services/for-tests.ts'
import { registryRestContract } from './registry-rest.ts'

const differs = new Map([
  ['the service answers at its root, and says what it knows', 'a page of its own'],
  ['a doc is a new version', 'documentation does not count'],
  ['subjects by prefix', 'subjectPrefix is ignored'],
  ['40404 soft deletion twice', 'subjectPrefix is ignored, and 409'],
  ['40405 a subject permanently before softly', '409'],
  ['40406 soft deletion of a version twice', '409'],
  ['40407 a version permanently before softly', '409'],
  ['softly, then permanently: nothing is left of the subject', '40401 for the level of an unknown subject'],
  ['the row of before is dropped then', 'it stays'],
  [
    '40408 the level of a subject without one, before and after it is registered',
    '40401 for an unknown subject, then 200 NONE',
  ],
  ['the level of a subject: put, got, in effect, taken away', 'levels in capitals only'],
  ['the global level: put, got, in effect, taken away', 'defaultToGlobal is ignored'],
  ['40409 the mode of a subject without one', '200 READWRITE'],
  ['modes: put, got, in effect, taken away', '200 READWRITE where none is set'],
  ['42204 an invalid mode', '42201'],
  ['42205 READONLY takes nothing, but knows what it has', 'modes are not enforced'],
  ['42205 READONLY_OVERRIDE stands above the mode of a subject', 'no such mode'],
  ['42205 an id of elsewhere outside IMPORT', 'the id is ignored'],
  ['IMPORT takes ids and versions of elsewhere, and nothing without', 'modes are not enforced'],
  ['42205 IMPORT where there are versions, unless forced', 'modes are not enforced'],
  ['40901 an incompatible schema', 'code 409'],
  [
    'references: resolved, answered, found from the other side, and held against deletion (42206)',
    'a deleted schema still counts',
  ],
  ['compatibility with all, of an unknown subject', '40401'],
  ['verbose: rule, path, description and versions of every reason', 'no messages'],
  ['FORWARD: the old schema reads, and is named the reader', 'no messages'],
  ['transitive: from the newest to the oldest, to the first version that fails', 'no messages'],
  ['42201 an empty schema', 'taken'],
  ['a verbose check answers an invalid schema with words', '42201'],
  ...['0', 'abc', '2147483648', '-2', '1.5'].map(each => [`42202 version ${each}`, '404'] as const),
  ['references take part in checks', '42201'],
  ['normalize: forms of the same schema are one version', 'normalize is ignored'],
  ['normalize can be set for a subject', 'normalize is ignored'],
  ['metadata: kept, answered, another version where it differs, taken over where it is left out', 'dropped'],
  ['42208 a subject with control characters', 'taken'],
  ['a subject with characters that a path cannot hold', 'subjectPrefix is ignored'],
])

await describeWith(['own-apicurio'], 'Apicurio', startApicurio => {
  let apicurio: Apicurio
  beforeAll(async () => {
    apicurio = await startApicurio()
    // Its default is NONE.
    await ask(apicurio.url, 'PUT', '/config', { compatibility: 'BACKWARD' })
  }, 120_000)
  afterAll(() => apicurio?.[Symbol.asyncDispose]())

  describe('REST contract', () => registryRestContract(() => apicurio, { differs, words: false }))

  test('the probe names what it lacks, and leaves nothing behind', async () => {
    const before = (await ask(apicurio.url, 'GET', '/subjects?deleted=true')).body
    const { findings, left } = await probeRegistry({
      url: apicurio.url,
      auth: null,
      tls: null,
      timeoutMs: 60_000,
      clock: systemClock,
      random: Math.random,
    })
    expect(
      Object.fromEntries(findings.filter(each => !each.supported).map(each => [each.behaviour, each.found])),
    ).toEqual({
      doc_is_content: 'versions: [1]',
      normalize: 'versions: [1,2]',
      metadata: 'dropped',
      contexts: 'taken as a plain subject',
      verbose: 'no messages',
      incompatible_40901: '409',
      config_40408: '200 with NONE',
      default_to_global: '404 (40401)',
      config_delete: 'level: 200',
      mode_40409: '200',
      mode_readonly: 'not enforced',
      mode_import: 'not enforced',
      delete_codes: 'version permanent first: 409 (40407)',
      reregister_drops: 'versions: [1,2,3]',
      compatibility_references: '422 (42201)',
    })
    expect(left).toEqual([])
    expect((await ask(apicurio.url, 'GET', '/subjects?deleted=true')).body).toEqual(before)
  })
})
