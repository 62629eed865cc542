// The offset record beside a data file, <path>.offsets: how long the data file is, and up to which offset of each partition it holds records.
// {"weir_file_sink":1,"length":8192,"tail_crc32":1234,"offsets":{"reviews":{"0":"17"}},"crc32":5678}: one line, replaced as a whole
// (write beside, fsync, rename, fsync of the folder), only after the data it speaks of is fsynced.
import { constants } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { WeirError } from '../core/errors.ts'

/** Bytes before `length` that are checked against `tailCrc`, to know the data file as our own. */
export const tailBytes = 4096
const version = 1
const maxRecordBytes = 16 * 1024 * 1024

export interface OffsetRecord {
  readonly length: number
  /** CRC-32 of the last `tailBytes` before `length`. */
  readonly tailCrc: number
  /** Topic to partition to next offset. */
  readonly offsets: ReadonlyMap<string, ReadonlyMap<number, bigint>>
}

const offsetsPath = (dataPath: string): string => `${dataPath}.offsets`

/** The record, or null when there is none. @throws sink.damaged */
export async function readOffsets(dataPath: string): Promise<OffsetRecord | null> {
  const path = offsetsPath(dataPath)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const record = text.length <= maxRecordBytes ? parse(text) : undefined
  if (record) return record
  throw new WeirError('sink.damaged', `${path} is not an offset record of this weir, or is damaged`, {
    at: path,
    hint: 'Restore it with its data file from a backup, or remove both to write the file again from the start of the topic.',
  })
}

/** Makes the record durable. */
export async function writeOffsets(dataPath: string, record: OffsetRecord): Promise<void> {
  const path = offsetsPath(dataPath)
  const beside = `${path}.tmp`
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants
  const file = await open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
  try {
    await file.writeFile(print(record))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, path)
  await syncFolder(dirname(path))
}

/** Makes the names in a folder durable: files made in it and renames. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function print({ length, tailCrc, offsets }: OffsetRecord): string {
  const plain = Object.fromEntries(
    [...offsets].map(([topic, partitions]) => [
      topic,
      Object.fromEntries([...partitions].map(([partition, offset]) => [partition, String(offset)])),
    ]),
  )
  const body = JSON.stringify({ weir_file_sink: version, length, tail_crc32: tailCrc, offsets: plain }).slice(0, -1)
  return `${body},"crc32":${crc32(body)}}\n`
}

function parse(text: string): OffsetRecord | undefined {
  const match = /^(\{.*),"crc32":(\d+)\}\n$/s.exec(text)
  if (!match || crc32(match[1]!) !== Number(match[2])) return undefined
  const { weir_file_sink, length, tail_crc32, offsets } = JSON.parse(`${match[1]}}`) as {
    weir_file_sink: unknown
    length: number
    tail_crc32: number
    offsets: Record<string, Record<string, string>>
  }
  if (weir_file_sink !== version) return undefined
  return {
    length,
    tailCrc: tail_crc32,
    offsets: new Map(
      Object.entries(offsets).map(([topic, partitions]) => [
        topic,
        new Map(Object.entries(partitions).map(([partition, offset]) => [Number(partition), BigInt(offset)])),
      ]),
    ),
  }
}
