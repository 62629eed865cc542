import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileExpression } from '../../../src/mapping/expression.ts'
import { mappingFunctions } from '../../../src/mapping/functions/catalogue.ts'
import { mappingReference, signatureOf } from '../../../src/mapping/reference.ts'
import { toJson } from '../../../src/schema/json.ts'

const run = (text: string, item: unknown = {}) => compileExpression(text, ['this']).evaluate({ this: item })

describe('every function', () => {
  for (const fn of mappingFunctions)
    test.each(fn.examples.map(each => [each.expression, each] as const))(
      '%s',
      (_, { expression, this: item, gives }) => {
        expect(toJson(run(expression, item ?? {}))).toEqual(gives)
      },
    )

  test('has an example, under its own name', () => {
    const names = [...new Set(mappingFunctions.map(fn => fn.name))]
    const lacking = names.filter(
      name =>
        !mappingFunctions.some(
          fn => fn.name === name && fn.examples.some(each => each.expression.includes(`${name}(`)),
        ),
    )
    expect(lacking).toEqual([])
  })

  test('gives null for null and for missing, where it says so', () => {
    for (const fn of mappingFunctions.filter(each => each.nullGivesNull)) {
      const rest = fn.parameters.slice(1).map(({ type }) => (type === 'int' ? '1' : "'x'"))
      expect(run(`${fn.name}(${['this.n', ...rest].join(', ')})`, { n: null }), fn.name).toBeNull()
      expect(run(`${fn.name}(${['this.?q', ...rest].join(', ')})`), fn.name).toBeNull()
    }
  })

  test('stands on the reference page with its signature', () => {
    const page = mappingReference()
    for (const fn of mappingFunctions.filter(each => each.examples.length > 0))
      expect(page).toContain(`### \`${signatureOf(fn)}\``)
  })
})

describe('numbers', () => {
  test.each<[string, string | null, number | 'refused']>([
    ['12', null, 12],
    ['-3', null, -3],
    ['+3', null, 3],
    ['4.50', null, 4.5],
    ['.5', null, 0.5],
    ['1e3', null, 1000],
    ['1.234.567', null, 1234567],
    ['1,234,567', null, 1234567],
    ['1.234,5', null, 1234.5],
    ["1'234.5", null, 1234.5],
    ['1 234,5', null, 1234.5],
    ['1,234', null, 'refused'],
    ['12,34,567', null, 1234567],
    ['1,2,3', null, 'refused'],
    ['1.2.3', null, 'refused'],
    ['', null, 'refused'],
    ['abc', null, 'refused'],
    ['12abc', null, 'refused'],
    ['0x10', null, 'refused'],
    ['NaN', null, 'refused'],
    ['Infinity', null, 'refused'],
    ['1,234', 'en', 1234],
    ['1,234', 'de', 1.234],
    ['1.234', 'de', 1234],
    ['1.234', 'en', 1.234],
    ['4.5', 'de', 'refused'],
    ['1,5', 'en', 'refused'],
    ['1\u202f234,5', 'fr', 1234.5],
    ['1.234,5', 'es', 1234.5],
    ['1,234.5', 'es-MX', 1234.5],
    ["1'234", 'de-CH', 1234],
    ['−5', null, -5],
    ['1', 'xx', 'refused'],
    ['1e999', null, 'refused'],
  ])('%j in %s is %s', (written, locale, value) => {
    const text = locale === null ? 'number(this.v)' : `number(this.v, '${locale}')`
    if (value === 'refused')
      expect(() => run(text, { v: written })).toThrow(expect.objectContaining({ code: 'map.failed' }))
    else expect(run(text, { v: written })).toBe(value)
  })

  test('whole refuses what int cuts', () => {
    expect(run('int(this.v)', { v: 2.9 })).toBe(2n)
    expect(() => run('whole(this.v)', { v: 2.9 })).toThrow('fraction')
    expect(run("whole('9223372036854775807')")).toBe(2n ** 63n - 1n)
    expect(() => run("whole('9223372036854775808')")).toThrow('64 bits')
    expect(() => run('round(this.v)', { v: Number.NaN })).toThrow('64 bits')
  })
})

