// Configuration as a definition would give it to the code: checked against its spec, defaults filled in, units parsed.
// Kept apart from config/, so that tests of fetch and sources do not depend on it.
import { Value } from 'typebox/value'
import type { TSchema } from '../../src/core/spec.ts'
import { parseDuration, parseShare, parseSize } from '../../src/core/units.ts'
import { type FetchSettings, fetchSpec } from '../../src/fetch/settings.ts'
import { type HttpConfig, httpSpec } from '../../src/sources/http/spec.ts'

export function httpConfig(written: Record<string, unknown>): HttpConfig {
  return configOf(httpSpec, written) as HttpConfig
}

/** Fast settings for tests; what is written wins. */
export function fetchSettings(written: Record<string, unknown> = {}): FetchSettings {
  const quick = {
    timeout: '2s',
    retry: { attempts: 2, backoff: { min: '1ms', max: '2ms' } },
    rate_limit: { requests: 100_000, per: '1s' },
    allow_private: ['127.0.0.0/8', '::1/128'],
  }
  return configOf(fetchSpec, { ...quick, ...written }) as FetchSettings
}

interface Shape {
  readonly type?: string
  readonly weir?: string
  readonly default?: unknown
  readonly anyOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly items?: Shape
}

/** What is written by a spec, as code sees it. */
export function configOf(spec: TSchema, written: Record<string, unknown>): unknown {
  const filled = fill(written, spec as Shape)
  const [problem] = Value.Errors(spec, filled)
  if (problem) throw new Error(`The test's own configuration is wrong: ${problem.instancePath} ${problem.message}`)
  return parseUnits(filled, spec as Shape)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Of a union of objects, the one that knows every field of the value. */
function meantBy(value: unknown, shape: Shape): Shape {
  const fits = ({ properties }: Shape) => isObject(value) && Object.keys(value).every(key => properties?.[key])
  return shape.anyOf?.find(fits) ?? shape
}

function fieldOf(shape: Shape, key: string): Shape | undefined {
  return shape.properties?.[key] ?? Object.values(shape.patternProperties ?? {})[0]
}

function fill(value: unknown, given: Shape): unknown {
  const shape = meantBy(value, given)
  if (Array.isArray(value)) return shape.items ? value.map(each => fill(each, shape.items!)) : value
  if (!isObject(value)) return value
  const result: Record<string, unknown> = { ...value }
  for (const [key, field] of Object.entries(shape.properties ?? {})) {
    const isOptional = !shape.required?.includes(key)
    if (result[key] !== undefined) result[key] = fill(result[key], field)
    else if (field.default !== undefined) result[key] = field.default
    else if (field.type === 'object' && !isOptional) result[key] = fill({}, field)
  }
  for (const [key, each] of Object.entries(result)) {
    const field = shape.properties?.[key] ? undefined : fieldOf(shape, key)
    if (field) result[key] = fill(each, field)
  }
  return result
}

function parseUnits(value: unknown, given: Shape): unknown {
  const shape = meantBy(value, given)
  if (typeof value === 'string') {
    if (shape.weir === 'duration') return parseDuration(value)
    if (shape.weir === 'size') return parseSize(value)
    return shape.weir === 'share' ? parseShare(value) : value
  }
  if (Array.isArray(value)) return shape.items ? value.map(each => parseUnits(each, shape.items!)) : value
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      fieldOf(shape, key) ? parseUnits(each, fieldOf(shape, key)!) : each,
    ]),
  )
}
