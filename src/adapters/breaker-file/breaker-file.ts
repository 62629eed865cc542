// Breaker state in files, one for each pipeline and host, replaced atomically: meets `BreakerStore` of fetch/breaker.ts (I4).
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface BreakerFileOptions {
  /** Absolute path of the data folder; `breakers/` under it is made when the first state is saved, readable by its owner only. */
  readonly dataDir: string
  readonly pipeline: string
}

export interface BreakerFile {
  load(host: string): Promise<string | null>
  save(host: string, state: string): Promise<void>
}

const maxStateBytes = 4096

/** What is saved is on disk, or what was there before is: never a part. */
export function openBreakerFile({ dataDir, pipeline }: BreakerFileOptions): BreakerFile {
  const dir = join(dataDir, 'breakers')
  const fileOf = (host: string) =>
    join(
      dir,
      `${createHash('sha256')
        .update(JSON.stringify([pipeline, host]))
        .digest('hex')
        .slice(0, 32)}.json`,
    )
  return {
    async load(host) {
      try {
        const text = await readFile(fileOf(host), 'utf8')
        return text.length > maxStateBytes ? null : text
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw error
      }
    },
    async save(host, state) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const file = fileOf(host)
      const temporary = `${file}.${process.pid}.${randomUUID()}.tmp`
      try {
        const handle = await open(temporary, 'wx', 0o600)
        try {
          await handle.writeFile(state)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(temporary, file)
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    },
  }
}
