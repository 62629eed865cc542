// Prometheus' own checker, for the rules and the metrics. Found on the PATH, or where `.ci/install-promtool.sh` puts it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

const cached = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'weir-tools', 'promtool')

/** Path of promtool, or null. */
export const promtool: string | null =
  [
    process.env['WEIR_PROMTOOL'] ?? '',
    ...(process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, 'promtool')),
    cached,
  ].find(file => file !== '' && existsSync(file)) ?? null

const required = (process.env['WEIR_REQUIRE'] ?? '').split(',').includes('promtool')

/** What stands behind the name of a test that needs promtool; with WEIR_REQUIRE=promtool nothing is skipped. */
export const withoutPromtool = promtool === null && !required
export const skipped = withoutPromtool ? ' (skipped: no promtool; run .ci/install-promtool.sh)' : ''

export interface PromtoolResult {
  readonly code: number | null
  readonly out: string
}

export function runPromtool(args: readonly string[], input = ''): PromtoolResult {
  if (promtool === null) throw new Error('no promtool here; run .ci/install-promtool.sh')
  const { status, stdout, stderr, error } = spawnSync(promtool, args, { encoding: 'utf8', input, timeout: 60_000 })
  if (error) throw error
  return { code: status, out: stdout + stderr }
}
