// The files of the config corpus that are too large, too binary or too odd to be committed, made in a folder beside the others.
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const validText = `pipeline: reviews
source:
  file: { paths: [data/reviews.jsonl] }
topic:
  name: reviews
  schema: schemas/review.avsc
map:
  review_id: this.id
  rating: double(this.rating)
`

/** The environment of the corpus; its values must show nowhere. */
export const corpusEnv: Record<string, string> = {
  CORPUS_NEWLINE: 'canary-first\ncanary-second',
  CORPUS_RECURSIVE: '${CORPUS_TOKEN}-canary-third',
  CORPUS_TOKEN: 'canary-fourth',
}

/** Text that would be a leak in any output: the secrets of the corpus. */
export const canaries = ['canary-first', 'canary-second', 'canary-third', 'canary-fourth', 'canary-fifth', 'correct-horse']

const made: Record<string, () => string | Uint8Array> = {
  BOM: () => `\ufeff${validText}`,
  'UTF-16': () => Buffer.from(`\ufeff${validText}`, 'utf16le'),
  'invalid UTF-8': () => Buffer.concat([Buffer.from('owner: a\npipeline: r'), Buffer.from([0xc3, 0x28]), Buffer.from(validText)]),
  'NUL byte': () => validText.replace('pipeline: reviews', 'pipeline: rev\0iews'),
  '65 KiB file': () => validText + '#'.repeat(65 * 1024 - validText.length),
  'merge-key quadratic': () => {
    const base = Array.from({ length: 400 }, (_, i) => `k${i}: 1`).join(', ')
    return `base: &b { ${base} }\n${Array.from({ length: 20 }, (_, i) => `m${i}: { <<: *b }`).join('\n')}\n`
  },
  '5,001 keys': () => Array.from({ length: 5001 }, (_, i) => `k${i}: 1`).join('\n'),
  '10k open brackets': () => `a: ${'['.repeat(10_000)}`,
}

/** Makes the missing files of the corpus in its copy at `folder`. `files`: case to file name. */
export function makeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [name, content] of Object.entries(made)) writeFileSync(join(folder, files.get(name)!), content())
  const huge = join(folder, files.get('100 MB file')!)
  writeFileSync(huge, validText)
  truncateSync(huge, 100 * 1024 * 1024)
  writeFileSync(join(folder, '..', 'secret'), 'canary-fifth\n')
  mkdirSync(join(folder, 'secrets'))
  symlinkSync(join(folder, '..', 'secret'), join(folder, 'secrets', 'link'))
}
