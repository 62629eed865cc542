// One direction of a proxied connection: bytes go through in order, as late, as slowly, as cut up and as far as the network of the test lets them.
import type { Socket } from 'node:net'
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises'

/** From the client to the service, or back. */
export type Direction = 'request' | 'answer'

/** What the network does to all connections of a proxy. */
export interface Network {
  latencyMs: number
  jitterMs: number
  bytesPerSecond: number
  sliceBytes: number
  /** While set, nothing moves in either direction, ends of connections neither. */
  silence: PromiseWithResolvers<void> | null
  cut: Cut | null
  /** From 0 to 1, the same sequence in each run. */
  readonly chance: () => number
}

/** After so many bytes of one direction, counted for each connection from the moment the cut was ordered, the connection is ended or reset. */
export interface Cut {
  readonly direction: Direction
  readonly afterBytes: number
  readonly how: 'end' | 'reset'
  readonly passed: WeakMap<Flow, number>
}

export interface Flow {
  push(bytes: Buffer): void
  /** Is called once all that was pushed before has been written. */
  after(action: () => void): void
}

export interface FlowEnds {
  readonly direction: Direction
  readonly from: Socket
  readonly to: Socket
  readonly signal: AbortSignal
  /** Called when a cut is due. */
  readonly cut: (how: Cut['how']) => void
}

/** More than this waiting in a direction, and its sender has to wait. */
const highWaterBytes = 1 << 20

export function openFlow(network: Network, ends: FlowEnds): Flow {
  const { direction, from, to, signal } = ends
  const queue: { readonly what: Buffer | (() => void); readonly dueMs: number }[] = []
  let queued = 0
  let lastDueMs = 0
  let draining = false

  const push = (what: Buffer | (() => void)) => {
    lastDueMs = Math.max(lastDueMs, performance.now() + network.latencyMs + network.jitterMs * network.chance())
    queue.push({ what, dueMs: lastDueMs })
    if (typeof what !== 'function') queued += what.length
    if (queued > highWaterBytes) from.pause()
    if (!draining) void drain().catch(() => {})
  }
  const drain = async () => {
    draining = true
    for (let item = queue.shift(); item !== undefined && !signal.aborted; item = queue.shift()) {
      const { what, dueMs } = item
      const waitMs = dueMs - performance.now()
      if (waitMs > 0) await delay(waitMs, undefined, { signal })
      await network.silence?.promise
      if (typeof what === 'function') what()
      else {
        await pass(what)
        queued -= what.length
        if (queued <= highWaterBytes) from.resume()
      }
    }
    draining = false
  }
  const pass = async (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; ) {
      await network.silence?.promise
      if (signal.aborted) return
      const { sliceBytes, bytesPerSecond, cut } = network
      const left =
        cut?.direction === direction ? cut.afterBytes - (cut.passed.get(flow) ?? 0) : Number.POSITIVE_INFINITY
      // A twentieth of a second at a time.
      const piece = bytes.subarray(at, at + Math.min(sliceBytes, Math.max(1, Math.ceil(bytesPerSecond / 20)), left))
      if (piece.length > 0) await new Promise<void>(resolve => void to.write(piece, () => resolve()))
      at += piece.length
      if (cut?.direction === direction) cut.passed.set(flow, cut.afterBytes - left + piece.length)
      if (piece.length >= left) return ends.cut(cut!.how)
      if (Number.isFinite(bytesPerSecond)) await delay((piece.length / bytesPerSecond) * 1000, undefined, { signal })
      else if (Number.isFinite(sliceBytes)) await immediate()
    }
  }
  const flow: Flow = { push, after: push }
  return flow
}
