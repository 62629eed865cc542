import { describe, expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import { compileExpression } from '../../../src/mapping/expression.ts'
import { cpuMs } from '../../support/cpu-time.ts'

const run = (text: string, item: unknown = {}, more: object = {}) =>
  compileExpression(text, ['this', 'split', 'now']).evaluate({ this: item, split: {}, now: 0, ...more })

function refusal(work: () => unknown): WeirError {
  try {
    work()
  } catch (error) {
    if (error instanceof WeirError) return error
    throw error
  }
  throw new Error('accepted')
}

describe('values', () => {
  test.each<[string, unknown, unknown]>([
    ['this.a.b', { a: { b: 1 } }, 1],
    ['this.a[1]', { a: [1, 2] }, 2],
    ['this["odd name"]', { 'odd name': 1 }, 1],
    ['this.n', { n: null }, null],
    ['this.?a', {}, null],
    ['this.?a.?b.?c', { a: null }, null],
    ['this.?a.b', {}, null],
    ['this.?a.orValue("x")', {}, 'x'],
    ['this[?"a"]', {}, null],
    ['this.a[?5]', { a: [1] }, null],
    ['has(this.a)', { a: null }, true],
    ['has(this.a.b.c)', { a: {} }, false],
    ['"a" in this', { a: 1 }, true],
    ['"toString" in this', {}, false],
    ['this.a == null ? "none" : this.a', { a: null }, 'none'],
    ['this.a != "" ? trim(this.a) : null', { a: '' }, null],
    ['this.votes + 1', { votes: 2 }, 3],
    ['2 * this.votes - 0.5', { votes: 2 }, 3.5],
    ['this.id % 2', { id: 5 }, 1],
    ['this.votes > 1 && this.votes < 2.5', { votes: 2 }, true],
    ['this.votes == 2', { votes: 2 }, true],
    ['this.votes in [1, 2]', { votes: 2 }, true],
    ['string(1401351468000.0)', {}, '1401351468000'],
    ['string(this.t)', { t: 1401351468000 }, '1401351468000'],
    ['string(this.t)', { t: 12345678901234567890n }, '12345678901234567890'],
    ['int(this.v)', { v: 2.9 }, 2n],
    ['duration("90s")', {}, 90_000],
    ['uint("7")', {}, 7n],
    ['type(1)', {}, 'int'],
    ['this.l.filter(x, x > 1).map(x, x * 2)', { l: [1, 2, 3] }, [4, 6]],
    ['this.l.exists(x, x.ok)', { l: [{ ok: false }, { ok: true }] }, true],
    ['this.a == {"x": [1, 2]}', { a: { x: [1, 2] } }, true],
    ['this.a.matches("^b+$")', { a: 'bbb' }, true],
    ['this.?a.lower()', {}, null],
    ['this.a.strip_html().truncate(2)', { a: '<b>xyz</b>' }, 'xy'],
    ['regex_find(this.a, "[0-9]+") == null', { a: 'x' }, true],
    ['parse_date(this.?a) != null', { a: '2024-01-05' }, true],
    ['this.?a == null', {}, true],
    ['this.?a == "x"', { a: 'x' }, true],
    ['lower(regex_find(this.a, "[0-9]+"))', { a: 'x' }, null],
    ['regex_match(this.?a, "x")', {}, false],
    ['this.?a.matches("x")', {}, false],
    ['cel.bind(x, this.a, x + x)', { a: 'y' }, 'yy'],
  ])('%s', (text, item, gives) => {
    expect(run(text, item)).toEqual(gives)
  })

  test('an item with fields named like members of every object is read like any other', () => {
    const item = JSON.parse('{"constructor":"c","__proto__":{"x":1},"hasOwnProperty":2,"id":"i"}')
    expect(run('this.id', item)).toBe('i')
    expect(run('this.constructor + this.id', item)).toBe('ci')
    expect(run('this.hasOwnProperty + 1', item)).toBe(3)
    expect(run('has(this.zz) ? "a" : this.id', item)).toBe('i')
    expect(run('this["__proto__"].x', item)).toBe(1)
  })

  test('the type is known before anything runs', () => {
    const types = [
      'this.a',
      '"a"',
      '1',
      '1.5',
      'trim(this.a)',
      'null',
      '[1]',
      'votes(this.a)',
      'this.a > 1',
      'parse_date("x")',
    ]
    expect(types.map(text => compileExpression(text, ['this']).type)).toEqual([
      'dyn',
      'string',
      'int',
      'double',
      'dyn<string>',
      'null',
      'list<int>',
      'dyn<int>',
      'bool',
      'dyn<google.protobuf.Timestamp>',
    ])
  })

  test('variables may have types', () => {
    expect(compileExpression('now', { now: 'double' }).type).toBe('double')
    expect(refusal(() => compileExpression('now + "a"', { now: 'double' })).message).toContain('double + string')
  })
})

describe('inherited members', () => {
  test.each([
    'this.toString',
    'this.constructor',
    'this.__proto__',
    'this["constructor"]',
    'this.a.length',
    'this.l.length',
    'this.l.constructor',
    'this.l["push"]',
    'this.d.getTime',
    'timestamp("2024-01-01T00:00:00Z").constructor',
    'duration("1s")["__proto__"]',
    'cel.constructor',
    'optional.constructor',
    'type(1).constructor',
    'this.b.buffer',
    'google.constructor',
    'split.constructor',
  ])('%s is not there', text => {
    const item = { a: 'x', l: [1], d: new Date(0), b: new Uint8Array(1) }
    expect(refusal(() => run(text, item)).code).toBe('map.failed')
    expect(run(text.replace(/\.(\w+)$/, '.?$1').replace(/\["(\w+)"\]$/, '[?"$1"]'), item)).toBeNull()
  })
})

describe('compile errors', () => {
  test.each<[string, string, string, string]>([
    ['thiss.id', 'column 1', 'no variable thiss', 'Did you mean this?'],
    ['rating', 'column 1', 'no variable rating', 'this.rating'],
    ['this.a + lowr(this.b)', 'column 10', 'no function lowr', 'Did you mean lower?'],
    ['this.a.trimm()', 'column 1', 'no method trimm', 'Did you mean trim?'],
    ['trim(1)', 'column 1', 'trim(int) is not possible', 'trim(string): string'],
    ['"a" + 1', 'column 1', 'string + int', 'Convert'],
    ['this.a +', 'column 9', 'unexpected token', 'reference'],
    ['this.a &&\n  "x" + 1', 'line 2, column 3', 'string + int', 'Convert'],
    ['true ? 1 : "a"', 'column 1', 'same type', 'Convert'],
    ['this.a.matches("(?=x)")', 'column 16', 'not a regular expression of RE2', 'look-around'],
    ['regex_find(this.a, "(a{1000}){1000}")', 'column 20', 'not a regular expression of RE2', '1000'],
    ['this.if', 'column 1', '', ''],
    ['', '', 'empty', 'CEL'],
    [`this.a${' + 1'.repeat(3000)}`, '', 'longer than 8192', ''],
    [`${'('.repeat(500)}1${')'.repeat(500)}`, 'column 49', 'too large or nests too deep', 'Split'],
    [`[${'1,'.repeat(1500)}1]`, '', 'too large', 'Split'],
  ])('%s', (text, at, message, hint) => {
    if (text === 'this.if') return expect(run(text, { if: 1 })).toBe(1)
    const error = refusal(() => compileExpression(text, ['this']))
    expect(error.code).toBe('config.expression')
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('\n')
    if (at) expect(error.at).toBe(at)
    expect(error.hint ?? '').toContain(hint)
  })
})

describe('evaluation errors', () => {
  test.each<[string, unknown, string]>([
    ['this.canary', {}, 'there is no field canary'],
    ['string(this.a.b)', { a: {} }, 'at column 15: there is no field b'],
    ['this[this.a]', { a: 'secret' }, 'no such field or item'],
    ['int(this.a)', { a: 'secret' }, 'cannot become an int'],
    ['bool(this.a)', { a: 'secret' }, 'cannot become a bool'],
    ['duration(this.a)', { a: 'secret' }, 'not a duration'],
    ['this.a + 1', { a: 'secret' }, 'string + int'],
    ['"x" + regex_find(this.a, "[0-9]+")', { a: 'secret' }, 'string + null'],
    ['trim(this.a)', { a: 5 }, 'trim(double)'],
    ['this.a ? 1 : 2', { a: 'secret' }, 'not true or false'],
    ['this.a && true', { a: 'secret' }, 'not true or false'],
    ['1 / this.a', { a: 0n }, 'division by zero'],
    ['this.a.getHours(this.b)', { a: new Date(0), b: 'secret/zone' }, 'out of range'],
    ['this.a.matches(this.b)', { a: 'secret', b: '(' }, 'not a regular expression'],
    ['json_parse(this.a)', { a: '{secret' }, 'not JSON'],
    ['this.a.exists(x, x > 1)', { a: ['secret'] }, ''],
  ])('%s says what is wrong without data', (text, item, message) => {
    const error = refusal(() => run(text, item))
    expect(error.code).toBe('map.failed')
    expect(error.message).toContain(message)
    expect(`${error.message} ${error.hint} ${error.at}`).not.toContain('secret')
  })
})

describe('bounds', () => {
  const list = Array.from({ length: 2000 }, (_, i) => i)
  const long = 'ab '.repeat(700_000)
  test.each<[string, unknown]>([
    ['this.l.map(a, this.l.map(b, this.l.map(c, a + b + c)))', { l: list }],
    ['this.l.map(a, sha256(this.s))', { l: list, s: long }],
    ['this.l.map(a, this.s.split(" ")).size()', { l: list, s: long }],
    ['this.l.map(a, this.s).join("")', { l: list, s: long }],
    ['cel.bind(a, this.s + this.s, cel.bind(b, a + a, cel.bind(c, b + b, c + c)))', { s: long }],
    [
      'cel.bind(a, this.l + this.l, cel.bind(b, a + a, cel.bind(c, b + b, cel.bind(d, c + c, cel.bind(e, d + d, e + e + e + e)))))',
      { l: list },
    ],
    ['this.s.contains(this.s + "x")', { s: long }],
    ['replace(this.s, "a", this.s)', { s: long }],
    ['this.s.split("")', { s: long }],
    ['regex_replace(this.s, "", this.s)', { s: long }],
    ['this.l.exists(x, this.s.matches("(a|b| )*c"))', { l: list, s: long }],
    ['this.l.map(x, this.l == this.m)', { l: list, m: [...list] }],
    ['this.l.map(x, this.d.getHours("Europe/Berlin"))', { l: list, d: new Date(0) }],
    ['this.l.filter(x, x in this.l.map(y, y + 0.5)).size()', { l: list }],
    ['duration(this.s)', { s: '1'.repeat(100_000) }],
    ['html_unescape(this.s).size()', { s: '&'.repeat(3_000_000) }],
    ['strip_html(this.s).size()', { s: '<p>'.repeat(700_000) }],
    ['trim(this.s).size()', { s: `a${' '.repeat(2_000_000)}b` }],
    ['collapse(this.s).size()', { s: `a${' '.repeat(2_000_000)}b` }],
    ['clean_text(this.s).size()', { s: '<b> \u00a0</b>'.repeat(200_000) }],
    ['parse_date(this.s)', { s: '1 '.repeat(900) }],
    ['number(this.s)', { s: '1,'.repeat(200) }],
    ['stars(this.s)', { s: '1 '.repeat(500_000) }],
    ['first_number(this.s)', { s: '1.'.repeat(500_000) }],
  ])('%s ends soon, whatever it says', (text, item) => {
    const expression = compileExpression(text, ['this'])
    const startedMs = cpuMs()
    try {
      expression.evaluate({ this: item })
    } catch (error) {
      expect((error as WeirError).code).toBe('map.failed')
    }
    expect(cpuMs() - startedMs).toBeLessThan(2000)
  })

  test('a budget used up says so and the next evaluation has its own', () => {
    const expression = compileExpression('this.l.map(a, this.l.map(b, a + b)).size()', ['this'])
    const error = refusal(() => expression.evaluate({ this: { l: Array.from({ length: 5000 }, (_, i) => i) } }))
    expect(error.message).toContain('more work than one record may cost')
    expect(expression.evaluate({ this: { l: [1, 2] } })).toBe(2n)
  })
})
