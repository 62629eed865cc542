// Bad vendor files: each mistake gets its code at its line and column in the file that holds it, with a hint, without a secret.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runLint } from '../../src/config/lint-files.ts'
import { corpusCatalogue } from '../support/corpus-catalogue.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-vendor-corpus-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const good = `vendor: shop
summary: Reviews of a shop.
status: stable
notes: { cost: None. }
parameters:
  token: { type: secret, description: Your token. }
  items: { type: list, description: What to watch. }
  lang: { type: text, required: false, description: Language. }
  size: { type: number, default: 10, min: 1, max: 100, description: Page size. }
  base_url: { type: address, default: "https://shop.example.com", description: Where it is. }
fetch: { timeout: 20s }
source:
  http:
    for_each: { item: "\${params.items}" }
    request:
      url: "\${params.base_url}/r"
      query: { item: "{{ split.item }}", lang: "\${params.lang}", size: "\${params.size}" }
      auth: { bearer: "\${params.token}" }
    records: body.reviews
    cursor: { mode: membership, id: this.id }
map:
  review_id: this.id
  rating: double(this.stars)
examples:
  - title: One
    config: { token: "\${T}", items: [a] }
`

interface Case {
  readonly name: string
  readonly from: string
  readonly to: string
  /** `code line:column` of each problem, in order. */
  readonly gives: readonly string[]
  readonly says?: RegExp
}

const at = (needle: string, text = good) => {
  const before = text.slice(0, text.indexOf(needle)).split('\n')
  return `${before.length}:${before.at(-1)!.length + 1}`
}

const cases: readonly Case[] = [
  { name: 'no name', from: 'vendor: shop\n', to: '"vendor": null\n', gives: ['config.invalid 1:11'] },
  { name: 'a name with capitals', from: 'vendor: shop', to: 'vendor: Shop', gives: ['config.invalid 1:9'] },
  { name: 'a status there is not', from: 'stable', to: 'beta', gives: ['config.invalid 3:9'], says: /experimental/ },
  { name: 'an unknown field', from: 'notes:', to: 'note:', gives: ['config.unknown_field 4:1'], says: /notes/ },
  { name: 'a note that is no text', from: 'None.', to: '5', gives: ['config.invalid 4:16'] },
  { name: 'a type there is not', from: 'type: secret', to: 'type: password', gives: ['config.invalid 6:18'] },
  {
    name: 'a parameter without a description',
    from: ', description: Your token.',
    to: '',
    gives: ['config.missing_field 6:3'],
    says: /description/,
  },
  { name: 'a default outside its bounds', from: 'default: 10', to: 'default: 1000', gives: ['config.invalid 9:34'] },
  { name: 'a default of another type', from: 'default: 10', to: 'default: ten', gives: ['config.invalid 9:34'] },
  {
    name: 'a secret with a default',
    from: '{ type: secret,',
    to: '{ type: secret, default: hush,',
    gives: ['config.conflict 6:26'],
    says: /secret has no default/,
  },
  {
    name: 'a choice of nothing',
    from: 'type: text, required',
    to: 'type: choice, required',
    gives: ['config.missing_field 8:3'],
    says: /of: \[/,
  },
  {
    name: 'bounds of a text',
    from: 'type: text, required',
    to: 'type: text, min: 1, required',
    gives: ['config.conflict 8:23'],
  },
  {
    name: 'a pattern that is none',
    from: 'type: text, required',
    to: 'type: text, pattern: "[", required',
    gives: ['config.invalid 8:32'],
  },
  {
    name: 'a parameter that is not declared',
    from: '${params.lang}',
    to: '${params.lng}',
    gives: ['config.variable 17:49'],
    says: /lang\?/,
  },
  {
    name: 'a variable of the environment',
    from: '${params.token}',
    to: '${TOKEN}',
    gives: ['config.variable 18:24'],
    says: /params\.name/,
  },
  { name: 'a reference that is not closed', from: '${params.lang}"', to: '${params.lang"', gives: ['config.variable 17:49'] },
  {
    name: 'a parameter that nothing uses',
    from: ', lang: "${params.lang}"',
    to: '',
    gives: ['config.warning 8:3'],
    says: /used nowhere/,
  },
  {
    name: 'a secret in an expression',
    from: 'records: body.reviews',
    to: 'records: body.reviews.filter(r, r.t == ${params.token})',
    gives: ['config.variable 19:44'],
  },
  {
    name: 'a parameter in quotes of an expression',
    from: 'records: body.reviews',
    to: `records: body.reviews.filter(r, r.t == "x-\${params.lang}")`,
    gives: ['config.variable 19:47'],
    says: /quotes/,
  },
  {
    name: 'a parameter in quotes inside {{ }}',
    from: '{{ split.item }}',
    to: `{{ split.item + '\${params.lang}' }}`,
    gives: ['config.variable 17:40'],
  },
  { name: 'no source', from: 'source:\n  http:\n', to: 'other:\n  http:\n', gives: ['config.unknown_field 12:1'] },
  {
    name: 'a connector there is not',
    from: '  http:\n    for_each',
    to: '  htp:\n    for_each',
    gives: ['config.invalid 13:3'],
    says: /http/,
  },
  {
    name: 'source and modes',
    from: 'map:\n',
    to: 'modes: { a: { http: {} } }\nmap:\n',
    gives: ['config.conflict 21:1'],
  },
  { name: 'two connectors', from: '  http:\n    for', to: '  file: {}\n  http:\n    for', gives: ['config.invalid 14:3'] },
  {
    name: 'an unknown field of the connector',
    from: 'records: body',
    to: 'record: body',
    gives: ['config.unknown_field 19:5'],
    says: /records/,
  },
  {
    name: 'a wrong value of the connector',
    from: 'mode: membership',
    to: 'mode: members',
    gives: ['config.invalid 20:21'],
  },
  {
    name: 'what only the rules of the connector see',
    from: '{{ split.item }}',
    to: '{{ split.itm }}',
    gives: ['config.conflict 17:22', 'config.warning 26:37'],
  },
  { name: 'an expression that does not compile', from: 'body.reviews', to: 'body.reviews[', gives: ['config.expression 19:14'] },
  { name: 'a template that does not compile', from: '{{ split.item }}', to: '{{ split.item', gives: ['config.expression 17:22'] },
  { name: 'a mapping that does not compile', from: 'double(this.stars)', to: 'double(', gives: ['config.expression 23:11'] },
  { name: 'fetch with a field it has not', from: 'timeout: 20s', to: 'timeot: 20s', gives: ['config.unknown_field 11:10'] },
  { name: 'fetch with a wrong unit', from: 'timeout: 20s', to: 'timeout: 20 parsecs', gives: ['config.invalid 11:19'] },
  {
    name: 'a default that the connector refuses',
    from: 'https://shop.example.com',
    to: 'ftp://shop.example.com',
    gives: ['config.invalid 10:39'],
    says: /ftp/,
  },
  { name: 'an example with an unknown field', from: 'items: [a]', to: 'items: [a], sise: 5', gives: ['config.unknown_field 26:42'] },
  { name: 'an example without what is required', from: ', items: [a]', to: '', gives: ['config.missing_field 26:5'] },
  { name: 'an example with a value out of bounds', from: 'items: [a]', to: 'items: [a], size: 500', gives: ['config.invalid 26:48'] },
  {
    name: 'a list in the midst of a text',
    from: '/r"',
    to: '/r/${params.items}"',
    gives: ['config.invalid 26:37'],
    says: /list/,
  },
  { name: 'a second document', from: 'map:\n', to: '---\nmap:\n', gives: ['config.syntax 21:1'] },
  { name: 'a key that reaches into the machinery', from: 'lang: {', to: '__proto__: {', gives: ['config.key_refused 8:3'] },
]

const lint = (text: string) => {
  writeFileSync(join(folder, 'shop.yaml'), text)
  return runLint(['shop.yaml'], { catalogue: corpusCatalogue, env: {}, cwd: folder })
}

const brief = (problems: ReturnType<typeof lint>['problems']) =>
  problems.map(({ code, line, column }) => `${code} ${line}:${column}`)

describe('bad vendor files', () => {
  test('the file that they are made from is good', () => {
    expect(brief(lint(good).problems)).toEqual([])
  })

  test.each(cases)('$name', ({ from, to, gives, says }) => {
    expect(good, 'the change does something').toContain(from)
    const { problems, text } = lint(good.replace(from, () => to))
    expect(brief(problems)).toEqual(gives)
    for (const problem of problems) {
      expect(problem.file).toBe(join(folder, 'shop.yaml'))
      expect(problem.hint, problem.message).toBeTruthy()
    }
    if (says) expect(text).toMatch(says)
    expect(text).not.toMatch(/at \w+ \(|hush/)
  })

  test('each mode is tried out, also one without an example', () => {
    const text = good
      .replace('source:\n  http:', 'modes:\n  one:\n   http:')
      .replace('map:\n', '  two:\n    http: { request: { url: "${params.base_url}" }, cursor: { id: this.id } }\nmap:\n')
    const { problems } = lint(text)
    const missing = `config.missing_field ${at('{ id: this.id }', text)}`
    expect(brief(problems).filter(each => each.startsWith('config.missing_field'))).toEqual([missing, missing])
  })
})

describe('a vendor in a pipeline', () => {
  const pipeline = (source: string) => `pipeline: shop
