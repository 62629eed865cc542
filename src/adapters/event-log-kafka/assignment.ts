// Who reads which partition: the consumer protocol's bytes, and the cooperative share-out that the leader of a group computes (I7).
// A partition that moves is first given to nobody; its owner drains and joins again, and only then it goes to the next.
import { WeirError } from '../../core/errors.ts'

/** Version 1 of the protocol carries what a member owns. */
const subscriptionVersion = 1
const assignmentVersion = 0

/** What a member says when it joins. */
export interface Subscription {
  readonly topic: string
  readonly owned: readonly number[]
  /** Generation under which it owns them: the newer claim counts. */
  readonly generation: number
}

/** What a member is given. `draining`: still its own until it joins again without them. */
export interface Assignment {
  readonly topic: string
  readonly partitions: readonly number[]
  readonly draining: readonly number[]
}

export function encodeSubscription({ topic, owned, generation }: Subscription): Buffer {
  const userData = Buffer.alloc(4)
  userData.writeInt32BE(generation)
  return Buffer.concat([
    int16(subscriptionVersion),
    int32(1),
    text(topic),
    bytes(userData),
    int32(1),
    text(topic),
    int32(owned.length),
    ...owned.map(int32),
  ])
}

/** @throws log.invalid when another client's bytes are not to be read */
export function decodeSubscription(from: Buffer): Subscription {
  const reader = new ProtocolReader(from)
  const version = reader.int16()
  const topics = reader.list(() => reader.text())
  const userData = reader.bytes()
  const owned = version >= 1 && reader.left > 0 ? reader.list(() => reader.topicPartitions()) : []
  const topic = topics[0] ?? ''
  return {
    topic,
    owned: owned.filter(each => each.topic === topic).flatMap(each => each.partitions),
    generation: userData !== null && userData.length >= 4 ? userData.readInt32BE(0) : -1,
  }
}

export function encodeAssignment({ topic, partitions, draining }: Assignment): Buffer {
  const given =
    partitions.length === 0 ? [int32(0)] : [int32(1), text(topic), int32(partitions.length), ...partitions.map(int32)]
  const userData = Buffer.concat([int32(draining.length), ...draining.map(int32)])
  return Buffer.concat([int16(assignmentVersion), ...given, bytes(userData)])
}

/** Of any client's assignment. @throws log.invalid */
export function decodeAssignments(from: Buffer): readonly Assignment[] {
  if (from.length === 0) return []
  const reader = new ProtocolReader(from)
  reader.int16()
  const given = reader.list(() => reader.topicPartitions())
  const userData = reader.left > 0 ? reader.bytes() : null
  const draining = drainingOf(userData)
  return given.length === 0 && draining.length > 0
    ? [{ topic: '', partitions: [], draining }]
    : given.map(each => ({ ...each, draining }))
}

function drainingOf(userData: Buffer | null): number[] {
  if (userData === null || userData.length < 4) return []
  const count = userData.readInt32BE(0)
  if (count < 0 || userData.length !== 4 + count * 4) return []
  return Array.from({ length: count }, (_, i) => userData.readInt32BE(4 + i * 4))
}

export interface Claim extends Subscription {
  readonly memberId: string
}

/**
 * Shares out `partitions` evenly; who owns some keeps as many as its share allows. `exclusive`: all to one member.
 * What another member still owns is not given away in this round.
 */
export function shareOut(
  topic: string,
  partitions: number,
  exclusive: boolean,
  claims: readonly Claim[],
): ReadonlyMap<string, Assignment> {
  const members = [...claims].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const owners = ownersOf(members, partitions)
  const quotas = exclusive ? allToOne(members, owners, partitions) : evenly(members, owners, partitions)
  const given = new Map(members.map(({ memberId }) => [memberId, { kept: [] as number[], draining: [] as number[] }]))
  for (const [partition, owner] of owners) {
    const { kept, draining } = given.get(owner)!
    if (kept.length < quotas.get(owner)!) kept.push(partition)
    else draining.push(partition)
  }
  for (let partition = 0; partition < partitions; partition++) {
    if (owners.has(partition)) continue
    const taker = members.find(({ memberId }) => given.get(memberId)!.kept.length < quotas.get(memberId)!)
    if (taker) given.get(taker.memberId)!.kept.push(partition)
  }
  return new Map(
    [...given].map(([memberId, { kept, draining }]) => [
      memberId,
      { topic, partitions: kept.sort((a, b) => a - b), draining },
    ]),
  )
}

/** The newest claim on each partition. */
function ownersOf(members: readonly Claim[], partitions: number): Map<number, string> {
  const claims = new Map<number, Claim>()
  for (const member of members)
    for (const partition of member.owned) {
      if (partition < 0 || partition >= partitions) continue
      const rival = claims.get(partition)
      if (rival === undefined || rival.generation < member.generation) claims.set(partition, member)
    }
  return new Map([...claims].sort(([a], [b]) => a - b).map(([partition, { memberId }]) => [partition, memberId]))
}

type Quotas = ReadonlyMap<string, number>

/** Each member's share; the ones left over go to those that own most, so that few partitions move. */
function evenly(members: readonly Claim[], owners: ReadonlyMap<number, string>, partitions: number): Quotas {
  const owns = (memberId: string): number => [...owners.values()].filter(owner => owner === memberId).length
  const ranked = [...members].sort((a, b) => owns(b.memberId) - owns(a.memberId))
  const base = Math.floor(partitions / members.length)
  const extra = partitions % members.length
  return new Map(ranked.map(({ memberId }, i) => [memberId, base + (i < extra ? 1 : 0)]))
}

/** One member has all, the one that owns some if there is one. */
function allToOne(members: readonly Claim[], owners: ReadonlyMap<number, string>, partitions: number): Quotas {
  const chosen = owners.values().next().value ?? members[0]?.memberId
  return new Map(members.map(({ memberId }) => [memberId, memberId === chosen ? partitions : 0]))
}

const int16 = (value: number): Buffer => {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}
const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}
const text = (value: string): Buffer => {
  const encoded = Buffer.from(value)
  return Buffer.concat([int16(encoded.length), encoded])
}
const bytes = (value: Buffer): Buffer => Buffer.concat([int32(value.length), value])

/** Reads what other clients may have written: every length is checked. */
class ProtocolReader {
  readonly #from: Buffer
  #at = 0

  constructor(from: Buffer) {
    this.#from = from
  }

  get left(): number {
    return this.#from.length - this.#at
  }

  int16(): number {
    return this.#take(2).readInt16BE(0)
  }

  int32(): number {
    return this.#take(4).readInt32BE(0)
  }

  text(): string {
    return this.#take(this.int16()).toString('utf8')
  }

  bytes(): Buffer | null {
    const length = this.int32()
    return length < 0 ? null : this.#take(length)
  }

  list<T>(item: () => T): T[] {
    const count = this.int32()
    if (count > this.left) throw unreadable()
    return Array.from({ length: Math.max(0, count) }, item)
  }

  topicPartitions(): { topic: string; partitions: number[] } {
    return { topic: this.text(), partitions: this.list(() => this.int32()) }
  }

  #take(length: number): Buffer {
    if (length < 0 || length > this.left) throw unreadable()
    this.#at += length
    return this.#from.subarray(this.#at - length, this.#at)
  }
}

function unreadable(): WeirError {
  return new WeirError('log.invalid', 'A member of the group speaks another assignment protocol.', {
    hint: 'Give the group of this pipeline or consumer a name that no other program uses.',
  })
}
