// The example calls that each simulated vendor's help and first page print: they work as they stand, by curl, whose signatures are not ours.
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { vendorSpecs } from '../../src/simulate/vendors/index.ts'
import { triesOf } from '../../src/simulate/vendors/welcome.ts'
import { key, named, user } from '../support/named-vendor.ts'

const run = promisify(execFile)
const curl = spawnSync('curl', ['--version']).status === 0

/** Of those that name an id or a token from an answer before, only the first call can be made as it stands. */
const complete = (each: string) => !/\b[A-Z]+_ID\b|\bTOKEN\b/.test(each)

describe.skipIf(!curl)('by curl', () => {
  test.each(Object.keys(vendorSpecs))('%s: each example is answered well', async name => {
    const { vendor } = await named(name, { rateLimit: null })
    const tries = triesOf(vendorSpecs[name]!, { user, key }, vendor.url).filter(complete)
    expect(tries.length).toBeGreaterThan(0)
    for (const each of tries) {
      const quiet = each.replace(/^curl /, "curl -s -o /dev/null -w '%{http_code}' ")
      const { stdout } = await run('sh', ['-c', quiet])
      expect([each, stdout]).toEqual([each, expect.stringMatching(/^(20[012]|302)$/)])
    }
    expect(vendor.counts).not.toHaveProperty('401')
    expect(vendor.counts).not.toHaveProperty('defect')
  })
})
