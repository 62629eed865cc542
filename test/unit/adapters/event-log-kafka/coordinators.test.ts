// Coordinators of groups and transactions: who is asked, what is waited for, and what is sent once and never again (L2).
import { describe, expect, test } from 'vitest'
import type { GroupMember, ProducerIdentity } from '../../../../src/adapters/event-log-kafka/client.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import { eventually } from '../../../support/eventually.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { code, coordinatorAt, metadataOf, openScripted, type Reply } from '../../../support/scripted-cluster.ts'

const producer: ProducerIdentity = { transactionalId: 'tx', producerId: 5n, epoch: 1 }
const member: GroupMember = { group: 'readers', memberId: 'm', generation: 1 }
const never = new AbortController().signal
const place = (partition: number) => ({ topic: 'a', partition })
const refusal = (number: number) => expect.objectContaining({ name: 'BrokerRefusal', code: number })
const unavailable = (message: string | RegExp) =>
  expect.objectContaining({ code: 'log.unavailable', message: expect.stringMatching(message) })

describe('coordinators', () => {
  test.each([14, 15, 16])('after an answer that says %i the coordinator is looked up again', async number => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1), coordinatorAt(2))
    cluster.on('b1 Heartbeat', code(number))
    cluster.on('b2 Heartbeat', code(0))
    await expect(cluster.lane.heartbeat(member)).rejects.toEqual(refusal(number))
    await cluster.lane.heartbeat(member)
    expect(cluster.asked().filter(each => !each.includes('Metadata'))).toEqual([
      'b1 FindCoordinator',
      'b1 Heartbeat',
      'b1 FindCoordinator',
      'b2 Heartbeat',
    ])
  })

  test('a route that one lane has found stale is stale for the others', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1), coordinatorAt(2))
    cluster.on('b1 Heartbeat', code(16))
    cluster.on('b2 Heartbeat', code(0))
    await using other = cluster.open()
    await expect(cluster.lane.heartbeat(member)).rejects.toEqual(refusal(16))
    await other.heartbeat(member)
    expect(cluster.asked()).toContain('b2 Heartbeat')
  })

  test('other refusals leave the route as it is', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.on('Heartbeat', code(27))
    for (let i = 0; i < 2; i++) await expect(cluster.lane.heartbeat(member)).rejects.toEqual(refusal(27))
    expect(cluster.asked().filter(each => each.includes('FindCoordinator'))).toHaveLength(1)
  })

  test('one that cannot be reached is looked up again', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(3), coordinatorAt(2))
    cluster.on('Heartbeat', code(0))
    cluster.down.add('b3')
    await expect(cluster.lane.heartbeat(member)).rejects.toEqual(unavailable('no connection to b3'))
    await cluster.lane.heartbeat(member)
  })

  test('one that is being chosen is waited for', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(0, 15), coordinatorAt(0, 15), coordinatorAt(2))
    cluster.on('Heartbeat', code(0))
    await cluster.lane.heartbeat(member)
    expect(cluster.asked().filter(each => each.includes('FindCoordinator'))).toHaveLength(3)
  })
})

describe('waiting for the transaction before', () => {
  test('begins at a millisecond, doubles to a tenth of a second, and ends at the deadline with the refusal', async () => {
    const clock = createFakeClock()
    await using cluster = await openScripted({ clock, random: () => 0.999999 })
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.on('AddOffsetsToTxn', code(51))
    const pauses: number[] = []
    const outcome = cluster.lane.addOffsets(producer, 'readers', 500).catch(thrown => thrown)
    for (let spent = 0; spent < 500; ) {
      const waiting = await Promise.race([clock.waiting().then(() => true), outcome.then(() => false)])
      if (!waiting) break
      const ms = Math.ceil(clock.waits[0]!)
      pauses.push(ms)
      spent += ms
      await clock.advance(ms)
    }
    expect(await outcome).toEqual(refusal(51))
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 100, 100, 100])
  })

  test('initProducer waits out 51, 14, 15 and 16, and then has its epoch', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    const error =
      (number: number): Reply =>
      to =>
        to.int32(0).int16(number).int64(7n).int16(3)
    cluster.on('InitProducerId', error(51), error(14), error(15), error(16), error(0))
    const identity = await cluster.lane.initProducer('tx', {
      transactionTimeoutMs: 9,
      current: null,
      deadlineMs: 5_000,
    })
    expect(identity).toEqual({ transactionalId: 'tx', producerId: 7n, epoch: 3 })
  })

  test.each([47, 90])('initProducer with an epoch that is not the newest is refused at once (%i)', async number => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.on('InitProducerId', to => to.int32(0).int16(number).int64(-1n).int16(-1))
    const begin = { transactionTimeoutMs: 9, current: producer, deadlineMs: 5_000 }
    await expect(cluster.lane.initProducer('tx', begin)).rejects.toEqual(refusal(number))
    expect(cluster.asked().filter(each => each.includes('InitProducerId'))).toHaveLength(1)
  })

  test('ends when the lane is closed', async () => {
    const clock = createFakeClock()
    await using cluster = await openScripted({ clock })
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.on('AddOffsetsToTxn', code(51))
    const outcome = cluster.lane.addOffsets(producer, 'readers', 1e9).catch(thrown => thrown)
    await clock.waiting()
    await cluster.lane[Symbol.asyncDispose]()
    expect(await outcome).toEqual(unavailable('closed'))
    await expect(cluster.lane.metadata([])).rejects.toEqual(unavailable('closed'))
  })

  test('offsets of a group wait while a transaction over them is open', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    const answer =
      (error: number): Reply =>
      to => {
        const partition = () =>
          to
            .int32(0)
            .int64(error ? -1n : 5n)
            .int32(-1)
            .string(null)
            .int16(error)
            .tags()
        to.int32(0)
          .array(['a'], topic => to.string(topic).array([0], partition).tags())
          .int16(0)
          .tags()
      }
    cluster.on('OffsetFetch', answer(88), answer(88), answer(0))
    expect(await cluster.lane.groupOffsets('readers', [place(0)], 5_000)).toEqual([{ ...place(0), offset: 5n }])
  })
})

