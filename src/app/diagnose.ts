// The checks of `weir doctor`: this machine, the store, the pipelines here. Each check ends in one finding; none of them changes anything.
import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { WorkspaceDefinition } from '../config/definition.ts'
import type { Clock } from '../core/clock.ts'
import { weirErrorOf } from '../core/errors.ts'
import { formatBytes, formatDuration } from '../core/units.ts'

export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly message: string
  readonly hint?: string
}

export interface Machine {
  readonly nodeVersion: string
  readonly sqliteVersion: string
  /** `source` when TypeScript is run as it is, `dist` when it was built. */
  readonly mode: 'source' | 'dist'
  readonly platform: string
  readonly uid: number | null
}

const warnFreeBytes = 1024 ** 3
const minFreeBytes = 64 * 1024 ** 2
/** Before this weir was written no clock can be right. */
const earliestNowMs = Date.UTC(2026, 0, 1)
const maxClockSkewMs = 60_000

/** The runtime. Pure, so that old versions can be tested on a new one. */
export function checkMachine(machine: Machine): readonly Finding[] {
  const { nodeVersion, sqliteVersion, mode, platform } = machine
  return [
    { check: 'node', status: 'ok', message: `Node ${nodeVersion} on ${platform}` },
    hasWalResetFix(sqliteVersion)
      ? { check: 'sqlite', status: 'ok', message: `SQLite ${sqliteVersion}` }
      : {
          check: 'sqlite',
          status: 'warn',
          message: `SQLite ${sqliteVersion} has the WAL-reset bug: two processes on one store can, rarely, damage it`,
          hint: 'Use a Node with SQLite 3.51.3 or newer (https://sqlite.org/wal.html#walresetbug), or run one process per store.',
        },
    {
      check: 'weir',
      status: 'ok',
      message: mode === 'source' ? 'runs from its TypeScript sources' : 'runs from its build',
    },
  ]
}

/** Fixed in 3.51.3, and carried back to 3.50.7 and 3.44.6. */
export function hasWalResetFix(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major !== 3) return major > 3
  if (minor === 44) return patch >= 6
  if (minor === 50) return patch >= 7
  return minor > 51 || (minor === 51 && patch >= 3)
}

/** The folder of the store: can it be written, does its file system lock, is there room. */
export async function checkDataDir({ dataDir }: WorkspaceDefinition, machine: Machine): Promise<readonly Finding[]> {
  const existing = await nearestFolder(dataDir)
  const there = existing === dataDir
  const findings: Finding[] = []
  try {
    if (!(await stat(existing)).isDirectory())
      return [
        {
          check: 'data folder',
          status: 'fail',
          message: `${existing} is not a folder`,
          hint: 'Name another one with --data DIR.',
        },
      ]
    await access(existing, constants.R_OK | constants.W_OK | constants.X_OK)
    findings.push({
      check: 'data folder',
      status: 'ok',
      message: there ? `${dataDir} can be written` : `${dataDir} is not there yet; a run can make it`,
    })
  } catch (error) {
    findings.push({
      check: 'data folder',
      status: 'fail',
      message: `${existing} cannot be written by uid ${machine.uid ?? 'unknown'} (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
      hint: 'Give that user the right to write there, or name another folder with --data DIR.',
    })
  }
  const { type, bavail, bsize } = await statfs(existing)
  findings.push(fileSystemFinding(type), freeSpaceFinding(bavail * bsize))
  return findings
}

/** The folder itself, or the nearest one above it that is there. */
async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const there = await stat(at).then(
      () => true,
      error => error.code !== 'ENOENT',
    )
    if (there || dirname(at) === at) return at
  }
}

/** Magic numbers of statfs(2), from linux/magic.h. */
const networkFileSystems = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9p'],
  [0x0bd00bd0, 'Lustre'],
])
const passingFileSystems = new Map([
  [0x01021994, 'tmpfs: it is gone after a restart of the machine'],
  [0x794c7630, 'overlayfs: it is gone with the container; mount a volume there'],
  [0x65735546, 'FUSE: locking depends on what is behind it'],
])

/** What a file system does to a SQLite store in WAL mode, which needs shared memory and working locks. */
export function fileSystemFinding(magic: number): Finding {
  const type = magic >>> 0
  const network = networkFileSystems.get(type)
  if (network)
    return {
      check: 'file system',
      status: 'fail',
      message: `the data folder is on ${network}: SQLite cannot share a store over a network`,
      hint: 'Put the data folder on a local disk.',
    }
  const passing = passingFileSystems.get(type)
  return passing
    ? { check: 'file system', status: 'warn', message: `the data folder is on ${passing}` }
    : { check: 'file system', status: 'ok', message: 'the data folder is on a local disk' }
}

export function freeSpaceFinding(freeBytes: number): Finding {
  const message = `${formatBytes(freeBytes)} free`
  if (freeBytes >= warnFreeBytes) return { check: 'disk', status: 'ok', message }
  return {
    check: 'disk',
    status: freeBytes < minFreeBytes ? 'fail' : 'warn',
    message: `only ${message}`,
    hint: 'Make room, or set retention on the topics.',
  }
}

/** Wall clock against what the store, or other machines through the cluster, and this weir already know of time. */
export function checkClock(clock: Clock, newestWriteMs: number | null): Finding {
  const now = clock.now()
  if (now < earliestNowMs)
    return {
      check: 'clock',
      status: 'fail',
      message: `the clock says ${new Date(now).toISOString()}, before this weir was made`,
      hint: 'Set the clock: time stamps of records and TLS certificates depend on it.',
    }
  if (newestWriteMs !== null && newestWriteMs - now > maxClockSkewMs)
    return {
      check: 'clock',
      status: 'warn',
      message: `the clock is ${formatDuration(newestWriteMs - now)} behind the newest write`,
      hint: 'The clock went back, or that of the machine that wrote is ahead. Cursors and ownership do not depend on it; time stamps of records do.',
    }
  return { check: 'clock', status: 'ok', message: new Date(now).toISOString() }
}

/** A check that may throw as findings: what it throws is a failed check. */
export async function findingsOf(check: string, run: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await run()
  } catch (thrown) {
    const error = weirErrorOf(thrown)
    return [
      {
        check,
        status: 'fail',
        message: error ? `${error.message} [${error.code}]` : (thrown as Error).message,
        ...(error?.hint ? { hint: error.hint } : {}),
      },
    ]
  }
}
