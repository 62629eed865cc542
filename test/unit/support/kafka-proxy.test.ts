// The Kafka-aware fault proxy over a small server that speaks Kafka's frames: each rule does what it says to the frames it names.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { eventually, holds } from '../../support/eventually.ts'
import { errorPosition } from '../../support/fault-proxy/kafka-frames.ts'
import { apis, type KafkaProxy, openKafkaProxy, withBitFlipped, withError } from '../../support/kafka-proxy.ts'

const int16 = (value: number) => Buffer.from([value >> 8, value & 255])
const int32 = (value: number) => Buffer.from([value >> 24, value >> 16, value >> 8, value])
const frame = (...parts: Buffer[]) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length), body])
}
const request = (apiKey: number, correlationId: number, body = Buffer.alloc(0), version = 1) =>
  frame(int16(apiKey), int16(version), int32(correlationId), int16(-1), body)

/** Answers each request with throttle time 0, error 0 and the request's body, and keeps the bodies in the order they came. */
async function broker(): Promise<{ target: string; carriedOut: string[] } & AsyncDisposable> {
  const carriedOut: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    let rest = Buffer.alloc(0)
    socket
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk])
        while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
          const end = 4 + rest.readInt32BE(0)
          const body = rest.subarray(14, end)
          carriedOut.push(`${rest.readInt16BE(4)} ${body}`)
          socket.write(frame(rest.subarray(8, 12), int32(0), int16(0), body))
          rest = rest.subarray(end)
        }
      })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    carriedOut,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function call(proxy: KafkaProxy) {
  let received = Buffer.alloc(0)
  let over = false
  const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true })
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk as Buffer])
  })
  socket
    .on('error', () => {})
    .on('close', () => {
      over = true
    })
  await once(socket, 'connect')
  return {
    send: (apiKey: number, correlationId: number, body = '') =>
      void socket.write(request(apiKey, correlationId, Buffer.from(body))),
    write: (bytes: Buffer) => void socket.write(bytes),
    /** Correlation id, error code and body of each answer. */
    answers: () => {
      const found: string[] = []
      for (let rest = received; rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0); ) {
        const end = 4 + rest.readInt32BE(0)
        found.push(`${rest.readInt32BE(4)} ${rest.readInt16BE(12)} ${rest.subarray(14, end)}`)
        rest = rest.subarray(end)
      }
      return found
    },
    over: () => over,
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

