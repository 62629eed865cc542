// A value checked against its spec by ajv. Each mistake is said once, for people, with its place.
// In a union only the branch that was meant is complained about.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { isObject } from '../core/json-text.ts'
import { remember } from '../core/secret.ts'
import { complaintOf } from './complaint.ts'
import { segment } from './problem.ts'
import type { Reading } from './resolve.ts'
import { branchOf, fieldShape, partFor, type Shape } from './shape.ts'

/** Our own words in specs. ajv refuses words it does not know, so that a misspelt one in a connector is found. */
const ownWords = ['weir', 'weirMin', 'weirMax', 'weirVars', 'weirSlot', 'weirFilled']
let ajv: Ajv | undefined
/** null: a value was checked against it once, with a part of it. */
const validators = new WeakMap<Shape, ValidateFunction | null>()

/** @throws when the spec itself is wrong, which the tests of specs find */
export function compile(shape: Shape): ValidateFunction {
  if (!ajv) {
    ajv = new Ajv({
      allErrors: true,
      verbose: true,
      strict: true,
      strictTuples: false,
      strictRequired: false,
      allowMatchingProperties: true,
      allowUnionTypes: true,
      validateFormats: false,
      validateSchema: false,
      logger: false,
      addUsedSchema: false,
      // A definition is checked once: to write shorter code takes longer than it saves.
      code: { optimize: false },
    })
    ajv.addVocabulary(ownWords)
  }
  return ajv.compile(shape)
}

/**
 * Reports everything in the value that its spec does not allow; `base` is the pointer of the value in its file. The first value of a spec is
 * tried with the part of it that speaks of what is there: that is a few fields, and the spec of a connector has hundreds, which take 100 ms to
 * compile. The whole spec tells what is wrong, and is compiled for whatever comes a second time.
 */
export function checkValue(value: unknown, shape: Shape, base: string, reading: Reading): void {
  let validate = validators.get(shape)
  if (validate === undefined) {
    validators.set(shape, null)
    if (compile(partFor(value, shape))(value)) return
  }
  if (!validate) {
    validate = compile(shape)
    validators.set(shape, validate)
  }
  if (validate(value)) return
  const choices: Choice[] = []
  choose(value, shape, '', '#', choices)
  for (const error of meantErrors(validate.errors ?? [], choices)) {
    const found = complaintOf(error, base, reading)
    if (reading.lost.has(found.pointer) || reading.problems.failedAt(found.pointer, found.on)) continue
    if (error.keyword === 'additionalProperties') rememberStray(error)
    reading.problems.add(found)
  }
}

/** A mistyped field beside secret ones most likely holds a secret: it must not show in the line. */
function rememberStray(error: ErrorObject): void {
  const { properties = {} } = error.parentSchema as Shape
  const stray = (error.data as Record<string, unknown>)[String(error.params['additionalProperty'])]
  if (typeof stray === 'string' && Object.values(properties).some(field => field.weir === 'secret')) remember(stray)
}

/** A union in the value: where it is, in the value and in the spec, and the branch that was meant (-1: none fits). */
interface Choice {
  readonly at: string
  readonly path: string
  readonly branch: number
}

const escaped = (key: string | number) => encodeURIComponent(segment(key).slice(1))

function choose(value: unknown, shape: Shape, at: string, path: string, into: Choice[]): void {
  if (shape.anyOf) {
    const branch = branchOf(shape.anyOf, value)
    into.push({ at, path: `${path}/anyOf`, branch })
    const meant = shape.anyOf[branch]
    if (meant) choose(value, meant, at, `${path}/anyOf/${branch}`, into)
  } else if (Array.isArray(value) && shape.items) {
    const { items } = shape
    value.forEach((item, i) => {
      choose(item, items, at + segment(i), `${path}/items`, into)
    })
  } else if (isObject(value)) {
    for (const [key, field] of Object.entries(value)) {
      const known = fieldShape(shape, key)
      if (known) choose(field, known, at + segment(key), path + pathOf(shape, key), into)
    }
  }
}

/** How ajv names the way to the shape of a field. */
function pathOf(shape: Shape, key: string): string {
  if (shape.properties && Object.hasOwn(shape.properties, key)) return `/properties/${escaped(key)}`
  const pattern = Object.keys(shape.patternProperties ?? {}).find(p => new RegExp(p, 'u').test(key))
  return pattern === undefined ? '/additionalProperties' : `/patternProperties/${escaped(pattern)}`
}

function meantErrors(errors: readonly ErrorObject[], choices: readonly Choice[]): ErrorObject[] {
  const kept = errors.filter(error => choices.every(choice => isMeant(error, choice)))
  const inside = (choice: Choice) =>
    kept.some(
      error => error.schemaPath.startsWith(`${choice.path}/${choice.branch}/`) && under(error.instancePath, choice.at),
    )
  // The union's own error says less than the errors of the branch that was meant.
  return kept.filter(
    error =>
      !(
        error.keyword === 'anyOf' &&
        choices.some(c => c.path === error.schemaPath && c.at === error.instancePath && inside(c))
      ),
  )
}

function isMeant(error: ErrorObject, choice: Choice): boolean {
  if (!under(error.instancePath, choice.at) || !error.schemaPath.startsWith(`${choice.path}/`)) return true
  return error.schemaPath.startsWith(`${choice.path}/${choice.branch}/`)
}

const under = (pointer: string, at: string) => pointer === at || pointer.startsWith(`${at}/`)
