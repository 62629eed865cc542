// Confluent's Python client works against the embedded registry: registers, checks, encodes and decodes; and weir reads what it wrote.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openEmbeddedRegistry } from '../../../src/adapters/registry-embedded/registry.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { serveRegistry } from '../../support/registry-server.ts'
import { describeWith } from '../../support/services/for-tests.ts'

const script = fileURLToPath(new URL('../../support/services/confluent-client.py', import.meta.url))

await describeWith(['confluent-python'], "Confluent's Python client", python => {
  test('all it does with a registry', async () => {
    await using served = await serveRegistry({ full: 'canary-python-token' })
    const said = JSON.parse(await python(script, [served.url, 'anyone', 'canary-python-token']))
    expect(said).toMatchObject({
      'no level': [404, 40408],
      again: true,
      'by id': 'Review',
      lookup: 1,
      level: 'BACKWARD',
      compatible: true,
      broken: false,
      refused: [409, 40901],
      versions: [1, 2],
      latest: ['py-reviews-value', 2],
      subjects: ['py-reviews-value'],
      unknown: [404, 40401],
      references: [['py.Star', 'py-star', 1]],
      referenced: [422, 42206],
      decoded: { id: 'a', stars: 5 },
      starred: { star: 'B' },
      left: [2],
      gone: [2],
      'gone for good': [1, 2],
    })
    expect(served.errors).toEqual([])
    // The subject is gone for good, and the value it wrote is still read.
    await using registry = await openEmbeddedRegistry({ dataDir: served.dataDir, clock: systemClock })
    const id = Buffer.from(said.value, 'hex').readUInt32BE(1)
    expect(JSON.parse(await registry.byId(id))).toMatchObject({
      name: 'Review',
      fields: [{ name: 'id' }, { name: 'stars' }],
    })
  })

  test('a wrong password is refused', async () => {
    await using served = await serveRegistry({ full: 'canary-python-token' })
    await expect(python(script, [served.url, 'anyone', 'wrong'])).rejects.toThrow(/401/)
  })
})
