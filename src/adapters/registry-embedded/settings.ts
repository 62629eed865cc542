// Levels, modes and `normalize`: global, of a subject, and what is in effect.
import { type CompatibilityLevel, compatibilityLevels } from '../../pipeline/ports.ts'
import type { Sql } from '../embedded-store/store.ts'
import { refusals } from './refusal.ts'
import { hasVersions, type Mode, modes, putSetting, type Setting, settingOf, subjectNames } from './rows.ts'

/** The subject under which the global setting stands. */
const everywhere = ''

export interface Effect {
  readonly level: CompatibilityLevel
  readonly normalize: boolean
  readonly mode: Mode
}

/** What is in effect for a subject; without one, globally. */
export function inEffect(sql: Sql, subject: string | null): Effect {
  const global = settingOf(sql, everywhere)
  const own = subject === null ? global : settingOf(sql, subject)
  return {
    level: own.level ?? global.level ?? 'BACKWARD',
    normalize: own.normalize ?? global.normalize ?? false,
    mode: global.mode === 'READONLY_OVERRIDE' ? global.mode : (own.mode ?? global.mode ?? 'READWRITE'),
  }
}

/** What was set for the subject itself, or globally. */
export const ownSetting = (sql: Sql, subject: string | null): Setting => settingOf(sql, subject ?? everywhere)

/** @throws 42205 */
export function requireWritable(sql: Sql, subject: string | null): void {
  const { mode } = inEffect(sql, subject)
  if (mode === 'READONLY' || mode === 'READONLY_OVERRIDE')
    throw refusals.notPermitted(`Subject ${subject} in context . is in read-only mode`)
}

/** Schemas come with ids and versions of elsewhere. */
export const takesForeignIds = (mode: Mode): boolean => mode === 'IMPORT' || mode === 'FORWARD'

/** @throws 42205 */
export function requireRegistrable(sql: Sql, subject: string, withId: boolean): void {
  requireWritable(sql, subject)
  const { mode } = inEffect(sql, subject)
  if (withId && !takesForeignIds(mode))
    throw refusals.notPermitted(`Subject ${subject} in context . is not in import mode`)
  if (!withId && mode !== 'READWRITE')
    throw refusals.notPermitted(`Subject ${subject} in context . is not in read-write mode`)
}

/** Changes what is given, leaves the rest. @returns the setting as it is now @throws 42205 */
export function setConfig(
  sql: Sql,
  subject: string | null,
  change: { readonly level?: CompatibilityLevel; readonly normalize?: boolean },
): Setting {
  requireWritable(sql, subject)
  const setting = { ...ownSetting(sql, subject), ...change }
  putSetting(sql, subject ?? everywhere, setting)
  return setting
}

/** @returns what was set before @throws 40401, 42205 */
export function removeConfig(sql: Sql, subject: string | null): Setting {
  const before = ownSetting(sql, subject)
  if (subject !== null && before.level === null && before.normalize === null) throw refusals.unknownSubject(subject)
  requireWritable(sql, subject)
  putSetting(sql, subject ?? everywhere, { ...before, level: null, normalize: null })
  return before
}

/** `force`: IMPORT although there are versions. @throws 42204, 42205 */
export function setMode(sql: Sql, subject: string | null, mode: Mode | null, force: boolean): void {
  if (mode === 'FORWARD' && subject !== null) throw refusals.invalidMode('Forward mode only supported on global level')
  if (mode === 'IMPORT' && !force && inEffect(sql, subject).mode !== 'IMPORT') {
    const taken = subject === null ? subjectNames(sql, 'live').length > 0 : hasVersions(sql, subject, false)
    if (taken) throw refusals.notPermitted('Cannot import since found existing subjects')
  }
  putSetting(sql, subject ?? everywhere, { ...ownSetting(sql, subject), mode })
}

/** @returns the mode that was set @throws 40401 */
export function removeMode(sql: Sql, subject: string | null): Mode {
  const before = ownSetting(sql, subject)
  if (before.mode === null) throw refusals.unknownSubject(String(subject))
  putSetting(sql, subject ?? everywhere, { ...before, mode: null })
  return before.mode
}

/** @throws 42203 */
export function levelNamed(name: string): CompatibilityLevel {
  const level = compatibilityLevels.find(each => each === name.toUpperCase())
  if (level === undefined) throw refusals.invalidLevel()
  return level
}

/** @throws 42204 */
export function modeNamed(name: string): Mode {
  const mode = modes.find(each => each === name.toUpperCase())
  if (mode === undefined) throw refusals.invalidMode()
  return mode
}
