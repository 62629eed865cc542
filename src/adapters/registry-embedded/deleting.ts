// Soft and permanent deletion of versions and subjects, in the order in which Confluent's registry checks.
import type { Sql } from '../embedded-store/store.ts'
import { refusals } from './refusal.ts'
import { allVersions, hardDelete, hasVersions, oneVersion, putSetting, referringTo, softDelete } from './rows.ts'
import { requireWritable } from './settings.ts'

/** @returns the version that is gone now @throws 40401, 40402, 40406, 40407, 42205, 42206 */
export function deleteVersion(sql: Sql, subject: string, version: number | 'latest', permanent: boolean): number {
  const found = oneVersion(sql, subject, version, true)
  const asked = version === 'latest' ? -1 : version
  if (found && !permanent && oneVersion(sql, subject, version, false) === null)
    throw refusals.versionSoftDeleted(subject, asked)
  if (found === null)
    throw hasVersions(sql, subject, true) ? refusals.unknownVersion(asked) : refusals.unknownSubject(subject)
  // A soft deletion of the latest means the latest that is still there.
  const target = permanent ? found : oneVersion(sql, subject, version, false)!
  requireWritable(sql, subject)
  if (referringTo(sql, subject, target.version, permanent).length > 0)
    throw refusals.referenced(subject, target.version)
  if (!permanent) softDelete(sql, subject, target.version)
  else {
    if (!target.deleted) throw refusals.versionNotSoftDeleted(subject, target.version)
    hardDelete(sql, subject, target.version)
    if (!hasVersions(sql, subject, true)) forgetSetting(sql, subject)
  }
  return target.version
}

/** @returns the versions that are gone now @throws 40401, 40404, 40405, 42205, 42206 */
export function deleteSubject(sql: Sql, subject: string, permanent: boolean): number[] {
  if (!hasVersions(sql, subject, true)) throw refusals.unknownSubject(subject)
  if (!permanent && !hasVersions(sql, subject, false)) throw refusals.subjectSoftDeleted(subject)
  requireWritable(sql, subject)
  const versions = allVersions(sql, subject).filter(each => permanent || !each.deleted)
  for (const { version, deleted } of versions) {
    if (referringTo(sql, subject, version, permanent).some(each => each.subject !== subject))
      throw refusals.referenced(subject, version)
    if (permanent && !deleted) throw refusals.subjectNotSoftDeleted(subject)
  }
  for (const { version } of versions)
    if (permanent) hardDelete(sql, subject, version)
    else softDelete(sql, subject, version)
  if (permanent) forgetSetting(sql, subject)
  return versions.map(each => each.version)
}

function forgetSetting(sql: Sql, subject: string): void {
  putSetting(sql, subject, { level: null, normalize: null, mode: null })
}