describe('the Kafka proxy', () => {
  test('passes frames that arrive in pieces or together, and counts them by API', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    using client = await call(proxy)
    const together = Buffer.concat([
      request(apis.produce, 1, Buffer.from('a')),
      request(apis.produce, 2, Buffer.alloc(100_000, 'b')),
      request(apis.fetch, 3),
    ])
    client.write(together.subarray(0, 2))
    await eventually('it was accepted', () => proxy.open === 1)
    client.write(together.subarray(2, 30))
    client.write(together.subarray(30))
    await eventually('three answers', () => client.answers().length === 3)
    expect(client.answers().map(each => each.slice(0, 5))).toEqual(['1 0 a', '2 0 b', '3 0 '])
    expect([proxy.frames(apis.produce), proxy.frames(apis.fetch, 'answer'), proxy.frames(apis.endTxn)]).toEqual([
      2, 1, 0,
    ])
  })

  test('a dropped request never reaches the broker; only the n-th is dropped', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    const rule = proxy.on({ apiKey: apis.endTxn, direction: 'request', nth: 2 }, { do: 'drop' })
    using client = await call(proxy)
    client.send(apis.endTxn, 1, 'first')
    await eventually('answered', () => client.answers().length === 1)
    client.send(apis.produce, 2)
    client.send(apis.endTxn, 3, 'second')
    await eventually('the connection is closed', () => client.over())
    using other = await call(proxy)
    other.send(apis.endTxn, 1, 'third')
    await eventually('answered', () => other.answers().length === 1)
    expect(server.carriedOut.filter(each => each.startsWith('26'))).toEqual(['26 first', '26 third'])
    expect(rule.hits).toBe(1)
    expect((await rule.hit).correlationId).toBe(3)
  })

  test('a dropped answer was carried out, and the client does not learn of it', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    proxy.on({ apiKey: apis.endTxn, direction: 'answer' }, { do: 'drop' })
    using client = await call(proxy)
    client.send(apis.endTxn, 1, 'done')
    await eventually('the connection is closed', () => client.over())
    expect(client.answers()).toEqual([])
    expect(server.carriedOut).toEqual(['26 done'])
  })

  test('a connection that hangs stays open and moves nothing more', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    const rule = proxy.on({ apiKey: apis.endTxn, direction: 'request' }, { do: 'drop', client: 'hang' })
    using client = await call(proxy)
    client.send(apis.endTxn, 1)
    client.send(apis.produce, 2)
    await rule.hit
    await holds('silence', () => !client.over() && client.answers().length === 0 && server.carriedOut.length === 0, 100)
  })

  test('a held request is carried out when it is released, long after its client is gone', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    const rule = proxy.on({ apiKey: apis.endTxn, direction: 'request', nth: 1 }, { do: 'hold' })
    using client = await call(proxy)
    client.send(apis.endTxn, 7, 'late')
    await eventually('the connection is closed', () => client.over())
    using next = await call(proxy)
    next.send(apis.produce, 1, 'newer')
    await eventually('answered', () => next.answers().length === 1)
    expect(rule.held).toHaveLength(1)
    const answer = await rule.release()
    expect(answer.readInt32BE(4)).toBe(7)
    expect(server.carriedOut).toEqual(['0 newer', '26 late'])
    await expect(rule.release()).rejects.toThrow('no frame is held')
  })

  test.each(['request', 'answer'] as const)(
    'a held %s goes on where it was when it is resumed, and what waited behind it',
    async direction => {
      await using server = await broker()
      await using proxy = await openKafkaProxy(server)
      const rule = proxy.on({ apiKey: apis.endTxn, direction, nth: 1 }, { do: 'hold', client: 'hang' })
      using client = await call(proxy)
      client.send(apis.endTxn, 1, 'a')
      await rule.hit
      client.send(apis.endTxn, 2, 'b')
      await holds('nothing is answered', () => client.answers().length === 0, 100)
      rule.resume()
      await eventually('both are answered', () => client.answers().length === 2)
      expect(client.answers()).toEqual(['1 0 a', '2 0 b'])
    },
  )

  test('a copy arrives a second time when it is released', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    const rule = proxy.on({ apiKey: apis.produce, direction: 'request', nth: 1 }, { do: 'copy' })
    using client = await call(proxy)
    client.send(apis.produce, 1, 'once')
    await eventually('answered', () => client.answers().length === 1)
    await rule.release()
    expect(server.carriedOut).toEqual(['0 once', '0 once'])
  })

  test('a request passes and the connection is closed behind it', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    proxy.on({ apiKey: apis.endTxn, direction: 'request' }, { do: 'pass_and_close' })
    using client = await call(proxy)
    client.send(apis.endTxn, 1, 'done')
    await eventually('the connection is closed', () => client.over())
    await eventually('it is carried out and answered', () => proxy.frames(apis.endTxn, 'answer') === 1)
    expect([client.answers(), server.carriedOut]).toEqual([[], ['26 done']])
  })

  test('an answer passes and the connection is closed behind it', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    proxy.on({ apiKey: apis.endTxn, direction: 'answer' }, { do: 'pass_and_close' })
    using client = await call(proxy)
    client.send(apis.endTxn, 1, 'done')
    await eventually('the connection is closed', () => client.over())
    expect(client.answers()).toEqual(['1 0 done'])
  })

  test('an answer says another error code, or has a bit turned, while its rule is there', async () => {
    await using server = await broker()
    await using proxy = await openKafkaProxy(server)
    using client = await call(proxy)
    const fenced = proxy.on({ apiKey: apis.initProducerId, direction: 'answer' }, withError(90))
    proxy.on(
      { apiKey: apis.fetch, direction: 'answer', where: each => each.bytes.includes('B') },
      withBitFlipped(-1, 5),
    )
    client.send(apis.initProducerId, 1, 'x')
    client.send(apis.fetch, 2, 'A')
    client.send(apis.fetch, 3, 'B')
    await eventually('three answers', () => client.answers().length === 3)
    fenced.remove()
    client.send(apis.initProducerId, 4, 'x')
    await eventually('the fourth', () => client.answers().length === 4)
    expect(client.answers()).toEqual(['1 90 x', '2 0 A', '3 0 b', '4 0 x'])
  })

  test('error codes are found behind names of topics, in compact and in old answers', () => {
    const answerOf = (apiKey: number, apiVersion: number, ...parts: Buffer[]) => {
      const bytes = frame(int32(1), ...parts)
      return { direction: 'answer', apiKey, apiVersion, correlationId: 1, bytes } as const
    }
    const old = [int32(1), int16(3), Buffer.from('abc'), int32(1), int32(0), int16(47)]
    const compact = [Buffer.from([2, 4]), Buffer.from('abc'), Buffer.from([2]), int32(0), int16(47)]
    const tags = Buffer.from([0])
    for (const each of [
      answerOf(apis.addPartitionsToTxn, 1, int32(0), ...old),
      answerOf(apis.addPartitionsToTxn, 3, tags, int32(0), ...compact),
      answerOf(apis.produce, 7, ...old),
      answerOf(apis.produce, 9, tags, ...compact),
      answerOf(apis.endTxn, 1, int32(0), int16(47)),
      answerOf(apis.endTxn, 3, tags, int32(0), int16(47)),
    ])
      expect(each.bytes.readInt16BE(errorPosition(each)), `api ${each.apiKey} v${each.apiVersion}`).toBe(47)
    expect(() => errorPosition(answerOf(apis.metadata, 1))).toThrow('no known error code')
  })
})
