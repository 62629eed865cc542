// The fault proxy that knows Kafka's frames: loses, holds, repeats late, rewrites and damages single requests and answers, by rule.
// Clients stay on it only when the broker tells them its port: startKafka({ listeners: ['PROXIED'] }), then openKafkaProxy(kafka.proxied[0]).
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Direction } from './fault-proxy/flow.ts'
import { errorPosition, type FrameReader, frameReader, type KafkaFrame } from './fault-proxy/kafka-frames.ts'
import type { Link } from './fault-proxy/link.ts'
import { type FaultProxy, openProxy, type ProxyOptions } from './fault-proxy.ts'

/** API keys that rules are made for. */
export const apis = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  apiVersions: 18,
  createTopics: 19,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const

export interface Match {
  readonly apiKey: number
  readonly direction: Direction
  /** Only the n-th frame that fits since the rule was made, from 1. Default: each. */
  readonly nth?: number
  /** Only frames that it is true for; they alone are counted. Ids are in the bytes as text: `frame => frame.bytes.includes('my-id')`. */
  readonly where?: (frame: KafkaFrame) => boolean
}

/** What becomes of the client's connection when a frame does not go on. `hang`: it stays open and nothing more moves on it. */
export type ClientFate = 'close' | 'hang'

export type Action =
  /** The frame goes nowhere. Default: close. */
  | { readonly do: 'drop'; readonly client?: ClientFate }
  /** The frame is kept for Rule.release and Rule.resume. Default: close. */
  | { readonly do: 'hold'; readonly client?: ClientFate }
  /** The frame goes on, and a copy of it is kept for Rule.release. */
  | { readonly do: 'copy' }
  /** A request reaches the broker, then the client's connection is reset; an answer reaches the client, then the connection ends. */
  | { readonly do: 'pass_and_close' }
  /** What it returns goes on instead. The frame may be changed in place. */
  | { readonly do: 'rewrite'; readonly with: (frame: KafkaFrame) => Buffer }

/** An answer says this error code instead: at its usual place, or `at` so many bytes after the correlation id. */
export const withError = (code: number, at?: number): Action => ({
  do: 'rewrite',
  with: frame => {
    frame.bytes.writeInt16BE(code, at === undefined ? errorPosition(frame) : 8 + at)
    return frame.bytes
  },
})

/** One bit of the frame is turned; `byte` counts from its end when negative. */
export const withBitFlipped = (byte: number, bit = 0): Action => ({
  do: 'rewrite',
  with: ({ bytes }) => {
    const at = byte < 0 ? bytes.length + byte : byte
    bytes[at]! ^= 1 << bit
    return bytes
  },
})

export interface Rule {
  /** How many frames it was applied to. */
  readonly hits: number
  /** The first frame it was applied to, as it came. */
  readonly hit: Promise<KafkaFrame>
  /** What is held and not yet released or resumed. */
  readonly held: readonly KafkaFrame[]
  /** Sends the first held request to the broker over a connection of its own, whatever became of the client's, without a login; the broker's answer. */
  release(): Promise<Buffer>
  /** The first held frame, and what waits behind it, goes on over its own connection. It must have been held with `hang`. */
  resume(): void
  /** No more frames; what is held stays held. */
  remove(): void
}

export interface KafkaProxy extends FaultProxy {
  /** The first rule that fits is applied, in the order in which they were made. */
  on(match: Match, action: Action): Rule
  /** Frames of an API seen so far, also those that went nowhere. */
  frames(apiKey: number, direction?: Direction): number
}

interface Lane {
  readonly frames: FrameReader
  /** While set, frames wait here. */
  waiting: KafkaFrame[] | null
}

interface Held {
  readonly frame: KafkaFrame
  readonly link: Link
}

interface OpenRule extends Rule {
  /** Whether the frame was taken; if so, it does not go on by itself. */
  take(frame: KafkaFrame, link: Link): boolean
}

