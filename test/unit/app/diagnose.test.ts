import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  checkClock,
  checkDataDir,
  checkMachine,
  fileSystemFinding,
  findingsOf,
  freeSpaceFinding,
  hasWalResetFix,
  type Machine,
} from '../../../src/app/diagnose.ts'
import { WeirError } from '../../../src/core/errors.ts'
import { embeddedIn } from '../../support/small-store.ts'

const machine: Machine = {
  nodeVersion: '26.10.0',
  sqliteVersion: '3.53.4',
  mode: 'source',
  platform: 'linux x64',
  uid: 1000,
}
const folder = mkdtempSync(join(tmpdir(), 'weir-doctor-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['3.51.3', true],
  ['3.51.2', false],
  ['3.50.7', true],
  ['3.50.4', false],
  ['3.44.6', true],
  ['3.44.2', false],
  ['3.49.9', false],
  ['3.53.0', true],
  ['4.0.0', true],
])('SQLite %s has the WAL-reset fix: %s', (version, fixed) => {
  expect(hasWalResetFix(version)).toBe(fixed)
  const finding = checkMachine({ ...machine, sqliteVersion: version }).find(f => f.check === 'sqlite')
  expect(finding).toMatchObject({ status: fixed ? 'ok' : 'warn' })
})

test.each<[string, number, string]>([
  ['ext4', 0xef53, 'ok'],
  ['NFS', 0x6969, 'fail'],
  ['CIFS as a signed number', -11317950, 'fail'],
  ['9p', 0x01021997, 'fail'],
  ['tmpfs', 0x01021994, 'warn'],
  ['overlayfs', 0x794c7630, 'warn'],
])('a store on %s: %s', (_name, magic, status) => expect(fileSystemFinding(magic).status).toBe(status))

test.each<[number, string]>([
  [10 * 1024 ** 3, 'ok'],
  [500 * 1024 ** 2, 'warn'],
  [10 * 1024 ** 2, 'fail'],
])('%i bytes free: %s', (bytes, status) => expect(freeSpaceFinding(bytes).status).toBe(status))

describe('the data folder', () => {
  test('one that is not there yet is fine where it can be made', async () => {
    const [finding] = await checkDataDir(embeddedIn(join(folder, 'a', 'b')), machine)
    expect(finding).toMatchObject({ status: 'ok', message: expect.stringContaining('not there yet') })
  })

  test('a file in its place fails with a way out', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(await checkDataDir(embeddedIn(file), machine)).toEqual([
      expect.objectContaining({
        status: 'fail',
        message: expect.stringContaining('is not a folder'),
        hint: expect.stringContaining('--data'),
      }),
    ])
  })

  test.skipIf(process.getuid?.() === 0)('one that cannot be written names the user', async () => {
    chmodSync(folder, 0o500)
    const [finding] = await checkDataDir(embeddedIn(folder), machine)
    chmodSync(folder, 0o700)
    expect(finding).toMatchObject({ status: 'fail', message: expect.stringContaining('uid 1000') })
  })
})

test.each<[string, number, number | null, string]>([
  ['today', Date.UTC(2026, 10, 24), null, 'ok'],
  ['1970', 0, null, 'fail'],
  ['an hour behind the store', Date.UTC(2026, 10, 24), Date.UTC(2026, 10, 24, 1), 'warn'],
  ['a second behind the store', Date.UTC(2026, 10, 24), Date.UTC(2026, 10, 24) + 1000, 'ok'],
])('a clock at %s: %4$s', (_name, now, newest, status) => {
  expect(checkClock({ now: () => now, monotonic: () => 0, sleep: async () => {} }, newest).status).toBe(status)
})

test('a check that throws is a failed check, with the hint of its error', async () => {
  expect(
    await findingsOf('store', () =>
      Promise.reject(new WeirError('log.corrupt', 'page 7 is damaged', { hint: 'Restore.' })),
    ),
  ).toEqual([{ check: 'store', status: 'fail', message: 'page 7 is damaged [log.corrupt]', hint: 'Restore.' }])
})
