// A definition in memory: valid text, its schema file in a folder of its own, and what lint says about a variation of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LintOptions, type LintResult, lintPipeline } from '../../src/config/lint.ts'
import { fakeCatalogue } from './fake-catalogue.ts'

const schema = {
  type: 'record',
  name: 'Review',
  fields: [
    { name: 'review_id', type: 'string' },
    { name: 'rating', type: 'double' },
    { name: 'title', type: ['null', 'string'], default: null },
  ],
}

export interface DefinitionFolder extends Disposable {
  readonly path: string
  write(name: string, text: string | Uint8Array): string
  /** What is wrong in a text that stands in this folder. */
  lint(text: string, options?: Partial<LintOptions>): LintResult
}

/** A folder with `review.avsc`, removed when disposed. */
export function definitionFolder(): DefinitionFolder {
  const path = mkdtempSync(join(tmpdir(), 'weir-config-'))
  const write = (name: string, text: string | Uint8Array) => {
    writeFileSync(join(path, name), text)
    return join(path, name)
  }
  write('review.avsc', JSON.stringify(schema))
  return {
    path,
    write,
    lint: (text, options = {}) =>
      lintPipeline({ file: join(path, 'p.yaml'), text }, { catalogue: fakeCatalogue, env: {}, ...options }),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

export interface Parts {
  source?: string
  topic?: string
  map?: string
  rest?: string
}

/** A valid definition with parts of it replaced; `source` and the others are the lines below their key, indented by two. */
export function pipelineText({ source, topic, map, rest }: Parts = {}): string {
  return [
    'pipeline: reviews',
    'source:',
    source ?? '  file: { paths: [data/reviews.jsonl] }',
    'topic:',
    '  name: reviews',
    '  schema: review.avsc',
    ...(topic ? [topic] : []),
    ...(map === '' ? [] : ['map:', map ?? '  review_id: this.id\n  rating: double(this.rating)']),
    ...(rest ? [rest] : []),
    '',
  ].join('\n')
}

/** Problems in a form that is short to compare: `code line:column`. */
export const brief = ({ problems }: LintResult) => problems.map(p => `${p.code} ${p.line}:${p.column}`)
