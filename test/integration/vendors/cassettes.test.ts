// Every vendor has cassettes for what goes well, what is unusual, what fails and what is broken, and each comes to what it expects.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findCassettes } from '../../../src/app/cassette/find.ts'
import { testCassette } from '../../../src/app/cassette/testing.ts'
import { loadCatalogue } from '../../../src/app/catalogue.ts'
import { project } from '../../support/vendor-run.ts'

const folder = join(project, 'src/sources/vendors')
const vendors = readdirSync(folder).flatMap(name => /^(.+)\.yaml$/.exec(name)?.[1] ?? [])
const catalogue = await loadCatalogue()

describe.each(vendors)('%s', vendor => {
  const files = findCassettes([vendor], project)

  test('has a cassette for each kind of case', () => {
    const names = files.map(file => /([^/]+)\.yaml$/.exec(file)![1])
    expect(names).toEqual(expect.arrayContaining(['happy', 'edge', 'error', 'malformed']))
  })

  test.each(files.map(file => file.slice(folder.length + 1)))('%s', async file => {
    const { problems } = await testCassette(join(folder, file), { catalogue, update: false })
    expect(problems.map(({ message, line }) => `line ${line}: ${message}`)).toEqual([])
  })
})
