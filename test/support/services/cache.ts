// What tests download once and keep: a folder outside the work tree, one entry a version. An entry is whole or not there, also when
// several processes make it at the same time or one is killed half-way.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** WEIR_TEST_CACHE, else `weir-test` in the user's cache folder. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.WEIR_TEST_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'weir-test')
}

/** The folder of `key`, made by `make` in an empty one when it is not there yet. A failed `make` leaves nothing. */
export async function cached(key: string, make: (dir: string) => Promise<void>, dir = cacheDir()): Promise<string> {
  const target = join(dir, key)
  if (existsSync(target)) return target
  await mkdir(dirname(target), { recursive: true })
  const lock = `${target}.lock`
  while (!(await taken(lock))) {
    if (existsSync(target)) return target
    await removeIfAbandoned(lock)
    await delay(50)
  }
  try {
    if (existsSync(target)) return target
    const scratch = await mkdtemp(`${target}.making-`)
    try {
      await make(scratch)
      await rename(scratch, target)
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
    return target
  } finally {
    await rm(lock, { force: true })
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx')
    await file.writeFile(String(process.pid))
    await file.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A lock whose process has ended, or that never got a process written into it. */
async function removeIfAbandoned(lock: string): Promise<void> {
  try {
    const pid = Number(await readFile(lock, 'utf8'))
    const abandoned = pid > 0 ? !isAlive(pid) : Date.now() - (await stat(lock)).mtimeMs > 10_000
    if (abandoned) await rm(lock, { force: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
