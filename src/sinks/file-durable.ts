// Steps by which a file gets onto the disk: all of its bytes, and the names in its folder.
import { type FileHandle, open } from 'node:fs/promises'

/** All of the bytes, from this place of the file on. */
export async function writeAll(handle: FileHandle, bytes: Buffer, from: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, from + done)
    done += bytesWritten
  }
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
