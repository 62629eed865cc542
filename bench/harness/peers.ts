// What a bar says of other programs: where one is not there, and how weir stands beside it.
import { MissingService } from '../../test/support/services/missing.ts'
import { type Line, wallAgainst } from './compare.ts'
import { showSpread } from './numbers.ts'
import type { Verdict } from './report.ts'

/** The peer, or null with its absence noted. */
export async function peerIfThere<T>(find: () => Promise<T>, notes: string[]): Promise<T | null> {
  try {
    return await find()
  } catch (error) {
    if (!(error instanceof MissingService)) throw error
    notes.push(`SKIPPED: ${error.message}`)
    return null
  }
}

/** The bar that `line` has at least `times` the throughput of `peer`, round by round. */
export function atLeast(times: number, line: Line, peer: Line | undefined): Verdict[] {
  if (peer === undefined) return []
  const faster = wallAgainst(peer, line)
  const bar = `${line.name}: ≥ ${times} × the throughput of ${peer.name}`
  return [{ bar, found: showSpread(faster), met: faster.median >= times }]
}

/** The bar that `line` takes at most `times` the wall of `peer`, round by round. */
export function atMost(times: number, line: Line, peer: Line | undefined): Verdict[] {
  if (peer === undefined) return []
  const slower = wallAgainst(line, peer)
  return [
    { bar: `${line.name}: wall ≤ ${times} × ${peer.name}`, found: showSpread(slower), met: slower.median <= times },
  ]
}
