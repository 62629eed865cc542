// The source contract over the sources that need no network.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { FileConfig } from '../../src/sources/file/settings.ts'
import { generate } from '../../src/sources/generate.ts'
import { openFileSource, put } from '../support/file-source.ts'
import { base, jobScene } from '../support/job-scene.ts'
import { sourceContract } from './source.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-contract-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const count = 2500
const numbers = Array.from({ length: count }, (_, i) => i)
const object = (i: number) => (i % 100 === 99 ? `{"n":${i},}` : `{"n":${i},"text":"é ${i}"}`)
const lines = numbers.map(i => `${object(i)}\n`).join('')
const rows = numbers.map(i => (i % 100 === 99 ? `${i},1,2\n` : `${i},"two\nlines ""${i}"""\n`)).join('')
const products = Array.from(
  { length: 50 },
  (_, p) =>
    `{"asin":"P${p}","reviews":[${Array.from({ length: 50 }, (_, i) => (i === 49 ? '"odd"' : `{"n":${p * 50 + i}}`))}]}\n`,
).join('')

put(folder, {
  'lines.jsonl': lines,
  'lines.jsonl.gz': gzipSync(lines),
  'list.json': `[${numbers.map(object).join(',\n')}]`,
  'rows.csv': `n,text\n${rows}`,
  'rows.tsv.gz': gzipSync(`n\ttext\n${numbers.map(i => (i % 100 === 99 ? `${i}\n` : `${i}\t"${i}\n`)).join('')}`),
  'products.jsonl': products,
  'products.json': `{"products":[${products.trimEnd().replaceAll('\n', ',')}]}`,
})

const files: readonly [name: string, config: Partial<FileConfig> & Pick<FileConfig, 'paths'>, failing: number][] = [
  ['file ndjson', { paths: ['lines.jsonl'] }, 25],
  ['file ndjson, gzipped', { paths: ['*.jsonl.gz'] }, 25],
  ['file json', { paths: ['list.json'] }, 25],
  ['file csv', { paths: ['rows.csv'] }, 25],
  ['file tsv without quotes, gzipped', { paths: ['rows.tsv.gz'], quote: 'none' }, 25],
  ['file ndjson with records', { paths: ['products.jsonl'], records: 'this.reviews' }, 50],
  ['file json with records', { paths: ['products.json'], records: 'flatten(this.products.map(p, p.reviews))' }, 50],
]
for (const [name, config, failing] of files)
  sourceContract({ name, items: count, failing, open: async () => openFileSource(folder, config).source })

const scenes = {
  'http, a job and its result in pages': jobScene(
    {},
    numbers.slice(0, 7).map(n => ({ id: `r${n}`, n })),
  ),
  'http, pages': jobScene(
    {
      job: undefined,
      request: { url: `${base}/results/set-j1` },
      cursor: { id: 'this.id', field: 'this.n', as: 'number', order: 'asc' },
    },
    numbers.slice(0, 7).map(n => ({ id: `r${n}`, n })),
  ),
}
// What the pages are of, ready from the start.
scenes['http, pages'].vendor.readyAfter = 0
scenes['http, pages'].vendor.answer(new URL(`${base}/jobs`), 'POST', '{"tag":"t"}')
for (const [name, scene] of Object.entries(scenes))
  sourceContract({ name, items: 7, failing: 0, open: async () => scene.open() })

sourceContract({
  name: 'generate',
  items: count,
  failing: 118,
  open: async () =>
    generate.open(
      { count, seed: 7, malformed: 0.05, products: 20, splits: 2 },
      {
        pipeline: 'test',
        clock: systemClock,
        random: () => 0.5,
        emit: () => {},
        baseDir: folder,
        fetch: () => {
          throw new Error('the generator makes no calls')
        },
      },
    ),
})
