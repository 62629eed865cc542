// Consumer, third step: filters and mappings between topic and sink. A filtered record is a counted drop; one that fails goes to the dead letters.
import { WeirError } from '../core/errors.ts'
import type { Expression } from '../mapping/expression.ts'
import type { RecordFailure } from './decode.ts'
import { asItemError } from './map.ts'
import type { DecodedRecord } from './ports.ts'

export type ProcessStep =
  | { readonly kind: 'filter'; readonly expression: Expression }
  /** Replaces the record by one with these fields. */
  | { readonly kind: 'map'; readonly fields: readonly (readonly [name: string, expression: Expression])[] }

/** What expressions of a consumer may use. */
export const processVariables = ['record', 'key', 'topic', 'timestamp'] as const

export interface ProcessedBatch {
  readonly passed: readonly DecodedRecord[]
  readonly filtered: number
  readonly failures: readonly RecordFailure[]
}

/** Runs the steps over each record, in order; a tombstone passes them all, for nothing is left to look at. */
export function processRecords(steps: readonly ProcessStep[], records: readonly DecodedRecord[]): ProcessedBatch {
  if (steps.length === 0) return { passed: records, filtered: 0, failures: [] }
  const passed: DecodedRecord[] = []
  const failures: RecordFailure[] = []
  let filtered = 0
  for (const record of records) {
    if (record.value === null) {
      passed.push(record)
      continue
    }
    let step: 'filter.failed' | 'map.failed' = 'filter.failed'
    try {
      let current: DecodedRecord | null = record
      for (const each of steps) {
        step = each.kind === 'filter' ? 'filter.failed' : 'map.failed'
        current = runStep(each, current)
        if (current === null) break
      }
      if (current === null) filtered++
      else passed.push(current)
    } catch (error) {
      failures.push({
        log: record.log,
        stage: 'process',
        error: asItemError(error, step),
        attempts: 1,
        schemaId: record.schemaId,
      })
    }
  }
  return { passed, filtered, failures }
}

function runStep(step: ProcessStep, record: DecodedRecord): DecodedRecord | null {
  const { log, value } = record
  const vars = {
    record: value,
    key: log.key === null ? null : Buffer.from(log.key).toString('utf8'),
    topic: log.topic,
    timestamp: new Date(log.timestampMs),
  }
  if (step.kind === 'filter') {
    const keep = step.expression.evaluate(vars)
    if (typeof keep !== 'boolean')
      throw new WeirError('filter.failed', 'The filter gave neither true nor false.', {
        hint: 'Compare explicitly, for example record.rating <= 2.0.',
      })
    return keep ? record : null
  }
  const mapped: Record<string, unknown> = {}
  for (const [name, expression] of step.fields) mapped[name] = expression.evaluate(vars)
  return { ...record, value: mapped }
}
