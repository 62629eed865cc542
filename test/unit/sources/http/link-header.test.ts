import { expect, test } from 'vitest'
import { linkWithRel } from '../../../../src/sources/http/link-header.ts'

test.each([
  ['<https://a/2>; rel="next"', 'https://a/2'],
  ['<https://a/1>; rel="prev", <https://a/3>; rel="next"', 'https://a/3'],
  ['<https://a/1,2;3>; rel=next', 'https://a/1,2;3'],
  ['<https://a/9>; title="x, rel=\\"next\\""; rel=last, <b>; rel="other NEXT"', 'b'],
  ['<a>; Rel = "next" ; type="x"', 'a'],
  ['<a>; rel=prev; rel=next, <b>; rel=next', 'b'],
  ['  ,<a>;rel=next', 'a'],
])('%s', (header, target) => expect(linkWithRel(header, 'next')).toBe(target))

test.each([
  undefined,
  '',
  '<a>',
  '<a>; rel=nextish',
  'https://a; rel=next',
  '<a; rel=next',
  '<a>; x="rel=next"',
  ',,,;;;',
  '<a>;'.repeat(10_000),
])('%s has none', header => expect(linkWithRel(header, 'next')).toBeUndefined())
