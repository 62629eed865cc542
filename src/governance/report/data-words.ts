// The proof on data in words, the same in every form of a report.
import type { DataCheck, FailedRecord } from '../review.ts'
import { count } from './words.ts'

export interface FailedGroup {
  readonly message: string
  /** Partition and offset of each: `0/17, 0/112`; three and more in a row as `0/3 to 0/9`. */
  readonly places: string
}

/** Failed records by why they fail, each with its place. */
export function failedGroups(failures: readonly FailedRecord[]): readonly FailedGroup[] {
  return [...Map.groupBy(failures, ({ message }) => message)].map(([message, group]) => ({
    message,
    places: [...Map.groupBy(group, ({ partition }) => partition)]
      .sort(([a], [b]) => a - b)
      .flatMap(([partition, each]) => rowsOf(each).map(row => rowText(partition, row)))
      .join(', '),
  }))
}

/** Offsets in the order they came, those that follow each other together. */
function rowsOf(failures: readonly FailedRecord[]): readonly (readonly string[])[] {
  const rows: string[][] = []
  for (const { offset } of failures) {
    const row = rows.at(-1)
    if (row && follows(row.at(-1)!, offset)) row.push(offset)
    else rows.push([offset])
  }
  return rows
}

const follows = (before: string, offset: string) =>
  /^\d{1,19}$/.test(before) && /^\d{1,19}$/.test(offset) && BigInt(before) + 1n === BigInt(offset)

function rowText(partition: number, row: readonly string[]): string {
  if (row.length < 3) return row.map(offset => `${partition}/${offset}`).join(', ')
  return `${partition}/${row[0]} to ${partition}/${row.at(-1)}`
}

/** `37 of 10,000 records of raw_reviews cannot be read`, and what follows when not all are named. */
export function failedText({ topic, records, failed }: DataCheck): string {
  return `${failed.toLocaleString('en-US')} of ${count(records, 'record')} of ${topic} cannot be read with the new schema`
}

const versionText = (version: number | null, id: number) =>
  version === null ? `schema id ${id}` : `version ${version}`

/** What else the records told, a sentence each. */
export function dataNotes(data: DataCheck): readonly string[] {
  const { records, retained, tombstones, damaged, failures, failed, lost, refused, readers, deadLetters } = data
  const more = failed - failures.length
  return [
    ...(more > 0 ? [`${count(more, 'more record')} fail and are not named.`] : []),
    ...(records < retained
      ? [`The oldest ${count(records, 'record')} were read; the topic holds ${count(retained, 'offset')}.`]
      : []),
    ...(tombstones > 0 ? [`${count(tombstones, 'record')} have no value (tombstones).`] : []),
    ...(damaged.records > 0
      ? [
          `${count(damaged.records, 'record')} cannot be read with any schema, old or new: ${failedGroups(damaged.first)
            .map(({ places, message }) => `${clip(places)} (${message})`)
            .join('; ')}.`,
        ]
      : []),
    ...lost.map(
      ({ field, records: of }) =>
        `${field} is not read any more: ${of.toLocaleString('en-US')} of ${count(records, 'record')} have a value there.`,
    ),
    ...refused.map(
      ({ id, version, records: of, message }) =>
        `Readers on avsc (weir, JavaScript) refuse all ${count(of, 'record')} of ${versionText(version, id)}, not only those that fail: ${message}.`,
    ),
    ...readers.map(({ version, records: made, failed: failing, message }) =>
      failing === 0
        ? `Version ${version} reads all ${made} made-up records of the new schema.`
        : `Version ${version} cannot read ${failing} of ${made} made-up records of the new schema: ${message}.`,
    ),
    ...(deadLetters
      ? [
          `Dead letters in ${deadLetters.topic}: ${deadLetters.letters.toLocaleString('en-US')}; ${deadLetters.records.toLocaleString('en-US')} hold a record of the topic, of which ${deadLetters.failed.toLocaleString('en-US')} cannot be read with the new schema${
            deadLetters.failures.length > 0
              ? `: ${failedGroups(deadLetters.failures)
                  .map(({ places, message }) => `${clip(places)} (${message})`)
                  .join('; ')}`
              : ''
          }.`,
        ]
      : []),
  ]
}

const clip = (places: string) => (places.length > 300 ? `${places.slice(0, 299)}…` : places)
