import { describe, expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import { hasMoreItemsThan } from '../../../src/core/json-scan.ts'
import { decodeUtf8, isObject, jsonOf, maxJsonDepth, parseJson, spanOf } from '../../../src/core/json-text.ts'

function errorOf(work: () => unknown): WeirError {
  try {
    work()
  } catch (thrown) {
    if (thrown instanceof WeirError) return thrown
    throw thrown
  }
  throw new Error('nothing was thrown')
}

describe('parseJson', () => {
  test('keeps integers beyond 2^53 exact and leaves the others numbers', () => {
    expect(parseJson('[9007199254740991,9007199254740993,-9223372036854775808,1,-0,1.5,1e3]')).toEqual([
      9007199254740991,
      9007199254740993n,
      -9223372036854775808n,
      1,
      -0,
      1.5,
      1000,
    ])
  })

  test('finds a long integer at every alignment', () => {
    for (let pad = 0; pad < 40; pad++)
      expect(parseJson(`{"${'x'.repeat(pad)}": 12345678901234567}`)).toEqual({ ['x'.repeat(pad)]: 12345678901234567n })
  })

  test('keeps a 400-digit integer and refuses one of 1,001 digits', () => {
    expect(parseJson('7'.repeat(400))).toBe(BigInt('7'.repeat(400)))
    expect(errorOf(() => parseJson(`{"a":${'7'.repeat(1001)}}`))).toMatchObject({
      code: 'source.invalid_json',
      at: 'line 1, column 6',
    })
  })

  test.each(['1e400', '-1e400', '[1.5E+999]', '{"a": 12.25e1000}', `${'9'.repeat(310)}.5`])(
    'refuses %s instead of making it Infinity',
    text => expect(errorOf(() => parseJson(text)).code).toBe('source.invalid_json'),
  )

  test.each([
    '"7e123 is a hash"',
    '"id:7e400"',
    '"1234567890123456789"',
    '{"7e400":"7e400"}',
    '0.1234567890123456789',
    '1e-400',
  ])('takes %s as JSON.parse does', text => expect(parseJson(text)).toEqual(JSON.parse(text)))

  test('__proto__ and constructor are keys like others', () => {
    const value = parseJson(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"n":12345678901234567}',
    )
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor', 'n'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('of a key that stands twice the last one counts', () => expect(parseJson('{"a":1,"a":2}')).toEqual({ a: 2 }))

  test('refuses nesting beyond its limit and takes the limit itself', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseJson(nested(maxJsonDepth))).toBeDefined()
    for (const depth of [maxJsonDepth + 1, 100_000, 10_000_000])
      expect(errorOf(() => parseJson(nested(depth))).message).toContain('nests deeper')
    expect(parseJson(JSON.stringify('['.repeat(1000)))).toBe('['.repeat(1000))
  })

  test.each<[name: string, text: string, at: string, hint: RegExp]>([
    ['an empty text', '', 'line 1, column 1', /anything at all/],
    ['white space', ' \n ', 'line 2, column 2', /anything at all/],
    ['a truncated object', '{"a": [1, 2', 'line 1, column 12', /cut off/],
    ['a truncated string', '{"a": "hel', 'line 1, column 11', /cut off/],
    ['a truncated literal', '{"a": tru', 'line 1, column 10', /cut off/],
    ['a trailing comma', '{"a": 1,\n}', 'line 1, column 8', /last comma/],
    ['single quotes', "{'a': 1}", 'line 1, column 2', /Python/],
    ['a comment', '{"a": 1 /* x */}', 'line 1, column 9', /no comments/],
    ['NaN', '{"a": NaN}', 'line 1, column 7', /no such numbers/],
    ['-Infinity', '[-Infinity]', 'line 1, column 2', /no such numbers/],
    ['undefined', '[undefined]', 'line 1, column 2', /double quotes/],
    ['a page', '\n<!doctype html>', 'line 2, column 1', /page/],
    ['NUL in a string', '["a\u0000b"]', 'line 1, column 4', /escaped/],
    ['a bad escape', '["\\x41"]', 'line 1, column 3', /backslash/],
    ['a bad \\u escape', '["\\u12G4"]', 'line 1, column 3', /backslash/],
    ['a leading zero', '[012]', 'line 1, column 2', /leading zeros/],
    ['a plus sign', '[+1]', 'line 1, column 2', /plus/],
    ['a key without quotes', '{a: 1}', 'line 1, column 2', /double quotes/],
    ['no colon', '{"a" 1}', 'line 1, column 6', /"key": value/],
    ['no comma', '[1\n 2]', 'line 2, column 2', /commas/],
    ['a lone comma', '[,]', 'line 1, column 2', /before this place/],
    ['two values', '{"a":1}\n{"a":2}', 'line 2, column 1', /NDJSON/],
  ])('says where %s is wrong and what to do', (_name, text, at, hint) => {
    const error = errorOf(() => parseJson(text))
    expect(error).toMatchObject({ code: 'source.invalid_json', at })
    expect(error.hint).toMatch(hint)
  })

  test('I9: an error shows nothing of the payload', () => {
    const error = errorOf(() => parseJson('{"token": "s3cr3t-value", oops}'))
    expect(`${error.message} ${error.at} ${error.hint}`).not.toMatch(/s3cr3t|oops/)
  })

  test('counts lines from where the text begins', () => {
    expect(errorOf(() => parseJson('{\n"a": x}', { name: 'data/a.jsonl', line: 17 })).at).toBe('data/a.jsonl:18:6')
  })
})

