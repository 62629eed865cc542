import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBreakerFile } from '../../../src/adapters/breaker-file/breaker-file.ts'
import type { BreakerStore } from '../../../src/fetch/breaker.ts'

let dataDir: string
beforeEach(async () => void (dataDir = await mkdtemp(join(tmpdir(), 'weir-breaker-'))))
afterEach(() => rm(dataDir, { recursive: true, force: true }))

test('what was saved last is loaded, each pipeline and host apart, hostile names included', async () => {
  const a: BreakerStore = openBreakerFile({ dataDir, pipeline: 'a' })
  const b: BreakerStore = openBreakerFile({ dataDir, pipeline: 'b' })
  expect(await a.load('host')).toBeNull()
  await a.save('host', 'one')
  await a.save('host', 'two')
  await a.save('../../host', 'three')
  expect(await openBreakerFile({ dataDir, pipeline: 'a' }).load('host')).toBe('two')
  expect(await a.load('../../host')).toBe('three')
  expect(await b.load('host')).toBeNull()
})

test('files are for their owner only, and no temporary file stays', async () => {
  await openBreakerFile({ dataDir, pipeline: 'a' }).save('host', 'one')
  const dir = join(dataDir, 'breakers')
  const [file, ...others] = await readdir(dir)
  expect(others).toEqual([])
  expect((await stat(join(dir, file!))).mode & 0o777).toBe(0o600)
  expect((await stat(dir)).mode & 0o777).toBe(0o700)
})

test('a folder that cannot be made is an error, not silence', async () => {
  await writeFile(join(dataDir, 'breakers'), 'a file')
  await expect(openBreakerFile({ dataDir, pipeline: 'a' }).save('host', 'x')).rejects.toThrow()
})
