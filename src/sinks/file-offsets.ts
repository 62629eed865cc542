// The offset record beside a data file, <path>.offsets: how long the data file is, and up to which offset of each partition it holds records.
// {"weir_file_sink":1,"length":8192,"tail_crc32":1234,"offsets":{"reviews":{"0":"17"}},"crc32":5678}: a line each time, made durable only after
// the data it speaks of; the last one holds. On opening, once it is large, or when somebody changed it, the file is replaced by one line (write
// beside, fsync, rename, fsync of the folder). A line that a crash has torn is passed over: the one before it is true of the same data file, cut back.
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { WeirError } from '../core/errors.ts'
import { syncFolder, writeAll } from './file-durable.ts'

/** Bytes before `length` that are checked against `tailCrc`, to know the data file as our own. */
export const tailBytes = 4096
const version = 1
/** A larger file is not ours, and is not parsed. */
const maxReadBytes = 16 * 1024 * 1024
/** A line that would make the file larger replaces it instead. */
const replaceAtBytes = 64 * 1024

export interface OffsetRecord {
  readonly length: number
  /** CRC-32 of the last `tailBytes` before `length`. */
  readonly tailCrc: number
  /** Topic to partition to next offset. */
  readonly offsets: ReadonlyMap<string, ReadonlyMap<number, bigint>>
}

/** The file, open, as we left it. */
export interface OffsetFile {
  readonly handle: FileHandle
  readonly ino: number
  readonly dev: number
  readonly bytes: number
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
  const record = text.length <= maxReadBytes ? lastRecord(text) : undefined
  if (record) return record
  throw new WeirError('sink.damaged', `${path} is not an offset record of this weir, or is damaged`, {
    at: path,
    hint: 'Restore it with its data file from a backup, or remove both to write the file again from the start of the topic.',
  })
}

/** Makes the record durable, as the only one in its file. */
export async function replaceOffsets(dataPath: string, record: OffsetRecord): Promise<OffsetFile> {
  const path = offsetsPath(dataPath)
  const beside = `${path}.tmp`
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants
  const handle = await open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
  try {
    const line = Buffer.from(print(record))
    await handle.writeFile(line)
    await handle.sync()
    await rename(beside, path)
    await syncFolder(dirname(path))
    const { ino, dev } = await handle.stat()
    return { handle, ino, dev, bytes: line.length }
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
}

/** Makes the record durable. @returns the file from now on; the one given is not to be used any more. After a failure it is still to be closed */
export async function appendOffsets(dataPath: string, file: OffsetFile, record: OffsetRecord): Promise<OffsetFile> {
  const { handle, ino, dev, bytes } = file
  const line = Buffer.from(print(record))
  const there = await lstat(offsetsPath(dataPath)).catch(() => null)
  // Removed, replaced or changed by somebody: it is written anew.
  const isOurs = there?.ino === ino && there.dev === dev && there.size === bytes
  if (!isOurs || bytes + line.length > replaceAtBytes) {
    const replaced = await replaceOffsets(dataPath, record)
    await handle.close().catch(() => {})
    return replaced
  }
  await writeAll(handle, line, bytes)
  await handle.datasync()
  return { ...file, bytes: bytes + line.length }
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

/**
 * The last line that was written whole. Of one that was on its way when the power went, any part may have reached the disk: it ends early, or has
 * holes that read as NUL, which JSON never holds. A line that is wrong in another way was changed by somebody, and is not passed over.
 */
function lastRecord(text: string): OffsetRecord | undefined {
  const end = text.lastIndexOf('\n')
  const from = startOfLine(text, end)
  const last = text.slice(from, Math.max(end, from))
  const before = Math.max(0, from - 1)
  return parse(last.includes('\0') ? text.slice(startOfLine(text, before), before) : last)
}

const startOfLine = (text: string, end: number): number => (end < 1 ? 0 : text.lastIndexOf('\n', end - 1) + 1)

function parse(line: string): OffsetRecord | undefined {
  const match = /^(\{.*),"crc32":(\d+)\}$/s.exec(line)
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
