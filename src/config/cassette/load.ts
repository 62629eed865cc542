// A cassette: YAML text to its fields, with everything that is wrong in it at once. Reads that one file and runs nothing.
import { isObject } from '../../core/json-text.ts'
import { checkValue } from '../check.ts'
import { decodeValue } from '../decode.ts'
import { type LocatedProblem, Problems } from '../problem.ts'
import { shapeOf } from '../shape.ts'
import { readText } from '../text.ts'
import { readingOf } from '../vendor/load.ts'
import { parseYaml } from '../yaml.ts'
import { type Cassette, cassetteSpec } from './spec.ts'

/** The largest cassette. */
const maxCassetteBytes = 4 * 1024 * 1024

export interface ReadCassette {
  /** The text, where it could be read. */
  readonly text: string | null
  /** There when nothing is wrong. */
  readonly cassette: Cassette | undefined
  /** Of the cassette file; whoever replays it adds what differs. */
  readonly problems: Problems
}

/** A cassette and what is wrong in it. */
export function readCassette(file: string): ReadCassette {
  const read = readText(file, maxCassetteBytes)
  if ('text' in read) return parseCassette(file, read.text)
  const { code, message, hint, text, offset = 0 } = read.failure
  const problems = new Problems(file, text ?? null, false)
  problems.add({ code, message, hint, pointer: '', span: { start: offset, end: offset + 1 } })
  return { text: null, cassette: undefined, problems }
}

/** The same of a text, under a file name that need not exist. */
export function parseCassette(file: string, text: string): ReadCassette {
  const problems = new Problems(file, text, false)
  const written = parseYaml(text, problems)
  if (!written) return { text, cassette: undefined, problems }
  const reading = readingOf(problems)
  const shape = shapeOf(cassetteSpec)
  checkValue(written, shape, '', reading)
  if (problems.failed) return { text, cassette: undefined, problems }
  const cassette = decodeValue(written, shape, '', reading) as Cassette
  checkFields(cassette, problems)
  return { text, cassette: problems.failed ? undefined : cassette, problems }
}

/** Everything that is wrong in a cassette, for `weir lint`. */
export function lintCassette(file: string): readonly LocatedProblem[] {
  return readCassette(file).problems.list()
}

/** True for a file that looks like a cassette: `exchanges:` in the first column. */
export function isCassetteFile(file: string): boolean {
  const read = readText(file, maxCassetteBytes)
  const text = 'text' in read ? read.text : read.failure.text
  return text !== undefined && /^["']?exchanges["']?\s*:/m.test(text)
}

function checkFields(cassette: Cassette, problems: Problems): void {
  const conflict = (pointer: string, message: string, hint: string) =>
    problems.add({ code: 'config.conflict', message, pointer, on: 'key', hint })
  const { vendor, pipeline } = cassette
  if (vendor === undefined && pipeline === undefined)
    problems.add({
      code: 'config.missing_field',
      message: 'It does not say what is tested.',
      pointer: '',
      hint: 'Add `vendor: NAME`, or `pipeline: ../reviews.yaml`.',
    })
  if (vendor !== undefined && pipeline !== undefined)
    conflict('/pipeline', '`vendor` and `pipeline` both say what is tested.', 'Keep one of them.')
  for (const name of ['parameters', 'fetch', 'schema', 'files'] as const)
    if (vendor === undefined && pipeline !== undefined && cassette[name] !== undefined)
      conflict(`/${name}`, `\`${name}\` is for a vendor; a pipeline has its own.`, 'Remove it.')
  if (vendor !== undefined && cassette.variables !== undefined)
    conflict('/variables', '`variables` are for a pipeline; a vendor has parameters.', 'Write the values there.')
  cassette.exchanges.forEach(({ request, response, fails }, i) => {
    const at = `/exchanges/${i}`
    if ((request.url === undefined) === (request.path === undefined))
      problems.add({
        code: request.url === undefined ? 'config.missing_field' : 'config.conflict',
        message: request.url === undefined ? 'The request has no `path`.' : '`url` and `path` both say where it goes.',
        pointer: `${at}/request`,
        on: 'key',
        hint: 'Write one of them: `path: /v1/reviews`, or a whole `url`.',
      })
    if (request.url !== undefined && URL.parse(request.url) === null)
      problems.add({
        code: 'config.invalid',
        message: '`url` is no whole address.',
        pointer: `${at}/request/url`,
        hint: 'Write https://host/path, or `path` alone.',
      })
    if ((response === undefined) === (fails === undefined))
      problems.add({
        code: response === undefined ? 'config.missing_field' : 'config.conflict',
        message:
          response === undefined ? 'The exchange has no `response`.' : '`response` and `fails` exclude each other.',
        pointer: response === undefined ? at : `${at}/fails`,
        on: response === undefined ? 'value' : 'key',
        hint: 'Write what is answered, or `fails: timeout`.',
      })
    if (response?.body !== undefined && response.base64 !== undefined)
      conflict(`${at}/response/base64`, '`body` and `base64` are the same thing.', 'Keep one of them.')
  })
  cassette.expect.records?.forEach((record, i) => {
    if (!isObject(record)) conflict(`/expect/records/${i}`, 'A record is a list of fields.', 'Write { field: value }.')
  })
}
