// Changes that a registry calls compatible and that are wrong in meaning (item 8). A rule each; a policy may block them.
import type { Comparison, FieldPair, TypePair } from './comparison.ts'
import { type Found, note, warning } from './found.ts'
import { logicalType, namespaceOf, shortName, type TypeOutline, takesNull } from './outline.ts'

/** Every silent break between the base and the candidate. */
export function silentBreaks({ fields, types }: Comparison): readonly Found[] {
  return [...types.flatMap(ofTypes), ...fields.flatMap(ofFields)]
}

function ofTypes({ path, before, after }: TypePair): readonly Found[] {
  const where = { pointer: after.pointer, field: path }
  return [
    ...logicalBreaks(before, after, where),
    ...promotions(before, after, where),
    ...enumBreaks(before, after, where),
    ...namespaceBreaks(before, after, where),
    ...hostileSymbols(before, after, where),
  ]
}

type Where = { readonly pointer: string; readonly field: string }

const keepType = 'Keep the field as it is, and add a new one with the new meaning.'

function logicalBreaks(before: TypeOutline, after: TypeOutline, where: Where): readonly Found[] {
  const [a, b] = [logicalType(before), logicalType(after)]
  const found = (rule: string, message: string, hint = keepType) => [warning(`silent.${rule}`, message, hint, where)]
  if (a === 'decimal' && b === 'decimal') return decimalBreaks(before, after, where)
  if (a === b) return []
  if (a !== null && b !== null) {
    const [from, to] = [timeOf(a), timeOf(b)]
    if (from && to) {
      if (from.kind !== to.kind) {
        if (a === 'date' || b === 'date')
          return found(
            'date-timestamp',
            `${a} is now ${b}: days are read as ${to.unit}, dates of 2026 become moments of 1970`,
          )
        return found(
          'local-timestamp',
          `${a} is now ${b}: what was a moment is a time without a zone, or the other way`,
        )
      }
      return found(
        'timestamp-unit',
        `${a} is now ${b}: every old value is off by a factor of ${factor(from.unit, to.unit)}`,
      )
    }
  }
  if (a === 'uuid' || b === 'uuid')
    return found(
      'uuid',
      `${b === 'uuid' ? 'text is now called a uuid' : 'the logical type uuid is gone'}: nothing checks that old values are uuids, and readers give another type`,
    )
  const message =
    a === null
      ? `the logical type ${b} is new: old values are read as if they had it`
      : b === null
        ? `the logical type ${a} is gone: readers get bare numbers or bytes`
        : `the logical type ${a} is now ${b}`
  return found('logical-type', message)
}

function decimalBreaks(before: TypeOutline, after: TypeOutline, where: Where): readonly Found[] {
  const scale = (type: TypeOutline) => Number(type.json['scale'] ?? 0)
  const precision = (type: TypeOutline) => Number(type.json['precision'] ?? 0)
  const found: Found[] = []
  if (scale(before) !== scale(after))
    found.push(
      warning(
        'silent.decimal-scale',
        `the scale ${scale(before)} is now ${scale(after)}: 12.34 written before is read as ${shifted(scale(before), scale(after))}`,
        keepType,
        where,
      ),
    )
  if (precision(before) !== precision(after))
    found.push(
      warning(
        'silent.decimal-precision',
        `the precision ${precision(before)} is now ${precision(after)}: ${precision(after) < precision(before) ? 'old values may have more digits than readers take' : 'old readers may refuse the longer values'}`,
        precision(after) < precision(before) ? 'Keep the larger precision.' : 'Move the readers first.',
        where,
      ),
    )
  return found
}

/** 12.34 at the old scale, read at the new one. */
function shifted(before: number, after: number): string {
  if (before < 0 || after < 0 || before > 100 || after > 100) return 'another number'
  const digits = before >= 2 ? `1234${'0'.repeat(before - 2)}` : '1234'.slice(0, 2 + before)
  const padded = digits.padStart(after + 1, '0')
  return after === 0 ? padded : `${padded.slice(0, -after)}.${padded.slice(-after)}`
}

const units = ['millis', 'micros', 'nanos'] as const
type Unit = (typeof units)[number] | 'days'

function timeOf(logical: string): { readonly kind: 'date' | 'time' | 'moment' | 'local'; readonly unit: Unit } | null {
  if (logical === 'date') return { kind: 'date', unit: 'days' }
  const [, base, unit] = /^(time|timestamp|local-timestamp)-(millis|micros|nanos)$/.exec(logical) ?? []
  if (base === undefined) return null
  return { kind: base === 'time' ? 'time' : base === 'timestamp' ? 'moment' : 'local', unit: unit as Unit }
}

