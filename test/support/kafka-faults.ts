// Faults around transactions that several suites bring about through the Kafka proxy: each runs one scene through one fault.
import { setTimeout as delay } from 'node:timers/promises'
import type { CliResult } from './cli.ts'
import { eventually } from './eventually.ts'
import { errorPosition, type KafkaFrame } from './fault-proxy/kafka-frames.ts'
import { type Epoch, epochOf, isSameEpoch } from './fault-proxy/transaction-frames.ts'
import { apis, type KafkaProxy, type Rule } from './kafka-proxy.ts'
import type { KafkaScene, Running, StartOptions } from './kafka-scene.ts'

/** Requests that go through the proxy under the transactional id of the scene's first file. */
export interface Transactions {
  /** AddPartitionsToTxn and EndTxn, in order. */
  readonly requests: readonly (Epoch & { readonly api: 'begin' | 'end' })[]
  /** Produce requests too. */
  readonly writes: number
  /** The newest EndTxn has no answer that weir knows of. */
  doubt(): void
  /** Requests under an epoch whose end was in doubt, made after that: law L2 says none. */
  afterDoubt(): readonly Epoch[]
}

export function watchTransactions(proxy: KafkaProxy, scene: KafkaScene): Transactions {
  const id = scene.transactionalId(0)
  const requests: (Epoch & { readonly api: 'begin' | 'end' })[] = []
  const doubts: { readonly epoch: Epoch; readonly from: number }[] = []
  let writes = 0
  // A rule that takes no frame only looks at them.
  const look = (apiKey: number, see: (frame: KafkaFrame) => void) => {
    const where = (frame: KafkaFrame) => {
      see(frame)
      return false
    }
    proxy.on({ apiKey, direction: 'request', where }, { do: 'copy' })
  }
  const noted = (api: 'begin' | 'end') => (frame: KafkaFrame) => {
    const epoch = epochOf(frame)
    if (epoch.transactionalId !== id) return
    writes++
    requests.push({ api, ...epoch })
  }
  look(apis.addPartitionsToTxn, noted('begin'))
  look(apis.endTxn, noted('end'))
  look(apis.produce, frame => {
    if (frame.bytes.includes(id)) writes++
  })
  return {
    requests,
    get writes() {
      return writes
    },
    doubt() {
      const last = requests.findLastIndex(({ api }) => api === 'end')
      doubts.push({ epoch: requests[last]!, from: last + 1 })
    },
    afterDoubt: () =>
      doubts.flatMap(({ epoch, from }) => requests.slice(from).filter(each => isSameEpoch(each, epoch))),
  }
}

/** Loses every fifth answer to EndTxn, ten in all; in turns the connection is closed, and stays open in silence. */
export function loseAnswers(proxy: KafkaProxy, watched: Transactions): { readonly lost: number } {
  let seen = 0
  let lost = 0
  const every10th = (frame: KafkaFrame, n: number) => {
    if (n === 5) seen++
    const loses = frame.direction === 'answer' && lost < 10 && seen % 10 === n
    if (!loses) return false
    lost++
    watched.doubt()
    return true
  }
  for (const [n, client] of [
    [5, 'close'],
    [0, 'hang'],
  ] as const)
    proxy.on({ apiKey: apis.endTxn, direction: 'answer', where: frame => every10th(frame, n) }, { do: 'drop', client })
  return {
    get lost() {
      return lost
    },
  }
}

/** Records so large, all of one key, that a transaction takes two Produce requests: a late EndTxn can come between them. */
export const twoRounds = { lines: 10_000, keys: 1, bodyBytes: 1_500 } as const

export interface LateRequest {
  readonly result: CliResult
  /** The broker's error code for the request that came late. */
  readonly code: number
}

/** Holds one request of the third transaction, closes its connection, and lets it go on in the middle of the next transaction that weir begins. */
export async function lateRequest(
  proxy: KafkaProxy,
  scene: KafkaScene,
  api: 'endTxn' | 'produce' | 'addPartitionsToTxn',
  start: StartOptions = {},
): Promise<LateRequest> {
  const id = scene.transactionalId(0)
  const watched = watchTransactions(proxy, scene)
  const held = proxy.on(
    {
      apiKey: apis[api],
      direction: 'request',
      where: frame => frame.bytes.includes(id) && held.hits === 0 && ends(watched) >= (api === 'endTxn' ? 3 : 2),
    },
    { do: 'hold' },
  )
  const running = scene.start(start)
  const request = await hitOf(held, running)
  if (api === 'endTxn') watched.doubt()
  const before = watched.requests.length
  let rounds = 0
  const middle = proxy.on(
    {
      apiKey: apis.produce,
      direction: 'request',
      where: frame => frame.bytes.includes(id) && begins(watched, before) > 0 && ++rounds === 2,
    },
    { do: 'hold', client: 'hang' },
  )
  await hitOf(middle, running)
  const bytes = await held.release()
  middle.resume()
  const code = bytes.readInt16BE(errorPosition({ ...request, direction: 'answer', bytes }))
  const result = await running.result
  if (start.plant === undefined && watched.afterDoubt().length > 0) throw new Error('an epoch in doubt was used again')
  return { result, code }
}