describe('L2: the end of a transaction', () => {
  test('is one request to the coordinator already known, whatever comes of it', async () => {
    for (const reply of [
      code(0),
      code(16),
      code(51),
      code(14),
      () => Promise.reject(new WeirError('log.unavailable', 'lost')),
    ]) {
      await using cluster = await openScripted()
      cluster.on('FindCoordinator', coordinatorAt(2))
      cluster.on('AddOffsetsToTxn', code(0))
      await cluster.lane.addOffsets(producer, 'readers', 100)
      cluster.asked()
      cluster.on('EndTxn', reply)
      await cluster.lane.endTransaction(producer, true).catch(() => {})
      expect(cluster.asked()).toEqual(['b2 EndTxn'])
    }
  })

  test('is not sent when the coordinator is not known', async () => {
    await using cluster = await openScripted()
    await expect(cluster.lane.endTransaction(producer, true)).rejects.toEqual(unavailable('EndTxn was not sent'))
    expect(cluster.asked()).toEqual([])
  })
})

describe('groups', () => {
  const request = {
    group: 'readers',
    memberId: '',
    protocolType: 'consumer',
    protocol: 'weir',
    metadata: Buffer.from('m'),
    sessionTimeoutMs: 100,
    rebalanceTimeoutMs: 100,
  }
  const joined =
    (error: number, memberId: string): Reply =>
    to =>
      to
        .int32(0)
        .int16(error)
        .int32(3)
        .string('weir')
        .string('l')
        .string(memberId)
        .array([], () => {})

  test('a first join is repeated at once with the member id that it is given', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    const given: string[] = []
    const note =
      (reply: Reply): Reply =>
      (to, from, raw) => {
        from.string()
        from.int32()
        from.int32()
        given.push(from.string())
        return reply(to, from, raw)
      }
    cluster.on('JoinGroup', note(joined(79, 'weir-1')), note(joined(0, 'weir-1')))
    expect(await cluster.lane.joinGroup(request, never)).toMatchObject({ memberId: 'weir-1', generation: 3 })
    expect(given).toEqual(['', 'weir-1'])
  })

  test('a join that is aborted closes its connection and ends with the reason', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(3))
    cluster.on('JoinGroup', () => new Promise(() => {}))
    const stop = new AbortController()
    const outcome = cluster.lane.joinGroup(request, stop.signal).catch(thrown => thrown)
    await eventually('it is asked', () => cluster.asked().includes('b3 JoinGroup'))
    const before = cluster.connections.size
    stop.abort(new Error('enough'))
    expect(await outcome).toMatchObject({ message: 'enough' })
    expect(cluster.connections.size).toBe(before - 1)
    await expect(cluster.lane.joinGroup(request, stop.signal)).rejects.toMatchObject({ message: 'enough' })
  })

  test('are listed from all brokers, each once', async () => {
    await using cluster = await openScripted()
    const groups =
      (...names: string[]): Reply =>
      to =>
        to
          .int32(0)
          .int16(0)
          .array(names, name => to.string(name).string('consumer'))
    cluster.on('b1 ListGroups', groups('x'))
    cluster.on('b2 ListGroups', groups('x', 'y'))
    cluster.on('b3 ListGroups', groups())
    expect((await cluster.lane.listGroups()).map(each => each.group)).toEqual(['x', 'y'])
  })

  test('are described by their own coordinators', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', (to, from, raw) => coordinatorAt(from.string() === 'x' ? 1 : 2)(to, from, raw))
    cluster.on('DescribeGroups', (to, from) => {
      const names = from.array(() => from.string())
      to.int32(0).array(names, name => {
        to.int16(0)
          .string(name)
          .string('Empty')
          .string('')
          .string('')
          .array([], () => {})
          .int32(0)
      })
    })
    const described = await cluster.lane.describeGroups(['x', 'y', 'z'])
    expect(described.map(each => each.group).sort()).toEqual(['x', 'y', 'z'])
    expect(
      cluster
        .asked()
        .filter(each => each.includes('Describe'))
        .sort(),
    ).toEqual(['b1 DescribeGroups', 'b2 DescribeGroups'])
  })
})

