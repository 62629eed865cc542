// A workspace with a policy in a folder of its own, for tests of reviews, plans and their application.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Field {
  readonly name: string
  readonly type: unknown
  readonly [key: string]: unknown
}

export const reviewFields: readonly Field[] = [
  { name: 'review_id', type: 'string', doc: 'Id of the review.' },
  { name: 'stars', type: 'double', doc: 'Stars, from 1 to 5.' },
  { name: 'title', type: ['null', 'string'], default: null, doc: 'Headline.' },
]

/** Text of the schema of a review, a line a field. */
export const reviewSchema = (fields: readonly Field[], name = 'Review') =>
  `{
  "type": "record",
  "name": "${name}",
  "namespace": "shop",
  "doc": "A review.",
  "fields": [
${fields.map(field => `    ${JSON.stringify(field)}`).join(',\n')}
  ]
}
`

export const usualPolicy = `defaults: { owner: reviews team, level: BACKWARD_TRANSITIVE, block: ["silent.*"] }
`

export interface GovernedWorkspace extends Disposable {
  readonly dir: string
  write(file: string, text: string): void
  append(file: string, text: string): void
  read(file: string): string
  git(...args: readonly string[]): string
}

/** `pipelines`: name to what stands behind the topic in its file. */
export function governedWorkspace(pipelines: readonly string[] = ['reviews']): GovernedWorkspace {
  const dir = mkdtempSync(join(tmpdir(), 'weir-governed-'))
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), text)
  }
  for (const name of pipelines) {
    write(
      `pipelines/${name}.yaml`,
      `pipeline: ${name}
source: { file: { paths: [../data/${name}.ndjson], root: .., format: ndjson, follow: true } }
topic: { name: ${name}, key: record.review_id, schema: ../schemas/${name}.avsc }
consume:
  - group: ${name}-export
    sink: { file: { path: ../out/${name}.ndjson, root: .. } }
  - group: ${name}-low
    process: [{ filter: record.stars <= 2.0 }]
    sink: { log: { fields: [title] } }
`,
    )
    write(`schemas/${name}.avsc`, reviewSchema(reviewFields))
    write(`data/${name}.ndjson`, '')
  }
  write('schemas/governance.yaml', usualPolicy)
  write('.gitignore', '.weir\nout\ndata\n*.json\n*.html\n')
  return {
    dir,
    write,
    append: (file, text) => appendFileSync(join(dir, file), text),
    read: file => readFileSync(join(dir, file), 'utf8'),
    git: (...args) =>
      execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], {
        cwd: dir,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}
