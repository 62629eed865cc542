import { expect, test } from 'vitest'
import { pathsRead } from '../../../src/mapping/paths.ts'

const schema = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'id', type: 'string' }] })

test('a mapping reads the paths of its expressions, with those above them; texts are none', () => {
  const map = { a: 'this.id', b: 'default(this.?author.?name, "this.other")', c: 'trim(this.title) + split.asin' }
  expect(pathsRead(map, schema)).toEqual(['id', 'author', 'author.name', 'title'])
})

test('without a mapping the fields of the schema are read', () => {
  expect(pathsRead(null, schema)).toEqual(['id'])
})