const ends = ({ requests }: Transactions) => requests.filter(({ api }) => api === 'end').length
const begins = ({ requests }: Transactions, from: number) =>
  requests.slice(from).filter(({ api }) => api === 'begin').length

/** Holds the n-th request of that kind under the scene's first transactional id; its connection stays open. */
export function holdAt(proxy: KafkaProxy, scene: KafkaScene, apiKey: number, nth: number): Rule {
  const id = scene.transactionalId(0)
  const where = (frame: KafkaFrame) => frame.bytes.includes(id)
  return proxy.on({ apiKey, direction: 'request', nth, where }, { do: 'hold', client: 'hang' })
}

/** The first frame that the rule takes. @throws when the process ends before: the scene has not come to its fault then */
export async function hitOf(rule: Rule, { result }: Running): Promise<KafkaFrame> {
  const first = await Promise.race([rule.hit, result])
  if ('bytes' in first) return first
  throw new Error(`ended (${first.code ?? first.signal}) before the fault: ${first.err}`)
}

export interface Zombie {
  /** The end of the process that was stopped and went on. */
  readonly result: CliResult
  /** Rows in all topics before it went on and after its end. */
  readonly rows: readonly [before: number, after: number]
}

/**
 * For `zombie`: transactions are over before the pause is, and no request is given up while the scene lasts. So the end that arrives late is
 * answered (fenced), and the heartbeat without an answer holds up the member until the scene lets it go.
 */
export const outlasted = { transactionTimeout: 6, requestTimeout: 60 } as const
/** Longer than any transaction timeout of its scenes. */
const pauseMs = 7_000

/**
 * Stops weir in its third transaction, when all but its end has been said; another process takes over and reads the source to its end, which
 * then gets more. The end that was on its way arrives, and the stopped process goes on; its first heartbeat gets no answer until that process
 * has written again or said that it is fenced.
 */
export async function zombie(proxy: KafkaProxy, scene: KafkaScene, start: StartOptions = {}): Promise<Zombie> {
  const held = holdAt(proxy, scene, apis.endTxn, 3)
  const running = scene.start({ deadlineMs: 200_000, ...start })
  await hitOf(held, running)
  running.child.kill('SIGSTOP')
  const stopped = Date.now()
  const standby = await scene.drain({ deadlineMs: 120_000 })
  if (standby.code !== 0) throw new Error(`the standby ended with ${standby.code}: ${standby.err}`)
  const before = await scene.rows()
  scene.files.serve(1_000)
  // The fault is the time itself: whoever is told that it is fenced takes it for its own timeout only past that.
  await delay(Math.max(0, stopped + pauseMs - Date.now()))
  const where = (frame: KafkaFrame) => frame.bytes.includes(scene.cursorTopic)
  const heartbeat = proxy.on(
    { apiKey: apis.heartbeat, direction: 'request', nth: 1, where },
    { do: 'hold', client: 'hang' },
  )
  let hasEnded = false
  const end = () => {
    hasEnded = true
  }
  running.result.then(end, end)
  held.resume()
  running.child.kill('SIGCONT')
  // It may end its third transaction neither before the stop nor after it: what is appended later than that is another one.
  const since = new Date(stopped).toISOString()
  const has = (type: string) => running.events(type).some(({ time }) => time > since)
  await eventually('it has written or is fenced', () => hasEnded || has('batch_appended') || has('fenced'), 60_000)
  heartbeat.remove()
  if (heartbeat.held.length > 0) heartbeat.resume()
  const result = await running.result
  return { result, rows: [before, await scene.rows()] }
}

/** Stops weir for so long when the n-th such request has left it; what it said arrives when it goes on. */
export async function stopAt(proxy: KafkaProxy, scene: KafkaScene, apiKey: number, forMs: number): Promise<CliResult> {
  const held = holdAt(proxy, scene, apiKey, 3)
  const running = scene.start({ deadlineMs: 200_000 })
  await hitOf(held, running)
  running.child.kill('SIGSTOP')
  // The fault is the time itself.
  await delay(forMs)
  held.resume()
  running.child.kill('SIGCONT')
  return running.result
}