/** @throws when the port is taken */
export async function openKafkaProxy(options: ProxyOptions): Promise<KafkaProxy> {
  const rules = new Set<OpenRule>()
  const counts = new Map<string, number>()
  const lanes = new WeakMap<Link, Lane>()
  const laneOf = (link: Link): Lane => {
    const lane = lanes.get(link) ?? { frames: frameReader(), waiting: null }
    lanes.set(link, lane)
    return lane
  }
  const pass = (frame: KafkaFrame, link: Link, bytes = frame.bytes) =>
    (frame.direction === 'request' ? link.up : link.down).push(bytes)

  const see = (frame: KafkaFrame, link: Link) => {
    const lane = laneOf(link)
    if (lane.waiting !== null) return void lane.waiting.push(frame)
    const name = `${frame.direction} ${frame.apiKey}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
    if (link.closed) return
    for (const rule of rules) if (rule.take(frame, link)) return
    pass(frame, link)
  }
  const stand = (link: Link, client: ClientFate) => {
    if (client === 'close') link.reset()
    else laneOf(link).waiting ??= []
  }

  const makeRule = (match: Match, action: Action): OpenRule => {
    const first = Promise.withResolvers<KafkaFrame>()
    const held: Held[] = []
    let seen = 0
    let hits = 0
    const rule: OpenRule = {
      get hits() {
        return hits
      },
      hit: first.promise,
      get held() {
        return held.map(each => each.frame)
      },
      take(frame, link) {
        if (frame.apiKey !== match.apiKey || frame.direction !== match.direction || match.where?.(frame) === false)
          return false
        if (match.nth !== undefined && ++seen !== match.nth) return false
        hits++
        const copy = { ...frame, bytes: Buffer.from(frame.bytes) }
        first.resolve(copy)
        if (action.do === 'rewrite') pass(frame, link, action.with(frame))
        else if (action.do === 'pass_and_close') {
          pass(frame, link)
          if (frame.direction === 'request') link.up.after(() => link.resetClient())
          else link.down.after(() => link.end())
        } else if (action.do === 'copy') {
          held.push({ frame: copy, link })
          pass(frame, link)
        } else {
          if (action.do === 'hold') held.push({ frame, link })
          stand(link, action.client ?? 'close')
        }
        return true
      },
      release: async () => sendAlone(options.target, next(held).frame),
      resume() {
        const { frame, link } = next(held)
        const lane = laneOf(link)
        const waiting = lane.waiting ?? []
        lane.waiting = null
        pass(frame, link)
        for (const each of waiting) see(each, link)
      },
      remove: () => void rules.delete(rule),
    }
    return rule
  }
  const proxy = await openProxy(options, {
    request: (link, bytes) => {
      for (const frame of laneOf(link).frames.request(bytes)) see(frame, link)
    },
    answer: (link, bytes) => {
      for (const frame of laneOf(link).frames.answer(bytes)) see(frame, link)
    },
  })
  return Object.defineProperties(
    {
      on(match: Match, action: Action): Rule {
        const rule = makeRule(match, action)
        rules.add(rule)
        return rule
      },
      frames: (apiKey: number, direction: Direction = 'request') => counts.get(`${direction} ${apiKey}`) ?? 0,
    },
    Object.getOwnPropertyDescriptors(proxy),
  ) as KafkaProxy
}

function next(held: Held[]): Held {
  const first = held.shift()
  if (first === undefined) throw new Error('no frame is held')
  return first
}

/** The answer to one request, sent over a connection of its own. */
async function sendAlone(target: string, { bytes, direction }: KafkaFrame): Promise<Buffer> {
  if (direction !== 'request') throw new Error('only requests are released; an answer is resumed')
  const at = target.lastIndexOf(':')
  const socket = connect({ host: target.slice(0, at), port: Number(target.slice(at + 1)) })
  try {
    await once(socket, 'connect')
    socket.write(bytes)
    let got = Buffer.alloc(0)
    for await (const chunk of socket) {
      got = Buffer.concat([got, chunk as Buffer])
      if (got.length >= 4 && got.length >= 4 + got.readInt32BE(0)) return got.subarray(0, 4 + got.readInt32BE(0))
    }
    throw new Error('the broker ended the connection without an answer')
  } finally {
    socket.destroy()
  }
}
