// The parameters of a vendor as the spec of its fields in a pipeline: they are checked, shown and completed like those of any connector.
import { address, duration, fields, path, secret, type TSchema, Type } from '../../core/spec.ts'
import type { Parameter, VendorFields } from './spec.ts'

/** The parameter that chooses a mode. */
export const modeParameter = 'mode'

/** The spec of the fields that a pipeline writes under the name of the vendor. */
export function parametersSpec(
  parameters: VendorFields['parameters'],
  modes: VendorFields['modes'],
): ReturnType<typeof fields> {
  const properties: Record<string, TSchema> = {}
  for (const [name, parameter] of Object.entries(parameters)) properties[name] = fieldOf(parameter)
  if (modes) properties[modeParameter] = modeField(modes)
  return fields(properties)
}

function fieldOf(parameter: Parameter): TSchema {
  const spec = { ...specOf(parameter), ...(parameter.default === undefined ? {} : { default: parameter.default }) }
  return parameter.required || parameter.default !== undefined ? spec : Type.Optional(spec)
}

/** Without its default and without leave to be left out. */
export function specOf({ type, description, of, pattern, min, max, must_be }: Parameter): TSchema {
  const text = { minLength: 1, maxLength: 10_000, ...(pattern === undefined ? {} : { pattern }) }
  switch (type) {
    case 'secret':
      return secret({ description })
    case 'text':
      return Type.String({ description, ...text })
    case 'number':
      return Type.Number({
        description,
        ...(min === undefined ? {} : { minimum: min }),
        ...(max === undefined ? {} : { maximum: max }),
      })
    case 'boolean':
      return must_be ? Type.Literal(true, { description }) : Type.Boolean({ description })
    case 'list':
      return Type.Union(
        [
          Type.Array(Type.Union([Type.String(text), Type.Number()]), { minItems: 1, maxItems: 100_000 }),
          fields({ file: path({ description: 'A text file, one value a line.' }) }),
        ],
        { description },
      )
    case 'choice':
      return Type.Unsafe<string>({ type: 'string', enum: of ?? [], description })
    case 'duration':
      return duration({ description })
    case 'address':
      return address({ description, examples: ['https://api.example.com'] })
  }
}

function modeField(modes: NonNullable<VendorFields['modes']>): TSchema {
  const words = Object.entries(modes).map(([name, { summary }]) => (summary ? `${name}: ${summary}` : name))
  return Type.Unsafe<string>({
    type: 'string',
    enum: Object.keys(modes),
    description: `How the vendor is used. ${words.join(' ')}`,
    default: Object.keys(modes)[0],
  })
}

/** A value that fits, for checking what is made of a parameter where its value is not known. */
export function sampleOf({ type, default: fallback, of, pattern, min, max, must_be }: Parameter): unknown {
  if (fallback !== undefined) return fallback
  const text =
    pattern === undefined ? 'sample' : (samples.find(each => new RegExp(pattern, 'u').test(each)) ?? 'sample')
  switch (type) {
    case 'number':
      return Math.max(min ?? Math.min(1, max ?? 1), Math.min(1, max ?? 1))
    case 'boolean':
      return must_be ?? false
    case 'list':
      return [text]
    case 'choice':
      return of?.[0]
    case 'duration':
      return '10s'
    case 'address':
      return 'https://api.example.com'
    default:
      return text
  }
}

/** One for each pattern that is common. */
const samples = ['sample', 'B07FZ8S74R', 'US', 'us', '10001', '2024-01-05', 'en_US', 'www.amazon.com', 'amazon.com']
