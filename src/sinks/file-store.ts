// A data file and its offset record, moved together: after a crash at any instant the file is cut back to what the record covers, so it
// holds every record up to the recorded offsets exactly once. States: sound -> (a write fails) suspect -> recover from disk -> sound;
// in suspect nothing in memory is trusted (L2).
import type { FileHandle } from 'node:fs/promises'
import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { WeirError } from '../core/errors.ts'
import { failpoint } from '../core/failpoint.ts'
import { syncFolder, writeAll } from './file-durable.ts'
import { lockFile } from './file-lock.ts'
import {
  appendOffsets,
  type OffsetFile,
  type OffsetRecord,
  readOffsets,
  replaceOffsets,
  tailBytes,
} from './file-offsets.ts'
import { openRegular, unwritable } from './file-place.ts'

export interface NextOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export interface FileStore extends AsyncDisposable {
  /** The next offset the file lacks, null where it has no record of the partition. */
  nextOffset(topic: string, partition: number): bigint | null
  /** Reads everything back from disk when the last write left a doubt. @throws as append */
  settle(): Promise<void>
  /**
   * Appends the bytes and records the offsets; resolves once both are durable. After a failure the file is as before, or as after.
   * @throws sink.failed (try again), sink.damaged (the files were changed from outside)
   */
  append(bytes: Buffer, next: readonly NextOffset[]): Promise<void>
}

interface State {
  readonly handle: FileHandle
  readonly offsetFile: OffsetFile
  readonly record: OffsetRecord
  /** The last bytes of the file, at most `tailBytes`. */
  readonly tail: Buffer
}

/** Opens or makes the file at `path`, alone. @throws sink.locked, sink.damaged, file.unreadable */
export async function openFileStore(path: string): Promise<FileStore> {
  using cleanup = new DisposableStack()
  const lock = cleanup.use(lockFile(`${path}.lock`, path))
  let state: State = await recover(path, true).catch(error => {
    throw error instanceof WeirError ? error : unwritable(path, error)
  })
  let sound = true
  const settle = async (): Promise<void> => {
    if (sound) return
    await close(state)
    try {
      state = await recover(path, false)
      sound = true
    } catch (error) {
      throw failure(path, error)
    }
  }
  cleanup.move()
  return {
    nextOffset: (topic, partition) => state.record.offsets.get(topic)?.get(partition) ?? null,
    settle,
    async append(bytes, next) {
      await settle()
      sound = false
      let written = false
      try {
        await checkOwn(path, state)
        const after = advance(state, bytes, next)
        await writeAll(state.handle, bytes, state.record.length)
        failpoint('sink_file.before_sync')
        if (bytes.length > 0) await state.handle.datasync()
        failpoint('sink_file.after_sync')
        written = true
        state = { ...state, ...after, offsetFile: await appendOffsets(path, state.offsetFile, after.record) }
        sound = true
      } catch (error) {
        // Before the record is touched the old length holds: cutting back at once frees the space of a full disk.
        if (!written && codeOf(error) !== 'sink.damaged')
          await state.handle.truncate(state.record.length).catch(() => {})
        throw failure(path, error)
      }
    },
    async [Symbol.asyncDispose]() {
      await close(state)
      lock[Symbol.dispose]()
    },
  }
}

/** The state as the disk has it: data cut back to the recorded length, both files durable. */
async function recover(path: string, first: boolean): Promise<State> {
  const record = await readOffsets(path)
  if (record === null) {
    if (!first) throw damaged(path, `${path}.offsets was removed while the sink was at work`)
    return begin(path)
  }
  const handle = await openRegular(path, false).catch(error => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw damaged(path, `${path} is gone, its offset record is still there`)
  })
  try {
    const { size } = await handle.stat()
    if (size < record.length) throw damaged(path, `${path} has ${size} bytes, ${record.length} were written`)
    const tail = Buffer.alloc(Math.min(record.length, tailBytes))
    await handle.read(tail, 0, tail.length, record.length - tail.length)
    if (crc32(tail) !== record.tailCrc) throw damaged(path, `${path} does not end in what was written to it`)
    if (size > record.length) await handle.truncate(record.length)
    await handle.sync()
    return { handle, record, tail, offsetFile: await replaceOffsets(path, record) }
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
}

/** A new file, its empty record durable before any data. */
async function begin(path: string): Promise<State> {
  const handle = await openRegular(path, true)
  try {
    if ((await handle.stat()).size > 0) throw damaged(path, `${path} is there already and was not written by this sink`)
    const record: OffsetRecord = { length: 0, tailCrc: crc32(''), offsets: new Map() }
    await handle.sync()
    await syncFolder(dirname(path))
    return { handle, record, tail: Buffer.alloc(0), offsetFile: await replaceOffsets(path, record) }
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
}

async function close({ handle, offsetFile }: State): Promise<void> {
  for (const each of [handle, offsetFile.handle]) await each.close().catch(() => {})
}

function advance({ record, tail }: State, bytes: Buffer, next: readonly NextOffset[]): Pick<State, 'record' | 'tail'> {
  const offsets = new Map([...record.offsets].map(([topic, partitions]) => [topic, new Map(partitions)]))
  for (const { topic, partition, offset } of next) {
    const partitions = offsets.get(topic) ?? new Map<number, bigint>()
    offsets.set(topic, partitions.set(partition, offset))
  }
  const newTail = Buffer.from(
    bytes.length >= tailBytes ? bytes.subarray(-tailBytes) : Buffer.concat([tail, bytes]).subarray(-tailBytes),
  )
  return {
    tail: newTail,
    record: { length: record.length + bytes.length, tailCrc: crc32(newTail), offsets },
  }
}

/** Holds that the file at `path` is still the one we have open, and as long as we left it. */
async function checkOwn(path: string, { handle, record }: State): Promise<void> {
  const [there, ours] = await Promise.all([lstat(path).catch(() => null), handle.stat()])
  if (!there) throw damaged(path, `${path} was removed while the sink was at work`)
  if (there.ino !== ours.ino || there.dev !== ours.dev)
    throw damaged(path, `${path} was replaced while the sink was at work`)
  if (ours.size !== record.length)
    throw damaged(
      path,
      `${path} has ${ours.size} bytes, but the sink wrote ${record.length}: something else writes to it`,
    )
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string } | undefined)?.code

function damaged(path: string, message: string): WeirError {
  return new WeirError('sink.damaged', message, {
    at: path,
    hint: `Restore ${path} and ${path}.offsets together, or move both away to write the file again from the start of the topic.`,
  })
}

function failure(path: string, error: unknown): WeirError {
  if (error instanceof WeirError) return error
  const code = codeOf(error) ?? 'unknown'
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
  return new WeirError('sink.failed', `${path} cannot be written (${code})`, {
    at: path,
    hint: full ? 'Make room: the sink goes on by itself.' : 'The sink tries again by itself; check the disk.',
    cause: error,
  })
}