source:
  ${source}
topic: { name: reviews, schema: review.avsc }
`
  const schema = {
    type: 'record',
    name: 'Review',
    fields: [
      { name: 'review_id', type: 'string' },
      { name: 'rating', type: 'double' },
    ],
  }
  const use = (source: string, vendor = good, env: Record<string, string> = { T: 'hush-hush' }) => {
    writeFileSync(join(folder, 'shop.yaml'), vendor)
    writeFileSync(join(folder, 'review.avsc'), JSON.stringify(schema))
    writeFileSync(join(folder, 'p.yaml'), pipeline(source))
    const { problems, definitions, text } = runLint(['p.yaml'], { catalogue: corpusCatalogue, env, cwd: folder })
    expect(text).not.toContain('hush')
    return {
      definition: definitions[0],
      problems: problems.map(p => `${p.file.slice(folder.length + 1)} ${p.code} ${p.line}:${p.column}`),
      text,
    }
  }

  test('is the connector it is built on, with its fields, its fetch and its mapping', () => {
    const { definition, problems } = use('./shop.yaml: { token: "${T}", items: [a, b] }')
    expect(problems).toEqual([])
    expect(definition).toMatchObject({
      source: { connector: 'http', vendor: './shop.yaml' },
      map: { review_id: 'this.id' },
      fetch: { timeout: 20_000, retry: { attempts: 5 } },
    })
    const config = definition!.source.config as { for_each: unknown; request: { query: object; auth: object; url: string } }
    expect(config.for_each).toEqual({ item: ['a', 'b'] })
    expect(config.request).toMatchObject({ url: 'https://shop.example.com/r', query: { size: '10' } })
    expect(config.request.query).not.toHaveProperty('lang')
    expect(JSON.stringify(config.request.auth)).toBe('{"bearer":"***"}')
  })

  test('its fetch gives way to that of the pipeline, field by field', () => {
    writeFileSync(join(folder, 'shop.yaml'), good.replace('{ timeout: 20s }', '{ timeout: 20s, retry: { attempts: 2, backoff: { min: 1s } } }'))
    writeFileSync(join(folder, 'p.yaml'), `${pipeline('./shop.yaml: { token: "${T}", items: [a] }')}fetch: { timeout: 5s, retry: { backoff: { max: 3s } } }\n`)
    const { definitions } = runLint(['p.yaml'], { catalogue: corpusCatalogue, env: { T: 'hush-hush' }, cwd: folder })
    expect(definitions[0]!.fetch).toMatchObject({
      timeout: 5000,
      retry: { attempts: 2, backoff: { min: 1000, max: 3000 } },
      rate_limit: { requests: 1 },
    })
  })

  test('the login of a simulator is no secret, also as a default', () => {
    expect(use('./shop.yaml: { token: weir-demo-key, items: [a] }').problems).toEqual([])
    expect(use('./shop.yaml: { token: "${NOT_SET:-weir-demo-key}", items: [a] }').problems).toEqual([])
    expect(use('./shop.yaml: { token: "${NOT_SET:-weir-demo-keys}", items: [a] }').problems).toEqual(['p.yaml config.warning 3:25'])
  })

  test.each([
    ['a parameter that is not there', './shop.yaml: { token: "${T}", itms: [a] }', ['config.missing_field 3:3', 'config.unknown_field 3:33']],
    ['a value of another type', './shop.yaml: { token: "${T}", items: [a], size: many }', ['config.invalid 3:51']],
    ['an address that is not called', './shop.yaml: { token: "${T}", items: [a], base_url: "ftp://x" }', ['config.invalid 3:55']],
    ['a private address', './shop.yaml: { token: "${T}", items: [a], base_url: "http://10.0.0.1" }', ['config.invalid 3:55']],
    ['a value with {{', './shop.yaml: { token: "${T}", items: [a], lang: "{{ now }}" }', ['config.invalid 3:51']],
    ['a secret in plain text', './shop.yaml: { token: hush, items: [a] }', ['config.warning 3:25']],
    ['a variable that is not set', './shop.yaml: { token: "${NOT_SET}", items: [a] }', ['config.variable 3:25']],
    ['an item of a list', './shop.yaml: { token: "${T}", items: [a, {}] }', ['config.invalid 3:44']],
    ['a file that is not there', './none.yaml: { token: "${T}" }', ['config.invalid 3:3']],
    ['a file above', '../shop.yaml: { token: "${T}" }', ['config.invalid 3:3']],
    ['a file by its whole path', '/etc/shop.yaml: { token: "${T}" }', ['config.invalid 3:3']],
    ['two sources', './shop.yaml: { token: "${T}", items: [a] }\n  file: { paths: [a.json] }', ['config.invalid 4:3']],
  ])('%s is told at its place in the pipeline', (_, source, gives) => {
    expect(use(source).problems).toEqual(gives.map(each => `p.yaml ${each}`))
  })

  test('a mistake of the vendor file is told in the vendor file', () => {
    const { problems, text } = use('./shop.yaml: { token: "${T}", items: [a] }', good.replace('records: body', 'record: body'))
    expect(problems).toEqual(['shop.yaml config.unknown_field 19:5'])
    expect(text).toContain('record: body.reviews')
  })

  test('what is retired is warned of, with the reason', () => {
    const vendor = good.replace('stable', 'retired').replace('cost: None.', 'status: Switched off in May.')
    const { problems, text } = use('./shop.yaml: { token: "${T}", items: [a] }', vendor)
    expect(problems).toEqual(['p.yaml config.warning 3:3'])
    expect(text).toContain('Switched off in May.')
  })

  test('what must be agreed to is asked for', () => {
    const vendor = good.replace(
      'fetch:',
      '  i_agree: { type: boolean, must_be: true, description: I have read the terms. }\nfetch:',
    )
    const config = 'token: "${T}", items: [a]'
    expect(use(`./shop.yaml: { ${config} }`, vendor).problems).toEqual(['p.yaml config.missing_field 3:3'])
    expect(use(`./shop.yaml: { ${config}, i_agree: false }`, vendor).problems).toEqual(['p.yaml config.invalid 3:54'])
    expect(use(`./shop.yaml: { ${config}, i_agree: true }`, vendor).problems).toEqual([])
  })

  test('a symlink out of the folder is not followed', async () => {
    const { symlinkSync } = await import('node:fs')
    const outside = mkdtempSync(join(tmpdir(), 'weir-outside-'))
    writeFileSync(join(outside, 'shop.yaml'), good)
    symlinkSync(join(outside, 'shop.yaml'), join(folder, 'linked.yaml'))
    expect(use('./linked.yaml: { token: "${T}", items: [a] }').problems).toEqual(['p.yaml config.invalid 3:3'])
    rmSync(outside, { recursive: true, force: true })
  })
})
