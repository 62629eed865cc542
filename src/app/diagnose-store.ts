// The checks of `weir doctor` on the file of an embedded store: is it whole, is it not ahead of this weir.
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { storeFile } from '../adapters/embedded-store/store-file.ts'
import type { WorkspaceDefinition } from '../config/definition.ts'
import { formatBytes } from '../core/units.ts'
import type { Finding } from './diagnose.ts'

const warnWalBytes = 64 * 1024 ** 2

/** Everything about the file, or that there is none; nothing where neither broker nor registry is embedded. `full`: indexes against tables too. */
export async function checkStore(
  { broker, registry, dataDir }: WorkspaceDefinition,
  { full }: { readonly full: boolean },
): Promise<readonly Finding[]> {
  if (broker.kind !== 'embedded' && registry.kind !== 'embedded') return []
  const file = storeFile(dataDir)
  if (!existsSync(file)) return [{ check: 'store', status: 'ok', message: 'none yet; the first run makes one' }]
  const integrity = await integrityFinding(file, full)
  return integrity.status === 'fail' ? [integrity] : [integrity, await walFinding(file)]
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

/** When the store was last written, by its file's time stamp; null when there is none. */
export async function newestWriteMs({ dataDir }: WorkspaceDefinition): Promise<number | null> {
  const file = storeFile(dataDir)
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
