// What a cassette tests, as a definition that can be opened: a pipeline file, or a vendor with parameters in a pipeline made for it.
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import type { Cassette } from '../../config/cassette/spec.ts'
import type { Catalogue } from '../../config/catalogue.ts'
import type { PipelineDefinition } from '../../config/definition.ts'
import { lintPipeline } from '../../config/lint.ts'
import type { Problems } from '../../config/problem.ts'
import { packageFolder } from '../../core/shipped.ts'

export interface Subject extends Disposable {
  /** Undefined when it cannot be used; why stands in the problems of the cassette. */
  readonly definition: PipelineDefinition | undefined
}

/** Folders above a cassette in which the file of its vendor is looked for. */
const maxFoldersUp = 4
const rawReviews = join(packageFolder, 'schemas/raw-review.avsc')

/** The definition behind a cassette; mistakes go to `problems`. Disposing removes what was made for it. */
export function openSubject(file: string, cassette: Cassette, catalogue: Catalogue, problems: Problems): Subject {
  const { pipeline, vendor } = cassette
  if (pipeline !== undefined) {
    const path = resolve(dirname(file), pipeline)
    return { definition: load(path, undefined, cassette, catalogue, problems), [Symbol.dispose]: () => {} }
  }
  const own = Object.hasOwn(catalogue.sources, vendor!) ? undefined : vendorFileOf(file, vendor!)
  const folder = mkdtempSync(join(tmpdir(), 'weir-cassette-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    if (!Object.hasOwn(catalogue.sources, vendor!) && own === undefined) {
      problems.add({
        code: 'config.invalid',
        message: `There is no vendor \`${vendor}\`, and no ${vendor}.yaml in a folder above.`,
        pointer: '/vendor',
        hint: '`weir connectors` lists those that come with weir.',
      })
      return { definition: undefined, [Symbol.dispose]: remove }
    }
    if (own !== undefined) copyFileSync(own, join(folder, `${vendor}.yaml`))
    for (const [name, text] of Object.entries(cassette.files ?? {})) writeFileSync(join(folder, name), text)
    const { schema, parameters = {}, fetch } = cassette
    const text = JSON.stringify({
      pipeline: vendor,
      source: { [own === undefined ? vendor! : `./${vendor}.yaml`]: parameters },
      ...(fetch ? { fetch } : {}),
      topic: { name: 'cassette', schema: schema === undefined ? rawReviews : resolve(dirname(file), schema) },
    })
    const definition = load(join(folder, 'pipeline.yaml'), text, cassette, catalogue, problems)
    return { definition, [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** NAME.yaml in one of the folders above the cassette. */
export function vendorFileOf(file: string, vendor: string): string | undefined {
  let folder = dirname(file)
  for (let up = 0; up <= maxFoldersUp; up++, folder = dirname(folder)) {
    const found = join(folder, `${vendor}.yaml`)
    if (found !== file && existsSync(found)) return found
  }
  return undefined
}

function load(
  file: string,
  text: string | undefined,
  { variables = {}, pipeline }: Cassette,
  catalogue: Catalogue,
  problems: Problems,
): PipelineDefinition | undefined {
  const { definition, problems: found } = lintPipeline(text === undefined ? file : { file, text }, {
    catalogue,
    env: variables,
  })
  for (const { severity, code, message, hint, pointer, line, column, file: where } of found) {
    if (severity === 'warning') continue
    if (text === undefined || where !== file) {
      const place = text === undefined ? `${relative(dirname(problems.file), where)}:${line}:${column}: ` : ''
      problems.add({ code, message: place + message, pointer: pipeline === undefined ? '/vendor' : '/pipeline', hint })
      continue
    }
    // Pointers of the pipeline that was made: /source/VENDOR/asins is /parameters/asins of the cassette.
    const own = pointer.replace(/^\/source(\/[^/]*)?/, '/parameters').replace(/^\/topic\/schema/, '/schema')
    problems.add({ code, message, pointer: own, hint })
  }
  return definition
}