describe('the next epoch', () => {
  const current = producer
  test.each([
    ['at once', [47], current, 47],
    ['at once', [90], current, 90],
    ['after the end of a transaction was waited for', [51, 47], current, 51],
    ['after that, where any epoch will do', [51, 90], null, 90],
  ] as const)('fenced %s (%j)', async (_, codes, asked, told) => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.on(
      'InitProducerId',
      ...codes.map(each => (to: Parameters<Reply>[0]) => to.int32(0).int16(each).int64(-1n).int16(-1).tags()),
    )
    const options = { transactionTimeoutMs: 1_000, current: asked, deadlineMs: 1_000 }
    await expect(cluster.lane.initProducer('tx', options)).rejects.toEqual(refusal(told))
  })

  test('an abort goes to whoever coordinates now, a commit only to whom the transaction has used', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(2))
    cluster.on('EndTxn', code(0))
    await expect(cluster.lane.endTransaction(producer, true)).rejects.toEqual(unavailable('has moved'))
    await cluster.lane.endTransaction(producer, false)
    expect(cluster.asked().filter(each => each.endsWith('EndTxn'))).toEqual(['b2 EndTxn'])
  })
})

describe('how transactions stand', () => {
  const described =
    (error: number, state: string): Reply =>
    to => {
      to.int32(0).array(['tx'], id => {
        to.int16(error).string(id).string(state).int32(9).int64(-1n).int64(5n).int16(1)
        to.array([], () => {}).tags()
      })
      to.tags()
    }
  test.each([
    ['Ongoing', 'abort'],
    ['PrepareAbort', 'abort'],
    ['PrepareEpochFence', 'abort'],
    ['CompleteAbort', 'abort'],
    ['PrepareCommit', 'commit'],
    ['CompleteCommit', 'commit'],
    ['Empty', null],
    ['Dead', null],
  ])('%s: %s', async (state, decision) => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.on('DescribeTransactions', described(14, ''), described(0, state))
    expect(await cluster.lane.decisionOf('tx', 1_000)).toBe(decision)
  })

  test('a coordinator that knows none, does not let us ask or does not speak of it tells nothing', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.on('DescribeTransactions', described(105, ''), described(53, ''), described(7, ''))
    expect(await cluster.lane.decisionOf('tx', 1_000)).toBe(null)
    expect(await cluster.lane.decisionOf('tx', 1_000)).toBe(null)
    await expect(cluster.lane.decisionOf('tx', 1_000)).rejects.toEqual(refusal(7))
    cluster.versions.delete(65)
    await using old = cluster.open()
    expect(await old.decisionOf('tx', 1_000)).toBe(null)
  })

  const producers =
    (...errors: number[]): Reply =>
    (to, from) => {
      const topics = from.array(() => {
        const asked = { topic: from.string(), partitions: from.array(() => from.int32()) }
        from.tags()
        return asked
      })
      to.int32(0).array(topics, ({ topic, partitions }) => {
        to.string(topic).array(partitions, each => {
          to.int32(each)
            .int16(errors.shift() ?? 0)
            .string(null)
          to.array([5n, 6n], id => {
            to.int64(id)
              .int32(1)
              .int32(0)
              .int64(0n)
              .int32(0)
              .int64(id === 5n && each > 0 ? 0n : -1n)
            to.tags()
          }).tags()
        })
        to.tags()
      })
      to.tags()
    }

  test('each leader tells in which of its partitions records of the producer stand open', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1, 1, 2] }))
    cluster.on('DescribeProducers', producers())
    expect(await cluster.lane.openIn(5n, [place(0), place(1), place(2)])).toEqual([place(1), place(2)])
    expect(await cluster.lane.openIn(6n, [place(0), place(1), place(2)])).toEqual([])
  })

  test('a leader that moves or is sought is no answer', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1, 1, 0] }))
    await expect(cluster.lane.openIn(5n, [place(2)])).rejects.toEqual(refusal(5))
    cluster.on('DescribeProducers', producers(6))
    await expect(cluster.lane.openIn(5n, [place(1)])).rejects.toEqual(refusal(6))
    // As one that has just started says of each topic.
    cluster.on('DescribeProducers', producers(3))
    await expect(cluster.lane.openIn(5n, [place(1)])).rejects.toEqual(refusal(5))
    await expect(cluster.lane.openIn(5n, [{ topic: 'unknown', partition: 1 }])).rejects.toEqual(refusal(5))
  })

  test('what may not be asked about or is not spoken tells nothing', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1, 1, 2], __own: [1, 1] }))
    cluster.on('DescribeProducers', producers(29))
    expect(await cluster.lane.openIn(5n, [place(1)])).toEqual([])
    cluster.on('DescribeProducers', producers(-1))
    expect(await cluster.lane.openIn(5n, [{ topic: '__own', partition: 1 }])).toEqual([])
    cluster.on('DescribeProducers', producers(-1))
    await expect(cluster.lane.openIn(5n, [place(1)])).rejects.toEqual(refusal(-1))
    cluster.versions.delete(61)
    await using old = cluster.open()
    expect(await old.openIn(5n, [place(1)])).toEqual([])
  })
})
