// Set J, the source's side: how each case is set up. A case gives the definition of a file source over a folder made for it.
import { spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { SourceBatch } from '../../src/core/record.ts'
import type { FileConfig } from '../../src/sources/file/settings.ts'
import { type OpenSource, openFileSource, put } from '../support/file-source.ts'

export type Arrange = (folder: string) => Setup

export interface Setup {
  readonly config: Partial<FileConfig> & Pick<FileConfig, 'paths'>
  /** Done between two passes; the second goes on from the cursor of the first. */
  readonly between?: () => void
  /** Read as a user without rights. */
  readonly asNobody?: boolean
}

const line = (n: number) => `{"n":${n}}\n`

function writing(name: string, content: string | Uint8Array, config: Partial<FileConfig> = {}): Arrange {
  return folder => {
    put(folder, { [name]: content })
    return { config: { paths: [name], ...config } }
  }
}

/** A gzip member whose header names a path that climbs out of the folder. */
function slippingGzip(): Buffer {
  const plain = gzipSync(line(1))
  const header = Buffer.from(plain.subarray(0, 10))
  header[3] = 8
  return Buffer.concat([header, Buffer.from('../../escaped.jsonl\0'), plain.subarray(10)])
}

export const arrangements: Readonly<Record<string, Arrange>> = {
  missing: () => ({ config: { paths: ['absent.jsonl'] } }),
  dir: folder => {
    mkdirSync(join(folder, 'a.jsonl'))
    return { config: { paths: ['a.jsonl'] } }
  },
  fifo: folder => {
    spawnSync('mkfifo', [join(folder, 'a.jsonl')])
    return { config: { paths: ['a.jsonl'] } }
  },
  device: () => ({ config: { paths: ['/dev/zero'], root: '/dev', format: 'ndjson' } }),
  'symlink out of root': folder => {
    put(folder, { 'outside/a.jsonl': line(1) })
    mkdirSync(join(folder, 'inside'))
    symlinkSync('../outside/a.jsonl', join(folder, 'inside/a.jsonl'))
    return { config: { paths: ['inside/a.jsonl'], root: 'inside' } }
  },
  'symlink loop': folder => {
    symlinkSync('b.jsonl', join(folder, 'a.jsonl'))
    symlinkSync('a.jsonl', join(folder, 'b.jsonl'))
    return { config: { paths: ['a.jsonl'] } }
  },
  '`..` in name from data': () => ({ config: { paths: ['../a.jsonl'] } }),
  'absolute name from data': () => ({ config: { paths: ['/etc/hostname'], format: 'ndjson' } }),
  'name 300 bytes': () => ({ config: { paths: [`${'n'.repeat(294)}.jsonl`] } }),
  'name with newline': writing('two\nlines.jsonl', line(1)),
  NUL: () => ({ config: { paths: ['a\0b.jsonl'] } }),
  'reserved chars': writing('a:b?c*"<d>|[1].jsonl', line(1)),
  unreadable: folder => {
    put(folder, { 'a.jsonl': line(1) })
    chmodSync(folder, 0o755)
    chmodSync(join(folder, 'a.jsonl'), 0o000)
    return { config: { paths: ['a.jsonl'] }, asNobody: true }
  },
  'grows while read': folder => {
    put(folder, { 'a.jsonl': line(1) + line(2) })
    return { config: { paths: ['a.jsonl'] }, between: () => appendFileSync(join(folder, 'a.jsonl'), line(3)) }
  },
  'truncated while read': folder => {
    put(folder, { 'a.jsonl': line(1) })
    return { config: { paths: ['a.jsonl'] }, between: () => truncateSync(join(folder, 'a.jsonl'), 3) }
  },
  rotated: folder => {
    put(folder, { 'a.jsonl': '{"n":10}\n{"n":11}\n' })
    return {
      config: { paths: ['a.jsonl'] },
      between: () => {
        renameSync(join(folder, 'a.jsonl'), join(folder, 'a.jsonl.1'))
        appendFileSync(join(folder, 'a.jsonl.1'), '{"n":12}\n')
        writeFileSync(join(folder, 'a.jsonl'), '{"n":20}\n')
      },
    }
  },
  'replaced inode': folder => {
    put(folder, { 'a.jsonl': line(1) })
    return {
      config: { paths: ['a.jsonl'] },
      between: () => {
        put(folder, { 'b.jsonl': line(2) })
        renameSync(join(folder, 'b.jsonl'), join(folder, 'a.jsonl'))
      },
    }
  },
  'zero bytes': writing('a.jsonl', ''),
  'no last newline': writing('a.jsonl', line(1) + line(2).trimEnd()),
  '100 MB line': folder => {
    writeFileSync(join(folder, 'a.jsonl'), line(1))
    const part = Buffer.alloc(1024 * 1024, 'x')
    for (let i = 0; i < 100; i++) appendFileSync(join(folder, 'a.jsonl'), part)
    appendFileSync(join(folder, 'a.jsonl'), `\n${line(2)}`)
    return { config: { paths: ['a.jsonl'] } }
  },
  'CRLF mix': writing('a.jsonl', '{"n":1}\r\n{"n":2}\n\r\n\n{"n":3}\r\n'),
  'CSV quote never closed': writing('a.csv', 'a,b\r\n1,2\n"3,4\r\n5,6\n'),
  'CSV ragged': writing('a.csv', 'a,b\n1,2\n3\n4,5,6\n7,8\n'),
  'CSV 10k columns': writing(
    'a.csv',
    `${Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',')}\n${'1,'.repeat(9_999)}1\n`,
  ),
  'gzip file bomb': writing('a.jsonl.gz', gzipSync(Buffer.alloc(256 * 1024 * 1024, 0x20), { level: 9 }).subarray(0)),
  'zip slip': writing('a.jsonl.gz', slippingGzip()),
  'hidden file': folder => {
    put(folder, { '.hidden.jsonl': line(1), 'a.jsonl': line(1) })
    return { config: { paths: ['*.jsonl'] } }
  },
}

export interface Reading {
  readonly batches: SourceBatch[]
  readonly error: unknown
}

/** One or two passes over all files of the case. */
export async function read(folder: string, setup: Setup): Promise<Reading> {
  const batches: SourceBatch[] = []
  const cursors = new Map<string, string>()
  const asNobody = setup.asNobody && process.getuid?.() === 0
  try {
    if (asNobody) process.seteuid?.(65534)
    await using opened = openFileSource(folder, setup.config)
    await pass(opened, batches, cursors)
    if (setup.between) {
      setup.between()
      await pass(opened, batches, cursors)
    }
    return { batches, error: undefined }
  } catch (error) {
    return { batches, error }
  } finally {
    if (asNobody) process.seteuid?.(0)
  }
}

async function pass({ source }: OpenSource, batches: SourceBatch[], cursors: Map<string, string>): Promise<void> {
  const { signal } = new AbortController()
  for (const split of await source.splits(signal))
    for await (const batch of source.read(split, cursors.get(split.id) ?? null, signal)) {
      batches.push(batch)
      cursors.set(split.id, batch.cursor)
    }
}
