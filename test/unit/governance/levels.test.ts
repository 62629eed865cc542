import { describe, expect, test } from 'vitest'
import { breaksLevel, checkHistory, checkLevel } from '../../../src/governance/levels.ts'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'
import { compatibilityLevels } from '../../../src/schema/compatibility-level.ts'

const schema = (...fields: readonly object[]) => parseNamedSchema(JSON.stringify({ type: 'record', name: 'R', fields }))
const a = { name: 'a', type: 'string' }
const b = { name: 'b', type: 'int' }
const optional = { name: 'b', type: 'int', default: 0 }
const history = (...schemas: ReturnType<typeof schema>[]) =>
  schemas.map((each, index) => ({ version: index + 1, schema: each }))

/** The levels that are kept. */
const kept = (candidate: ReturnType<typeof schema>, ...versions: ReturnType<typeof schema>[]) => {
  const { levels } = checkHistory(candidate, history(...versions))
  return compatibilityLevels.filter(level => levels[level].length === 0)
}

describe('the seven levels', () => {
  test.each([
    ['nothing before', schema(a), [], [...compatibilityLevels]],
    ['a field with a default', schema(a, optional), [schema(a)], [...compatibilityLevels]],
    ['a field without a default', schema(a, b), [schema(a)], ['NONE', 'FORWARD', 'FORWARD_TRANSITIVE']],
    ['a field removed', schema(a), [schema(a, b)], ['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE']],
    [
      'against the version before the latest',
      schema(a, b),
      [schema(a), schema(a, optional)],
      ['NONE', 'BACKWARD', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL'],
    ],
    ['another type', schema({ ...a, type: 'int' }), [schema(a)], ['NONE']],
  ] as const)('%s', (_, candidate, versions, levels) => {
    expect(kept(candidate, ...versions)).toEqual(levels)
  })
})

test('every version that fails is told, newest first, both directions', () => {
  const { breaks, levels } = checkHistory(
    schema({ ...a, type: 'int' }, b),
    history(schema(a), schema(a, b), schema(a, optional)),
  )
  const told = breaks.map(({ version, direction, isLatest, reasons }) => [
    version,
    direction,
    isLatest,
    reasons.map(({ pointer }) => pointer),
  ])
  expect(told).toEqual([
    [3, 'backward', true, ['/fields/0/type']],
    [3, 'forward', true, ['/fields/0/type']],
    [2, 'backward', false, ['/fields/0/type']],
    [2, 'forward', false, ['/fields/0/type']],
    [1, 'backward', false, ['/fields/0/type', '/fields/1']],
    [1, 'forward', false, ['/fields/0/type']],
  ])
  expect(levels.BACKWARD).toEqual([breaks[0]])
  expect(levels.FORWARD_TRANSITIVE).toEqual([breaks[1], breaks[3], breaks[5]])
  expect(breaks.filter(each => breaksLevel('FULL', each))).toEqual(levels.FULL)
})

test('one level gives the same as all of them', () => {
  const versions = history(schema(a), schema(a, b), schema({ ...a, type: 'bytes' }))
  const candidate = schema({ ...a, type: 'long' }, b)
  const { levels } = checkHistory(candidate, versions)
  for (const level of compatibilityLevels) expect(checkLevel(level, candidate, versions)).toEqual(levels[level])
})
