// Durations, sizes and shares carry their unit in YAML and are parsed once, at load.

const durationUnits: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const sizeUnits: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** The longest duration a definition may hold: a year. Longer ones are typing mistakes. */
export const maxDurationMs = 366 * durationUnits['d']!

/** `250ms`, `30s`, `5m`, `1h30m`, `2d` to milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) return undefined
  let totalMs = 0
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    totalMs += Number(amount) * durationUnits[unit!]!
  return totalMs <= maxDurationMs ? Math.round(totalMs) : undefined
}

/** `512b`, `64kb`, `16mb`, `1gb` (powers of 1024, any case) to bytes; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(b|kb|mb|gb)$/.exec(text.trim().toLowerCase())
  if (!match) return undefined
  const bytes = Math.round(Number(match[1]) * sizeUnits[match[2]!]!)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** `50%` to 0.5; undefined when it is none or is outside 0 to 100. */
export function parseShare(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text.trim())
  const share = match ? Number(match[1]) / 100 : Number.NaN
  return share >= 0 && share <= 1 ? share : undefined
}

/** Milliseconds for people: `350ms`, `4.2s`, `3m 10s`, `2h 5m`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)}ms`
  const tenths = Math.round(ms / 100)
  if (tenths < 600) return `${tenths / 10}s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`
  const minutes = Math.round(ms / 60_000)
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

/** Bytes for people: `812 B`, `1.5 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  for (const [unit, size] of [
    ['GB', 1024 ** 3],
    ['MB', 1024 ** 2],
    ['KB', 1024],
  ] as const)
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`
  return `${bytes} B`
}
