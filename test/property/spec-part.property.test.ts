// A definition is checked with the part of its spec that speaks of what is there (config/check.ts): what meets the part must meet the whole.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cassetteSpec } from '../../src/config/cassette/spec.ts'
import { compile } from '../../src/config/check.ts'
import { governanceSpec } from '../../src/config/governance/spec.ts'
import { pipelineSpec } from '../../src/config/pipeline-spec.ts'
import { partFor, shapeOf } from '../../src/config/shape.ts'
import { vendorSpec } from '../../src/config/vendor/spec.ts'
import { workspaceSpec } from '../../src/config/workspace-spec.ts'
import { isObject } from '../../src/core/json-text.ts'
import { sinks } from '../../src/sinks/index.ts'
import { sources } from '../../src/sources/index.ts'

const seeds = [...Object.values(sources), ...Object.values(sinks)].flatMap(({ name, config, examples }) =>
  examples.map(example => ({ name, shape: shapeOf(config), value: example.config as unknown })),
)

// A word that ajv does not know is a mistake in a spec; no definition without a mistake would find it.
test.each(
  Object.entries({ pipelineSpec, workspaceSpec, cassetteSpec, governanceSpec, vendorSpec, ...sources, ...sinks }),
)('the whole spec of %s compiles', (_, each) => {
  expect(() => compile(shapeOf('config' in each ? each.config : each))).not.toThrow()
})

/** Every place in a value, as the keys to it. */
function places(value: unknown, at: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  const inner =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, each]) => places(each, [...at, Array.isArray(value) ? Number(key) : key]))
      : []
  return [at, ...inner]
}

/** Puts `content` at a place, or takes the place away where it is undefined. */
function changed(value: unknown, place: readonly (string | number)[], content: unknown): unknown {
  const [key, ...rest] = place
  if (key === undefined) return content
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>
  const put = changed(copy[key], rest, content)
  if (put === undefined) delete copy[key]
  else copy[key] = put
  return Array.isArray(value) ? (copy as unknown as unknown[]).filter(each => each !== undefined) : copy
}

const changes = fc.array(
  fc.record({
    where: fc.nat(),
    // Words of other places of the same value make it odd where it hurts; `undefined` takes away.
    what: fc.oneof(
      fc.constant(undefined),
      fc.jsonValue({ maxDepth: 2 }),
      fc.nat().map(from => ({ from })),
    ),
    under: fc.option(fc.constantFrom('id', 'url', 'page', 'field', 'order', 'max', 'type', 'nonsense', 'constructor'), {
      nil: undefined,
    }),
  }),
  { minLength: 0, maxLength: 4 },
)

for (const { name, shape, value } of seeds)
  test(`${name}: ${JSON.stringify(value).slice(0, 60)}`, () => {
    const meetsWhole = compile(shape)
    expect(compile(partFor(value, shape))(value)).toBe(true)
    fc.assert(
      fc.property(changes, all => {
        let odd: unknown = value
        for (const { where, what, under } of all) {
          const known = places(odd)
          const place = known[where % known.length]!
          const isMove = typeof what === 'object' && what !== null && 'from' in what && typeof what.from === 'number'
          const content = isMove ? at(odd, known[(what.from as number) % known.length]!) : what
          odd = changed(odd, under !== undefined && isObject(at(odd, place)) ? [...place, under] : place, content)
        }
        if (odd === undefined) return
        if (compile(partFor(odd, shape))(odd)) expect(meetsWhole(odd)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

function at(value: unknown, place: readonly (string | number)[]): unknown {
  return place.reduce((found, key) => (found as Record<string | number, unknown>)[key], value)
}