describe('sentences of review sites', () => {
  test.each<[string, number]>([
    ['1,234 people found this helpful', 1234],
    ['One person found this helpful', 1],
    ['12 people found this helpful', 12],
    ['Eine Person fand diese Informationen hilfreich', 1],
    ['1.234 Personen fanden diese Informationen hilfreich', 1234],
    ['Une personne a trouvé cela utile', 1],
    ['1 234 personnes ont trouvé cela utile', 1234],
    ['1\u202f234 personnes ont trouvé cela utile', 1234],
    ['1\u00a0234 personnes', 1234],
    ['A una persona le resultó útil', 1],
    ['A 1.234 personas les resultó útil', 1234],
    ['12 personas encontraron esto útil', 12],
    ["Una persona l'ha trovato utile", 1],
    ['Eén persoon vond dit nuttig', 1],
    ['12 mensen vonden dit nuttig', 12],
    ['Uma pessoa achou isso útil', 1],
    ['12 pessoas acharam isso útil', 12],
    ['12人のお客様が…', 12],
    ['', 0],
    ['7', 7],
  ])('votes of %j', (sentence, value) => {
    expect(run('votes(this.v)', { v: sentence })).toBe(BigInt(value))
  })

  test.each<[string, number | null]>([
    ['5.0 out of 5 stars', 5],
    ['5,0 von 5 Sternen', 5],
    ['4,6 sur 5', 4.6],
    ['3,0 de 5 estrellas', 3],
    ['5,0 su 5 stelle', 5],
    ['4,0 van 5 sterren', 4],
    ['5,0 z 5 gwiazdek', 5],
    ['5 yıldız üzerinden 3,0', 3],
    ['5つ星のうち4.0', 4],
    ['4.0 颗星，最多 5 颗星', 4],
    ['a-icon a-icon-star a-star-2', 2],
    ['a-icon-star-small a-star-small-4-5', 4.5],
    ['none', null],
  ])('stars of %j', (sentence, value) => {
    expect(run('stars(this.v)', { v: sentence })).toBe(value)
  })

  test.each<[string, string | null]>([
    ['Reviewed in the United States on January 5, 2024', 'United States'],
    ['Reviewed in the United Kingdom 🇬🇧 on 28 December 2023', 'United Kingdom'],
    ['Rezension aus Deutschland 🇩🇪 vom 1. Dezember 2023', 'Deutschland'],
    ['Rezension aus den Vereinigten Staaten vom 12. April 2021', 'Vereinigten Staaten'],
    ['Commenté en France le 1er août 2023', 'France'],
    ['Commenté aux États-Unis le 5 janvier 2024', 'États-Unis'],
    ['Revisado en España el 5 de enero de 2024', 'España'],
    ['Opinión emitida en México el 5 de enero de 2024', 'México'],
    ['Recensito in Italia il 5 gennaio 2024', 'Italia'],
    ['Recensito nel Regno Unito il 5 gennaio 2024', 'Regno Unito'],
    ['Beoordeeld in Nederland 🇳🇱 op 5 januari 2024', 'Nederland'],
    ['Beoordeeld in de Verenigde Staten op 5 januari 2024', 'Verenigde Staten'],
    ['Avaliado no Brasil em 5 de janeiro de 2024', 'Brasil'],
    ['Recenserad i Sverige den 5 januari 2024', 'Sverige'],
    ['Recenzja z Polski z dnia 5 stycznia 2024', 'Polski'],
    ['2024年1月5日に日本でレビュー済み', '日本'],
    ['2024年1月5日 在美国审核', '美国'],
    ['on January 5, 2018', null],
    ['5. Januar 2024', null],
    ['', null],
  ])('country in %j', (sentence, value) => {
    expect(run('review_country(this.v)', { v: sentence })).toBe(value)
  })

  test.each<[string, string | null]>([
    ['Works well.Read more', 'Works well.'],
    ['Works well.\nRead more', 'Works well.'],
    ['Gut. Mehr lesen', 'Gut.'],
    ['Gut.\nLesen Sie weiter', 'Gut.'],
    ['Bien. Lire la suite', 'Bien.'],
    ['Bien. En lire plus', 'Bien.'],
    ['Bueno. Leer más ', 'Bueno.'],
    ['良い。続きを読む', '良い。'],
    ['I want to read more', 'I want to read more'],
    ['Read more about it on their site.', 'Read more about it on their site.'],
    ['The media could not be loaded.', null],
    ['The media could not be loaded.  Nice lamp', 'Nice lamp'],
    ['P.when("A").execute(function(A) {})', null],
    ['(function() { var a })()', null],
    ['Read more', null],
    ['  ', null],
  ])('body %j', (body, value) => {
    expect(run('review_body(this.v)', { v: body })).toBe(value)
  })

  test.each<[string, string | null]>([
    ['Reviewed in the United States on January 5, 2024', '2024-01-05'],
    ['Reviewed in the United Kingdom on 5 January 2024', '2024-01-05'],
    ['Reviewed in the United Kingdom 🇬🇧 on 5 January 2024', '2024-01-05'],
    ['Rezension aus Deutschland vom 5. März 2024', '2024-03-05'],
    ['Commenté en France le 1er août 2023', '2023-08-01'],
    ['Revisado en España el 5 de enero de 2024', '2024-01-05'],
    ['Recensito in Italia il 5 gennaio 2024', '2024-01-05'],
    ['Beoordeeld in Nederland op 5 mei 2024', '2024-05-05'],
    ['Avaliado no Brasil em 5 de dezembro de 2024', '2024-12-05'],
    ['Recenserad i Sverige den 5 oktober 2024', '2024-10-05'],
    ['Recenzja z Polski z dnia 5 października 2024', '2024-10-05'],
    ['2024年1月5日に日本でレビュー済み', '2024-01-05'],
    ['on January 5, 2018', '2018-01-05'],
    ['2024-02-30', null],
    ['31 February 2024', null],
    ['0000-00-00', null],
    ['2024-01-05 23:59:59', '2024-01-05'],
    ['2024-01-05T23:30:00-02:00', '2024-01-06'],
    ['05 3, 2014', '2014-05-03'],
    ['2014/5/3', '2014-05-03'],
    ['5 Marvels 2024', '2024-03-05'],
    ['nothing', null],
  ])('date in %j', (sentence, value) => {
    expect(run('parse_date(this.v) == null ? null : iso_date(parse_date(this.v))', { v: sentence })).toBe(value)
  })
})

