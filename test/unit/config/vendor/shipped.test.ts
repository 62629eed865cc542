// The vendor files that come with weir: each is good, its examples too, its mapping fits a schema that comes with weir, and none is read
// before it is named.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadCatalogue, withVendors } from '../../../../src/app/catalogue.ts'
import { modesOf } from '../../../../src/app/vendors.ts'
import { lintPipeline } from '../../../../src/config/lint.ts'
import { runLint } from '../../../../src/config/lint-files.ts'
import { vendorJsonSchema } from '../../../../src/config/vendor/editor-schema.ts'
import { isVendor } from '../../../../src/config/vendor/vendor.ts'
import { definitionFolder } from '../../../support/definition-text.ts'

const project = resolve(import.meta.dirname, '../../../..')
const folder = join(project, 'src/sources/vendors')
const names = readdirSync(folder)
  .filter(file => file.endsWith('.yaml'))
  .map(file => file.slice(0, -'.yaml'.length))
const catalogue = await loadCatalogue()
const vendors = names.map(name => {
  const found = catalogue.sources[name]!
  if (!isVendor(found)) throw new Error(`${name} is no vendor`)
  return found
})

test('every vendor of the mission is there', () => {
  for (const name of [
    'brightdata_reviews',
    'dataforseo_asin',
    'oxylabs',
    'apify_reviews',
    'rainforest',
    'outscraper',
    'scrapehero',
    'keepa',
    'mcauley_2014',
    'mcauley_2018',
    'mcauley_2023',
    'aws_tsv',
    'finefoods',
    'amazon_page',
    'amazon_creators_api',
    'amazon_pa_api',
  ])
    expect(names).toContain(name)
})

test('their files lint without a word', () => {
  const { problems } = runLint([folder], { catalogue, env: {}, cwd: project })
  expect(problems.map(({ file, line, message }) => `${file}:${line} ${message}`)).toEqual([])
})

describe.each(vendors)('$name', vendor => {
  test('is named as its file and says what it costs and what its terms are', () => {
    expect(vendor.origin.file).toBe(join(folder, `${vendor.name}.yaml`))
    expect(Object.keys(vendor.notes)).toEqual(expect.arrayContaining(['cost', 'freshness', 'legal', 'coverage']))
    if (vendor.status !== 'stable') expect(vendor.notes).toHaveProperty('status')
  })

  test('can be pointed elsewhere where it calls somebody', () => {
    const calls = [...vendor.modes.values()].some(({ base }) => base.name === 'http')
    if (calls) expect(vendor.parameters).toMatchObject({ base_url: { type: 'address' } })
    else expect(vendor.parameters).toMatchObject({ paths: { type: 'list' } })
  })

  test('stores exactly once in every mode', () => {
    for (const { name, claim } of modesOf(vendor))
      expect({ name, guarantee: claim?.guarantee }).toEqual({ name, guarantee: 'exactly_once' })
  })

  test('is a valid pipeline with each of its examples', () => {
    using definitions = definitionFolder()
    const schemas = ['raw-review', 'product-signal'].map(name => join(project, `schemas/${name}.avsc`))
    const schema = schemas[vendor.mapping !== undefined && 'ratings_total' in vendor.mapping ? 1 : 0]!
    expect(vendor.examples.length).toBeGreaterThan(0)
    for (const { title, config } of vendor.examples) {
      const text = JSON.stringify({ pipeline: 'p', source: { [vendor.name]: config }, topic: { name: 't', schema } })
      const env = Object.fromEntries(
        [...text.matchAll(/\$\{([A-Z_0-9]+)/g)].map(match => [match[1]!, 'value-of-example']),
      )
      const { problems } = lintPipeline({ file: join(definitions.path, 'p.yaml'), text }, { catalogue, env })
      const wrong = problems.filter(({ severity }) => severity === 'error')
      expect({ title, wrong: wrong.map(({ message }) => message) }).toEqual({ title, wrong: [] })
    }
  })
})

test('the schema for editors takes every file, and not one with a mistake', () => {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false })
  const validate = ajv.compile(vendorJsonSchema(catalogue))
  for (const name of names) {
    const file = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'))
    expect({ name, valid: validate(file), errors: validate.errors }).toEqual({ name, valid: true, errors: null })
    expect(validate({ ...file, parametres: {} })).toBe(false)
    expect(
      validate({ ...file, source: { http: { request: { url: 'https://x', methd: 'GET' } } }, modes: undefined }),
    ).toBe(false)
  }
})

test('no file is read before its vendor is named', () => {
  // A folder with a file that cannot be a vendor: reading it would throw.
  using broken = definitionFolder()
  broken.write('broken.yaml', 'vendor: [')
  const sources = withVendors({}, broken.path)
  expect(Object.keys(sources)).toEqual(['broken'])
  expect(() => sources['broken']).toThrow('A closing ] is missing.')
})

test('amazon_page asks whether the terms were checked, and runs for nobody who does not say so', () => {
  using definitions = definitionFolder()
  const lint = (agreed: object) =>
    lintPipeline(
      {
        file: join(definitions.path, 'p.yaml'),
        text: JSON.stringify({
          pipeline: 'p',
          source: { amazon_page: { asins: ['B07FZ8S74R'], agent: 'example (ops@example.com)', ...agreed } },
          topic: { name: 't', schema: join(project, 'schemas/raw-review.avsc') },
        }),
      },
      { catalogue, env: {} },
    )
  expect(lint({}).problems.map(({ code, message }) => [code, /i_have_checked_the_terms/.test(message)])).toEqual([
    ['config.missing_field', true],
  ])
  expect(lint({ i_have_checked_the_terms: false }).problems.map(({ code }) => code)).toEqual(['config.invalid'])
  expect(lint({ i_have_checked_the_terms: true }).definition?.source.connector).toBe('http')
})

test('amazon_pa_api is warned of as retired', () => {
  using definitions = definitionFolder()
  const text = JSON.stringify({
    pipeline: 'p',
    source: { amazon_pa_api: { mode: 'replay', paths: ['a.json'] } },
    topic: { name: 't', schema: join(project, 'schemas/product-signal.avsc') },
  })
  const { problems, definition } = lintPipeline(
    { file: join(definitions.path, 'p.yaml'), text },
    { catalogue, env: {} },
  )
  expect(problems.map(({ code, message }) => [code, /retired.*May 2026/.test(message)])).toEqual([
    ['config.warning', true],
  ])
  expect(definition?.source).toMatchObject({ connector: 'file', vendor: 'amazon_pa_api' })
})