describe('spanOf', () => {
  const cut = (text: string, pick: (root: never) => unknown) => {
    const root = parseJson(text)
    const span = spanOf(text, root, pick(root as never))
    return span && text.slice(span.start, span.end)
  }

  test('cuts out the original text of an item', () => {
    const text = ' { "page": 1, "reviews": [ {"id" : "a\\"]", "n": 1.0}, {"id":"b",\n "x": [ 1 ]} ] } '
    expect(cut(text, (r: { reviews: object[] }) => r.reviews[0])).toBe('{"id" : "a\\"]", "n": 1.0}')
    expect(cut(text, (r: { reviews: object[] }) => r.reviews[1])).toBe('{"id":"b",\n "x": [ 1 ]}')
    expect(cut(text, r => r)).toBe(text.trim())
  })

  test('of a key that stands twice takes the last, and knows escaped keys', () => {
    expect(cut('{"a":{"n":1},"\\u0061":{"n":2}}', (r: { a: object }) => r.a)).toBe('{"n":2}')
    expect(cut('{"__proto__":{"n":1}}', r => (r as Record<string, unknown>)['__proto__'])).toBe('{"n":1}')
  })

  test('finds nothing for what is not in the text', () => {
    expect(cut('{"a":{}}', () => ({}))).toBeUndefined()
    expect(cut('{"a":1}', (r: { a: number }) => r.a)).toBeUndefined()
    expect(spanOf('1', 1, {})).toBeUndefined()
  })

  test('finds all of 20,000 failing items of one page in little time', () => {
    const text = JSON.stringify({ reviews: Array.from({ length: 20_000 }, (_, id) => ({ id })) })
    const root = parseJson(text) as { reviews: { id: number }[] }
    for (const review of root.reviews) {
      const span = spanOf(text, root, review)!
      if (text.slice(span.start, span.end) !== `{"id":${review.id}}`) throw new Error(`wrong span for ${review.id}`)
    }
  })
})

describe('decodeUtf8', () => {
  test('leaves out a byte order mark at the start only', () =>
    expect(decodeUtf8(Buffer.from('\ufeffa\ufeff'))).toBe('a\ufeff'))

  test.each<[bytes: number[], offset: number]>([
    [[0x61, 0xff], 1],
    [[0xc3, 0x28], 0],
    [[0x61, 0x62, 0xe2, 0x82], 2],
    [[0xed, 0xa0, 0x80], 0],
    [[0xf0, 0x9f, 0x98, 0x80, 0xc0, 0x80], 4],
  ])('names the first bad byte of %j', (bytes, offset) => {
    const error = errorOf(() => decodeUtf8(Buffer.from(bytes), 'a.json:1'))
    expect(error).toMatchObject({ code: 'source.invalid_text', at: 'a.json:1' })
    expect(error.message).toBe(`Not valid UTF-8 at byte ${offset}`)
  })

  test('names the first bad byte of a long text', () => {
    const good = Buffer.from('é€😀x'.repeat(5000))
    for (const at of [0, 1, 10, 4999]) {
      const bytes = Buffer.concat([good.subarray(0, at * 10), Buffer.from([0xff]), good])
      expect(errorOf(() => decodeUtf8(bytes)).message).toBe(`Not valid UTF-8 at byte ${at * 10}`)
    }
  })

  test('knows UTF-16', () =>
    expect(errorOf(() => decodeUtf8(Buffer.from([0xff, 0xfe, 0x61, 0]))).hint).toMatch(/UTF-16/))
})

describe('jsonOf', () => {
  test('writes big integers exactly and bytes as Base64', () => {
    const value = { offset: 9_223_372_036_854_775_807n, bytes: new Uint8Array([1, 2]) }
    expect(jsonOf(value)).toBe('{"offset":9223372036854775807,"bytes":"AQI="}')
    expect(jsonOf([1n], 2)).toBe('[\n  1\n]')
    expect(jsonOf(undefined)).toBe('null')
  })
})

test.each([
  [{}, true],
  [Object.create(null), true],
  [[], false],
  [null, false],
  ['{}', false],
  [undefined, false],
])('%j is an object of JSON: %s', (value, expected) => {
  expect(isObject(value)).toBe(expected)
})

test('items are counted outside strings only', () => {
  expect(hasMoreItemsThan('{"a":[1,2],"b":"[,[,{,\\",["}', 4)).toBe(false)
  expect(hasMoreItemsThan('{"a":[1,2],"b":"[,[,{,\\",["}', 3)).toBe(true)
  expect(hasMoreItemsThan('"never closed [[[', 0)).toBe(false)
})
