import { describe, expect, test } from 'vitest'
import { findingsOfReading } from '../../../src/schema/provable-compatibility.ts'

const wrap = (type: unknown, more: object = {}) =>
  JSON.stringify({ type: 'record', name: 'R', namespace: 'n', fields: [{ name: 'f', type, ...more }] })
const verdict = (reader: string, writer: string) =>
  findingsOfReading(reader, writer).map(each => `${each.kind} ${each.path}`)

const color = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'Color', symbols, ...more })
const nested = (fields: unknown[], more: object = {}) => ({ type: 'record', name: 'Inner', fields, ...more })
const a = { name: 'a', type: 'int' }

describe('reading what another schema wrote', () => {
  test.each([
    ['identical types', 'string', 'string'],
    ['int as double', 'double', 'int'],
    ['long as float', 'float', 'long'],
    ['a wrapped primitive', { type: 'int' }, 'int'],
    ['a branch of the union', ['null', 'string'], 'string'],
    ['a narrower union', ['null', 'string', 'long'], ['null', 'int']],
    ['promotion into a union', ['null', 'double'], 'int'],
    ['fewer enum symbols', color(['RED', 'BLUE']), color(['RED'])],
    ['arrays of promoted items', { type: 'array', items: 'long' }, { type: 'array', items: 'int' }],
    [
      'maps of nested records',
      { type: 'map', values: nested([a, { name: 'b', type: 'int', default: 0 }]) },
      { type: 'map', values: nested([a]) },
    ],
    ['the same fixed', { type: 'fixed', name: 'F', size: 4 }, { type: 'fixed', name: 'F', size: 4 }],
    [
      'the same logical type',
      { type: 'long', logicalType: 'timestamp-millis' },
      { type: 'long', logicalType: 'timestamp-millis' },
    ],
    ['an added alias', nested([{ ...a, aliases: ['old'] }]), nested([a])],
    ['changed docs', nested([{ ...a, doc: 'new' }], { doc: 'new' }), nested([a])],
  ])('%s: proven', (_, reader, writer) => {
    expect(verdict(wrap(reader), wrap(writer))).toEqual([])
  })

  test.each([
    ['double as int', 'int', 'double', 'R.f'],
    ['null where a string is needed', 'string', ['null', 'string'], 'R.f'],
    ['an unknown enum symbol', color(['RED']), color(['RED', 'BLUE']), 'R.f'],
    ['another fixed size', { type: 'fixed', name: 'F', size: 8 }, { type: 'fixed', name: 'F', size: 4 }, 'R.f'],
    [
      'a field missing deep inside',
      { type: 'array', items: nested([a, { name: 'b', type: 'int' }]) },
      { type: 'array', items: nested([a]) },
      'R.f[].b',
    ],
    ['a record of another name', nested([a]), { ...nested([a]), name: 'Other' }, 'R.f'],
    ['an array as a map', { type: 'map', values: 'int' }, { type: 'array', items: 'int' }, 'R.f'],
    ['no fitting branch', ['null', 'string'], 'int', 'R.f'],
    ['a broken record in a union', ['null', nested([a, { name: 'b', type: 'int' }])], ['null', nested([a])], 'R.f.b'],
  ])('%s: disproven at its path', (_, reader, writer, path) => {
    expect(verdict(wrap(reader), wrap(writer))).toEqual([`incompatible ${path}`])
  })

  test.each([
    ['bytes as string', 'string', 'bytes', 'R.f'],
    ['an enum default', color(['RED'], { default: 'RED' }), color(['RED', 'BLUE']), 'R.f'],
    ['a moved namespace', nested([a], { namespace: 'other' }), nested([a]), 'R.f'],
    ['a renamed record with an alias', { ...nested([a]), name: 'New', aliases: ['Inner'] }, nested([a]), 'R.f'],
    ['a field found by its alias', nested([{ name: 'b', type: 'int', aliases: ['a'] }]), nested([a]), 'R.f.b'],
    ['a new logical type', { type: 'long', logicalType: 'timestamp-millis' }, 'long', 'R.f'],
    [
      'another scale',
      { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
      { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 3 },
      'R.f',
    ],
  ])('%s: left open at its path', (_, reader, writer, path) => {
    expect(verdict(wrap(reader), wrap(writer))).toEqual([`unproven ${path}`])
  })

  test('recursive records are followed once', () => {
    const tree = (more: unknown[]) =>
      JSON.stringify({
        type: 'record',
        name: 'Tree',
        fields: [{ name: 'children', type: { type: 'array', items: 'Tree' } }, ...more],
      })
    expect(verdict(tree([{ name: 'x', type: 'int', default: 1 }]), tree([]))).toEqual([])
    expect(verdict(tree([{ name: 'x', type: 'int' }]), tree([]))).toEqual(['incompatible Tree.x'])
  })

  test('records that use each other many times over end, unproven', () => {
    const deep = (last: string) => {
      let type: unknown = { type: 'record', name: 'L0', fields: [{ name: 'x', type: last }] }
      for (let i = 1; i < 20; i++)
        type = {
          type: 'record',
          name: `L${i}`,
          fields: [
            { name: 'a', type },
            { name: 'b', type: `L${i - 1}` },
          ],
        }
      return JSON.stringify(type)
    }
    const findings = findingsOfReading(deep('long'), deep('int'))
    expect(findings.every(each => each.kind === 'unproven')).toBe(true)
    expect(findings.length).toBeGreaterThan(0)
  })
})
