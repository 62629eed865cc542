import { expect, test } from 'vitest'
import { escapeActing, escapeActingInJson, maskActing } from '../../../src/core/printable.ts'

const acting = [
  '\u0000',
  '\u001b',
  '\u007f',
  '\u009b',
  '\u061c',
  '\u200b',
  '\u200d',
  '\u2028',
  '\u202e',
  '\u2066',
  '\ufeff',
]
const name = (character: string) => `U+${character.charCodeAt(0).toString(16).padStart(4, '0')}`

test.each(acting.map(each => [name(each), each]))('I9: %s is shown, not obeyed', (_, character) => {
  const shown = `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  expect(escapeActing(`a${character}b`)).toBe(`a${shown}b`)
  expect(maskActing(`a${character}b`)).toBe('a\ufffdb')
  const json = JSON.stringify({ text: `a${character}b` })
  expect(escapeActingInJson(json)).toBe(`{"text":"a${shown}b"}`)
  expect(JSON.parse(escapeActingInJson(json))).toEqual(JSON.parse(json))
})

test('what only writes stays as it is', () => {
  const text = 'Grüße, 日本 😀 e\u0301'
  expect([escapeActing(text), maskActing(text), escapeActingInJson(`${text}\n`)]).toEqual([text, text, `${text}\n`])
})

test('half a surrogate pair is shown; a whole one is a character', () => {
  expect(escapeActing('\ud83d|\ud83d\ude00')).toBe('\\ud83d|😀')
})

test('a masked line keeps its columns', () => {
  const line = 'a\tb\u001b[31m\ud83d'
  expect(maskActing(line)).toHaveLength(line.length)
  expect(maskActing('a\tb\nc')).toBe('a b c')
})
