// What an event log takes as a name or a number.
import { WeirError } from '../core/errors.ts'
import { bucketOf } from '../core/murmur2.ts'
import type { CursorWrite, TopicSpec } from '../pipeline/ports.ts'

const maxPartitions = 10_000
const maxSplitBytes = 512
const maxNameLength = 249

function invalid(message: string, hint: string): WeirError {
  return new WeirError('log.invalid', message, { hint })
}

/** @throws log.invalid */
export function checkTopicSpec({ name, partitions, retentionMs, retentionBytes, maxRecordBytes }: TopicSpec): void {
  checkTopicName(name)
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > maxPartitions)
    throw invalid(`Topic ${name} cannot have ${partitions} partitions.`, `Choose 1 to ${maxPartitions}.`)
  for (const [what, limit] of [
    ['retentionMs', retentionMs],
    ['retentionBytes', retentionBytes],
    ['maxRecordBytes', maxRecordBytes],
  ] as const)
    if (limit !== null && (!Number.isSafeInteger(limit) || limit < 1))
      throw invalid(`Topic ${name} has ${what} ${limit}.`, 'Give a positive whole number.')
}

/** @throws log.invalid */
export function checkTopicName(name: string): void {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..')
    throw invalid(
      'A topic name has 1 to 249 characters out of a-z, A-Z, 0-9, dot, underscore and hyphen.',
      'Choose another name for the topic.',
    )
}

/** A pipeline's or group's name. @throws log.invalid */
export function checkName(what: 'pipeline' | 'group', name: string): void {
  if (name.length < 1 || name.length > maxNameLength || /[\u0000-\u001f\u007f]/.test(name) || !name.isWellFormed())
    throw invalid(
      `A ${what} name has 1 to ${maxNameLength} characters and no control characters.`,
      `Choose another name for the ${what}.`,
    )
}

function checkSplit(split: string): void {
  if (split.length < 1 || Buffer.byteLength(split) > maxSplitBytes || !split.isWellFormed())
    throw invalid(`A split's name has 1 to ${maxSplitBytes} bytes of UTF-8.`, 'Name the split by something shorter.')
}

/** @throws log.invalid */
export function checkCursorWrites(writes: readonly CursorWrite[]): void {
  for (const { split } of writes) checkSplit(split)
}

/** A bucket writes the cursors of its own splits only, or two owners could write the same one (I7). @throws log.invalid */
export function checkOwnSplits(writes: readonly CursorWrite[], bucket: number, buckets: number): void {
  for (const { split } of writes)
    if (bucketOf(split, buckets) !== bucket)
      throw new WeirError(
        'log.invalid',
        `Split ${split} belongs to bucket ${bucketOf(split, buckets)}, not ${bucket}.`,
        { hint: 'This is a defect of whatever shares out the splits.' },
      )
}

/** @throws log.invalid */
export function checkPartition(topic: string, partition: number, partitions: number): void {
  if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
    throw invalid(
      `Topic ${topic} has partitions 0 to ${partitions - 1}, not ${partition}.`,
      '`weir topic describe` lists them.',
    )
}

/** An offset as numbers hold it; what no log can reach is cut. @throws log.invalid */
export function toOffset(offset: bigint): number {
  if (offset < 0n) throw invalid(`An offset is not negative: ${offset}.`, 'Offsets start at 0.')
  return offset > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(offset)
}
