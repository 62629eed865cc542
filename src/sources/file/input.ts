// Bytes of a file in order, decompressed where needed. Reading at the end gives 0 and may give more later, when the file has grown.
import type { FileHandle } from 'node:fs/promises'
import { WeirError } from '../../core/errors.ts'
import { openGunzip } from './gunzip.ts'
import { fileError } from './place.ts'

export interface ByteInput extends AsyncDisposable {
  /**
   * Fills `target` from `at` on and gives the number of bytes; 0 at the end.
   * @throws file.corrupt, file.unreadable
   */
  read(target: Buffer, at: number): Promise<number>
}

/** True when the file begins like gzip. */
export async function looksGzipped(handle: FileHandle): Promise<boolean> {
  const magic = Buffer.alloc(2)
  const { bytesRead } = await handle.read(magic, 0, 2, 0)
  return bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b
}

export function plainInput(handle: FileHandle, name: string, offset: number): ByteInput {
  let position = offset
  return {
    async read(target, at) {
      try {
        const { bytesRead } = await handle.read(target, at, target.length - at, position)
        position += bytesRead
        return bytesRead
      } catch (error) {
        throw fileError(error, name)
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** Decompresses from the start and throws away what lies before `offset`. @throws file.truncated when there is less */
export async function gzipInput(handle: FileHandle, name: string, offset: number): Promise<ByteInput> {
  const input = openGunzip(handle, name)
  let left = offset
  const waste = Buffer.allocUnsafe(Math.min(left, 256 * 1024))
  while (left > 0) {
    const bytes = await input.read(waste.subarray(0, Math.min(left, waste.length)), 0)
    if (bytes === 0) {
      await input[Symbol.asyncDispose]()
      throw new WeirError(
        'file.truncated',
        `The file holds less than the ${offset} bytes that were read of it before`,
        {
          at: name,
          hint: 'If that is meant, `weir cursor reset` starts the file over.',
        },
      )
    }
    left -= bytes
  }
  return input
}