describe('html', () => {
  test.each<[string, string]>([
    ['a<br>b<br/>c', 'a\nb\nc'],
    ['<p>a</p><p>b</p>', 'a\nb\n'],
    ['a<script>x < 1</script>b', 'ab'],
    ['a<style>x</style >b', 'ab'],
    ['1 < 2 &amp; 3 > 2', '1 < 2 & 3 > 2'],
    ['a<!-- x > y -->b', 'ab'],
    ['<!-- never', ''],
    ['a<b', 'a'],
    ['&#128512;&#x1F600;', '😀😀'],
    ['&#0;&#xD800;&#1114112;', '\ufffd\ufffd\ufffd'],
    ['&bogus; &amp;lt;', '&bogus; &lt;'],
    ['&#150;', '–'],
    ['<![CDATA[x]]>y', 'y'],
    ['&__proto__;&constructor;', '&__proto__;&constructor;'],
  ])('%j', (html, value) => {
    expect(run('strip_html(this.v)', { v: html })).toBe(value)
  })
})

test('cutting never leaves half a character', () => {
  expect(run('truncate(this.v, 3)', { v: 'ab😀' })).toBe('ab')
  expect(() => run('truncate(this.v, -1)', { v: 'ab' })).toThrow('from 0')
})

const samples = join(import.meta.dirname, '../../../../shared/sources/samples')

test.skipIf(!existsSync(samples))('ids of items without one are those of the samples', () => {
  const linesOf = (file: string) =>
    readFileSync(join(samples, file), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  const expected = linesOf('EXPECTED.jsonl').filter(line => line.raw.review_id.startsWith('h:'))
  const pages = expected.filter(line => line.file.startsWith('scrape/'))
  expect(pages.length).toBeGreaterThan(0)
  const overFields =
    'review_hash(this.product_asin, this.reviewer_name, this.review_date, this.review_title, this.review_text)'
  for (const { raw } of pages) expect(run(overFields, raw)).toBe(raw.review_id)
  for (const [file, expression] of [
    ['datasets/mcauley_2023.jsonl', "fallback_id(['mcauley2023', this.user_id, this.asin, this.timestamp])"],
    ['datasets/mcauley_2018.jsonl', "fallback_id(['mcauley2018', this.reviewerID, this.asin, this.unixReviewTime])"],
  ] as const)
    expect(linesOf(file).map(line => run(expression, line))).toEqual(
      expected.filter(line => line.file === file).map(line => line.raw.review_id),
    )
})