const factor = (from: Unit, to: Unit) =>
  (1000 ** Math.abs(units.indexOf(from as never) - units.indexOf(to as never))).toLocaleString('en-US')

/** Whole numbers above the bits of the mantissa are rounded. */
const lossy: Readonly<Record<string, string>> = {
  'int float': 'beyond 16,777,216',
  'long float': 'beyond 16,777,216',
  'long double': 'beyond 9,007,199,254,740,992',
}

function promotions(before: TypeOutline, after: TypeOutline, where: Where): readonly Found[] {
  const limit = lossy[`${before.kind} ${after.kind}`]
  if (limit !== undefined)
    return [
      warning(
        'silent.rounding',
        `${before.kind} is read as ${after.kind}: whole numbers ${limit} are rounded`,
        'Keep long where the numbers are ids or counts.',
        where,
      ),
    ]
  if (before.kind === 'bytes' && after.kind === 'string')
    return [
      warning(
        'silent.bytes-text',
        'bytes are read as string: bytes that are no UTF-8 are damaged or refused',
        keepType,
        where,
      ),
    ]
  return []
}

function enumBreaks(before: TypeOutline, after: TypeOutline, where: Where): readonly Found[] {
  if (before.kind !== 'enum' || after.kind !== 'enum') return []
  const gone = before.symbols.filter(symbol => !after.symbols.includes(symbol))
  const fresh = after.symbols.filter(symbol => !before.symbols.includes(symbol))
  const found = (message: string, hint: string) => warning('silent.enum-default', message, hint, where)
  return [
    ...(gone.length > 0 && after.json['default'] !== undefined
      ? [
          found(
            `old data with ${listed(gone)} is read as ${String(after.json['default'])}`,
            'Keep the symbols that are in the data.',
          ),
        ]
      : []),
    ...(fresh.length > 0 && before.json['default'] !== undefined
      ? [
          found(
            `readers of the base read ${listed(fresh)} as ${String(before.json['default'])}`,
            'Move the readers before the first record with a new symbol is written.',
          ),
        ]
      : []),
  ]
}

const listed = (words: readonly string[]) =>
  `${words.slice(0, 5).join(', ')}${words.length > 5 ? `, and ${words.length - 5} more` : ''}`

function namespaceBreaks(before: TypeOutline, after: TypeOutline, where: Where): readonly Found[] {
  if (before.fullName === null || after.fullName === null || shortName(before.fullName) !== shortName(after.fullName))
    return []
  const [a, b] = [namespaceOf(before.fullName), namespaceOf(after.fullName)]
  if (a === b) return []
  return [
    warning(
      'silent.namespace',
      `the namespace ${a || '(none)'} is now ${b || '(none)'}: registries say it is compatible, JavaScript readers on avsc refuse it, and generated classes move to another package`,
      `Keep the namespace, or add the alias ${before.fullName} and tell the owners of generated code.`,
      where,
    ),
  ]
}

/** Names that every object of JavaScript has: libraries that keep fields or symbols in plain objects break on them. */
const hostile: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype).concat('prototype', 'then'))

function hostileSymbols(before: TypeOutline, after: TypeOutline, where: Where): readonly Found[] {
  return after.symbols
    .filter(symbol => hostile.has(symbol) && !before.symbols.includes(symbol))
    .map(symbol => hostileName(`the symbol ${symbol}`, where))
}

const hostileName = (what: string, where: Where) =>
  warning(
    'silent.javascript-name',
    `${what} is the name of something that every JavaScript object has: readers in JavaScript may break on it`,
    'Choose another name.',
    where,
  )

function ofFields({ path, before, after, how, guessedFrom }: FieldPair): readonly Found[] {
  if (!after) return []
  const where = { pointer: after.pointer, field: path }
  const found: Found[] = []
  if (hostile.has(after.name) && before?.name !== after.name) found.push(hostileName(`the field ${after.name}`, where))
  if (before && (how === 'guess' || how === 'old-alias'))
    found.push(
      warning(
        'silent.rename',
        after.hasDefault
          ? `${before.name} is gone and ${after.name} is new (${guessedFrom ?? 'the base has the alias'}): if it is a rename, what was written as ${before.name} is lost, and no registry says so`
          : `${before.name} is gone and ${after.name} is new (${guessedFrom ?? 'the base has the alias'}): it looks like a rename`,
        `Add "aliases": ["${before.name}"] to ${after.name}, or say in its doc that it is something else.`,
        where,
      ),
    )
  if (
    before &&
    !before.hasDefault &&
    after.hasDefault === false &&
    takesNull(before.type) !== takesNull(after.type) &&
    takesNull(after.type)
  )
    found.push(
      note(
        'default.none',
        'the field may be null now but has no default: its next removal or rename will break readers',
        'Give it a default of null.',
        where,
      ),
    )
  return found
}
