// What may stand in a log line (I9): secrets redacted first, then long values cut, so that no half of a secret is left at a cut.
import { redact } from '../core/secret.ts'

/** Bytes of UTF-8 that one field keeps. */
const maxFieldBytes = 4096
/** Bytes of text that all values of one event keep together. */
const maxEventBytes = 64 * 1024
const maxDepth = 8
const maxEntries = 256

/** The text without known secrets and cut to `maxBytes`, with the number of bytes left out. */
export function safeText(text: string, maxBytes: number = maxFieldBytes): string {
  const clean = redact(text)
  if (clean.length * 3 <= maxBytes) return clean
  const bytes = Buffer.byteLength(clean)
  if (bytes <= maxBytes) return clean
  const kept = Buffer.from(clean.slice(0, maxBytes))
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\ufffd+$/, '')
  return `${kept}… (+${bytes - Buffer.byteLength(kept)} bytes)`
}

/** Any value as plain JSON data that a log line can hold: redacted, cut, bounded in depth, entries and total size. */
export function safeValue(value: unknown): unknown {
  return walk(value, 0, { left: maxEventBytes })
}

function walk(value: unknown, depth: number, budget: { left: number }): unknown {
  if (typeof value === 'string') return spend(value, budget)
  if (typeof value === 'bigint') return spend(String(value), budget)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === null || value === undefined || typeof value === 'boolean') return value
  if (typeof value !== 'object') return `(${typeof value})`
  if (value instanceof Uint8Array)
    return spend(Buffer.from(value.subarray(0, maxFieldBytes)).toString('base64'), budget)
  if (value instanceof Date) return Number.isFinite(value.getTime()) ? value.toISOString() : 'invalid date'
  if (value instanceof Error) return spend(value.message, budget)
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return spend(String(value), budget)
  if (depth >= maxDepth) return '(too deep)'
  return Array.isArray(value) ? walkList(value, depth, budget) : walkObject(value, depth, budget)
}

function walkList(list: readonly unknown[], depth: number, budget: { left: number }): unknown[] {
  const result: unknown[] = []
  for (const one of list) {
    if (result.length >= maxEntries || budget.left <= 0) {
      result.push(`… (+${list.length - result.length} entries)`)
      break
    }
    result.push(walk(one, depth + 1, budget))
  }
  return result
}

function walkObject(object: object, depth: number, budget: { left: number }): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null)
  const keys = Object.keys(object)
  for (const [index, key] of keys.entries()) {
    if (index >= maxEntries || budget.left <= 0) {
      result['…'] = `(+${keys.length - index} fields)`
      break
    }
    result[String(spend(key, budget))] = walk((object as Record<string, unknown>)[key], depth + 1, budget)
  }
  return result
}

function spend(text: string, budget: { left: number }): string {
  if (budget.left <= 0) return '…'
  const kept = safeText(text, Math.min(maxFieldBytes, Math.max(64, budget.left)))
  budget.left -= Buffer.byteLength(kept)
  return kept
}
