// `weir schema suggest`: from fields that a source gives to a patch of the schema, the lines of the mapping, and their review.
import { writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { WeirError, weirErrorOf } from '../../core/errors.ts'
import { patchOf } from '../../governance/edit.ts'
import { ItemShape } from '../../governance/item-shape.ts'
import { parseNamedSchema } from '../../governance/named-schema.ts'
import type { Review } from '../../governance/review.ts'
import { type SuggestedField, type Suggestion, suggest } from '../../governance/suggestion.ts'
import { compileMapping, identityMapping, type Mapping } from '../../mapping/mapping.ts'
import { pathsRead } from '../../mapping/paths.ts'
import { loadDefinition } from '../definitions.ts'
import { mapOf } from '../parts.ts'
import { textOf } from './base.ts'
import { candidatesOf } from './candidates.ts'
import { type Bench, levelFor, reviewOne } from './checking.ts'
import { itemsOfFiles, itemsOfPipeline, type SampleDeps } from './item-samples.ts'

export interface SuggestRequest extends SampleDeps {
  /** A pipeline file; null: a schema alone, whose fields have the names of the items'. */
  readonly pipeline: string | null
  readonly schema: string | null
  readonly samples: readonly string[]
  /** Paths of drift events; none: all. */
  readonly paths: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly today: string
  readonly write: boolean
}

export interface CheckedField extends SuggestedField {
  /** Samples on which the expression and the type fail together, and why the first does. */
  readonly fails: number
  readonly failure: string | null
}

export interface SuggestResult {
  readonly file: string
  readonly samples: number
  readonly from: string
  readonly fields: readonly CheckedField[]
  readonly left: Suggestion['left']
  /** Fields of today that fail on samples: what changed its kind. */
  readonly failing: readonly FailingField[]
  /** Where the mapping of today stands: one of a connector is replaced as a whole by `map` of a pipeline. */
  readonly mapping: 'pipeline' | 'connector' | 'none'
  /** Unified; empty where the schema stays. */
  readonly patch: string
  readonly written: boolean
  /** Of the new schema against the file as it is; null where the schema stays. */
  readonly review: Review | null
}

export interface FailingField {
  readonly field: string
  readonly samples: number
  readonly message: string
  /** An expression that takes all samples; null when none is known. */
  readonly instead: string | null
}

const maxSamples = 10_000
/** Samples on which expressions are tried. */
const maxTried = 1_000

interface Target {
  readonly file: string
  readonly map: Readonly<Record<string, string>> | null
  readonly subject: string
}

/** @throws usage.*, config.*, schema.invalid, source.* */
export async function suggestFields(bench: Bench, request: SuggestRequest): Promise<SuggestResult> {
  const { cwd } = bench
  const definition =
    request.pipeline === null ? null : await loadDefinition(resolve(cwd, request.pipeline), request.env)
  const target: Target = definition
    ? { file: definition.topic.schemaFile, map: mapOf(definition), subject: definition.topic.subject }
    : schemaTarget(bench, request.schema)
  const { items, from } =
    request.samples.length > 0
      ? itemsOfFiles(request.samples, cwd, maxSamples)
      : definition
        ? await itemsOfPipeline(definition, cwd, maxSamples, request)
        : noSamples()
  const text = textOf(target.file)
  const schema = parseNamedSchema(text)
  const shape = new ItemShape()
  for (const item of items) shape.add(item)
  const policy = bench.rules(target.subject)
  const found = suggest({
    schema,
    items: shape,
    read: pathsRead(target.map, text),
    map: target.map,
    paths: request.paths.length > 0 ? request.paths : null,
    policy,
  })
  const shown = relative(cwd, target.file) || target.file
  const tried = items.slice(0, maxTried)
  const review =
    found.text === text
      ? null
      : reviewOne(bench, {
          subject: target.subject,
          file: shown,
          schema: parseNamedSchema(found.text),
          history: [{ version: 1, id: null, from: shown, schema }],
          ...levelFor(policy, null),
          strict: false,
          today: request.today,
        })
  const written = request.write && review !== null && review.verdict !== 'breaking'
  if (written) writeFileSync(target.file, found.text)
  return {
    file: shown,
    samples: items.length,
    from,
    fields: found.fields.map(field => ({ ...field, ...trial(field, found.text, target.map, tried) })),
    left: found.left,
    mapping: target.map === null ? 'none' : definition?.map ? 'pipeline' : 'connector',
    failing: failingToday(text, target.map, tried, new Set(found.fields.map(({ name }) => name))),
    patch: patchOf(shown, text, found.text),
    written,
    review,
  }
}

function schemaTarget({ workspace, cwd }: Bench, written: string | null): Target {
  if (written === null)
    throw new WeirError('usage.invalid', 'Name a pipeline, or a schema with --schema.', {
      hint: 'weir schema suggest pipelines/reviews.yaml',
    })
  const [{ file, subject }] = candidatesOf([written], workspace, cwd) as [{ file: string; subject: string }]
  return { file, subject, map: null }
}

function noSamples(): never {
  throw new WeirError('usage.invalid', 'There is nothing to infer types from.', {
    at: '--sample',
    hint: 'Name a file with items as the source gives them: --sample items.ndjson',
  })
}

/** The field on the samples: its expression, and whether its type takes what that gives. */
function trial(
  { name, map: line }: SuggestedField,
  text: string,
  map: Target['map'],
  items: readonly unknown[],
): Pick<CheckedField, 'fails' | 'failure'> {
  const expression = line?.expression ?? map?.[name]
  const found = failures(
    () => (map === null ? identityMapping(text) : compileMapping({ [name]: expression! }, text, new Set([name]))),
    items,
  ).filter(({ field }) => field === name)
  return { fails: found.length, failure: found[0]?.message ?? null }
}

/** Fields that fail on samples with the schema and the mapping of today, but those that have a proposal. */
function failingToday(
  text: string,
  map: Target['map'],
  items: readonly unknown[],
  proposed: ReadonlySet<string>,
): SuggestResult['failing'] {
  const names = map === null ? null : Object.keys(map)
  const found =
    names === null
      ? failures(() => identityMapping(text), items)
      : names.flatMap(name => failures(() => compileMapping({ [name]: map![name]! }, text, new Set([name])), items))
  return [...Map.groupBy(found, ({ field }) => field)]
    .filter(([field]) => !proposed.has(field))
    .map(([field, all]) => ({
      field,
      samples: all.length,
      message: all[0]!.message,
      instead: insteadOf(map?.[field], field, text, items),
    }))
}

/** A conversion of a plain path with which no sample fails. */
function insteadOf(
  expression: string | undefined,
  field: string,
  text: string,
  items: readonly unknown[],
): string | null {
  if (expression === undefined || !/^\s*this(\.\??\w+)+\s*$/.test(expression)) return null
  const tries = ['double', 'int', 'string'].map(convert => `${convert}(${expression.trim()})`)
  const only = new Set([field])
  return tries.find(each => failures(() => compileMapping({ [field]: each }, text, only), items).length === 0) ?? null
}

function failures(
  compile: () => Mapping,
  items: readonly unknown[],
): readonly { readonly field: string; readonly message: string }[] {
  const told = (error: unknown) => {
    const known = weirErrorOf(error)
    if (!known) throw error
    return { field: /^\/(\w+)/.exec(known.at ?? '')?.[1] ?? '', message: known.message }
  }
  let mapping: Mapping
  try {
    mapping = compile()
  } catch (error) {
    return [told(error)]
  }
  return items.flatMap(item => {
    try {
      mapping.apply({ this: item, split: {}, now: 0 })
      return []
    } catch (error) {
      return [told(error)]
    }
  })
}
