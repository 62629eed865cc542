// The checks of `weir doctor` on an embedded store that is there: opens, is whole, is not ahead of this weir, who owns what.
import { stat } from 'node:fs/promises'
import { storeFile } from '../adapters/embedded-store/store-file.ts'
import type { WorkspaceDefinition } from '../config/definition.ts'
import type { Clock } from '../core/clock.ts'
import { formatBytes } from '../core/units.ts'
import type { Finding } from './diagnose.ts'
import { openBroker, type Store, storeExists } from './open.ts'

const warnWalBytes = 64 * 1024 ** 2

export interface StoreCheckOptions {
  readonly clock: Clock
  /** Checks indexes against tables too. */
  readonly full: boolean
}

/** Everything about the store, or that there is none. @throws log.* when it cannot be opened */
export async function checkStore(
  workspace: WorkspaceDefinition,
  options: StoreCheckOptions,
): Promise<readonly Finding[]> {
  if (!storeExists(workspace)) return [{ check: 'store', status: 'ok', message: 'none yet; the first run makes one' }]
  const file = storeFile(workspace.dataDir)
  const integrity = await integrityFinding(file, options.full)
  if (integrity.status === 'fail') return [integrity]
  await using store = await openBroker(workspace, options.clock)
  return [integrity, await walFinding(file), ...(await ownerFindings(store)), await registryFinding(store)]
}

async function integrityFinding(file: string, full: boolean): Promise<Finding> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  try {
    const version = Number(Object.values(database.prepare('pragma user_version').get() ?? {})[0])
    const rows = database.prepare(full ? 'pragma integrity_check(5)' : 'pragma quick_check(5)').all()
    const said = rows.map(row => String(Object.values(row)[0]))
    const { size } = await stat(file)
    if (said.length === 1 && said[0] === 'ok')
      return { check: 'store', status: 'ok', message: `${file} is whole: ${formatBytes(size)}, format ${version}` }
    return {
      check: 'store',
      status: 'fail',
      message: `${file} is damaged: ${said[0] ?? 'no answer'}`,
      hint: 'Stop what uses it, keep a copy of the folder, and restore a backup.',
    }
  } finally {
    database.close()
  }
}

async function walFinding(file: string): Promise<Finding> {
  const bytes = await stat(`${file}-wal`).then(
    info => info.size,
    () => 0,
  )
  const message = `write-ahead log: ${formatBytes(bytes)}`
  if (bytes < warnWalBytes) return { check: 'wal', status: 'ok', message }
  return {
    check: 'wal',
    status: 'warn',
    message,
    hint: 'A reader has kept an old snapshot open for long, or the disk is slow. It shrinks once the reader is gone.',
  }
}

async function ownerFindings({ log }: Store): Promise<readonly Finding[]> {
  const pipelines = await log.pipelines()
  const running = pipelines.filter(p => p.running).map(p => p.pipeline)
  const groups = await log.groups()
  const behind = groups.reduce((sum, g) => sum + g.lag, 0n)
  return [
    {
      check: 'owners',
      status: 'ok',
      message:
        running.length > 0 ? `running: ${running.join(', ')}` : `none is running; with cursors: ${pipelines.length}`,
    },
    {
      check: 'groups',
      status: 'ok',
      message: `consumer groups: ${new Set(groups.map(g => g.group)).size}, records behind: ${behind}`,
    },
  ]
}

async function registryFinding({ registry }: Store): Promise<Finding> {
  const subjects = await registry.subjects()
  return { check: 'registry', status: 'ok', message: `${registry.kind}, subjects: ${subjects.length}` }
}

/** When the store was last written, by its file's time stamp; null when there is none. */
export async function newestWriteMs(workspace: WorkspaceDefinition): Promise<number | null> {
  if (!storeExists(workspace)) return null
  const file = storeFile(workspace.dataDir)
  const times = await Promise.all(
    [file, `${file}-wal`].map(path =>
      stat(path).then(
        info => info.mtimeMs,
        () => 0,
      ),
    ),
  )
  return Math.max(...times) || null
}
