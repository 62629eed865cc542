// Both drivers against a broker that misbehaves: whatever comes over the wire, a request ends in an answer or in log.unavailable, and a
// connection that has failed once is not used again.
import type { Socket } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import type {
  Driver,
  DriverConnection,
  DriverRequest,
  OpenDriver,
} from '../../../../src/adapters/event-log-kafka/driver.ts'
import { openKafkaJsDriver } from '../../../../src/adapters/event-log-kafka/driver-kafkajs.ts'
import { openPlatformaticDriver } from '../../../../src/adapters/event-log-kafka/driver-platformatic.ts'
import type { ConnectionOptions } from '../../../../src/adapters/event-log-kafka/options.ts'
import { Writer } from '../../../../src/adapters/event-log-kafka/protocol/writer.ts'
import { Secret } from '../../../../src/core/secret.ts'
import { eventually } from '../../../support/eventually.ts'
import { frame, type HeardRequest, openTinyBroker } from '../../../support/tiny-broker.ts'

const options: ConnectionOptions = {
  clientId: 'weir-tests',
  tls: null,
  sasl: null,
  connectTimeoutMs: 2_000,
  requestTimeoutMs: 2_000,
}

const request = (body: string | Uint8Array = 'question', more: Partial<DriverRequest> = {}): DriverRequest => ({
  apiKey: 18,
  apiVersion: 0,
  flexible: false,
  name: 'ApiVersions',
  body: Buffer.from(body),
  ...more,
})

const said: unknown[] = []
const listen = (warning: Error) => void said.push(warning)
process.on('warning', listen)
afterAll(async () => {
  // Warnings are emitted a turn later.
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  process.off('warning', listen)
  expect(said, 'warnings that a driver gave rise to').toEqual([])
})

type Answer = (heard: HeardRequest, socket: Socket) => void
const echo: Answer = ({ correlationId, rest }, socket) => void socket.write(frame(correlationId, rest))

async function connected(
  open: OpenDriver,
  answer: Answer,
  more: Partial<ConnectionOptions> = {},
): Promise<
  AsyncDisposable & { connection: DriverConnection; driver: Driver; broker: Awaited<ReturnType<typeof openTinyBroker>> }
> {
  const broker = await openTinyBroker(answer)
  const driver = open({ ...options, ...more })
  const connection = await driver.connect('127.0.0.1', broker.port)
  return {
    broker,
    driver,
    connection,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
    },
  }
}

const failure = (work: Promise<unknown>) =>
  work.then(
    value => {
      throw new Error(`answered ${value}`)
    },
    error => error,
  )

describe.each([
  ['kafkajs', openKafkaJsDriver],
  ['platformatic', openPlatformaticDriver],
] as const)('%s', (name, open) => {
  test('sends a request with its header and resolves with the body of its answer', async () => {
    await using scene = await connected(open, echo)
    const { connection, broker } = scene
    expect(scene.driver.name).toBe(name)
    expect(String(await connection.send(request('hello', { apiKey: 3, apiVersion: 5 })))).toBe('hello')
    expect(broker.heard).toMatchObject([{ apiKey: 3, apiVersion: 5, rest: Buffer.from('hello') }])
    expect(connection.usable).toBe(true)
  })

  test('writes the tagged fields of a flexible header, and skips those of the answer', async () => {
    await using scene = await connected(open, ({ correlationId, rest }, socket) => {
      expect(rest[0]).toBe(0)
      const tags = Buffer.from([1, 7, 2, 0xaa, 0xbb])
      socket.write(frame(correlationId, Buffer.concat([tags, rest.subarray(1)])))
    })
    expect(String(await scene.connection.send(request('flexible', { flexible: true })))).toBe('flexible')
  })

  test('answers of many requests at once go to their own requests', async () => {
    await using scene = await connected(open, echo)
    const texts = Array.from({ length: 50 }, (_, i) => `question ${i} ${'x'.repeat(i * 100)}`)
    const answers = await Promise.all(texts.map(text => scene.connection.send(request(text))))
    expect(answers.map(String)).toEqual(texts)
  })

  test('a body of megabytes arrives whole, and so does its answer', async () => {
    await using scene = await connected(open, echo)
    const body = Buffer.alloc(5_000_000, 'review ')
    expect(Buffer.compare(await scene.connection.send(request(body, { timeoutMs: 20_000 })), body)).toBe(0)
  })

  test('an answer in slices of one byte is put together', async () => {
    await using scene = await connected(open, async ({ correlationId, rest }, socket) => {
      socket.setNoDelay(true)
      for (const byte of frame(correlationId, rest))
        await new Promise<void>(resolve => socket.write(Buffer.of(byte), () => setImmediate(resolve)))
    })
    expect(String(await scene.connection.send(request('slowly')))).toBe('slowly')
    expect(String(await scene.connection.send(request('again')))).toBe('again')
  })

  test('silence ends at the deadline of the request, and the connection with it', async () => {
    await using scene = await connected(open, () => {})
    const { connection } = scene
    const other = failure(connection.send(request()))
    const started = performance.now()
    const error = await failure(connection.send(request('quick', { timeoutMs: 50 })))
    expect(error).toMatchObject({ code: 'log.unavailable', message: expect.stringContaining('within 50 ms') })
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(connection.usable).toBe(false)
    expect(await other).toMatchObject({ code: 'log.unavailable' })
    expect(await failure(connection.send(request()))).toMatchObject({ code: 'log.unavailable' })
    await eventually('the socket is closed', () => scene.broker.sockets.size === 0)
  })

  test('an answer that comes after its deadline is nobody else’s', async () => {
    await using scene = await connected(open, (heard, socket) => void setTimeout(() => echo(heard, socket), 80))
    await failure(scene.connection.send(request('late', { timeoutMs: 20 })))
    expect(scene.connection.usable).toBe(false)
  })

  test('a connection that closes in the middle of an answer fails what waits on it', async () => {
    await using scene = await connected(open, ({ correlationId }, socket) => {
      socket.end(frame(correlationId, Buffer.from('half'), 500))
    })
    const errors = await Promise.all([1, 2].map(() => failure(scene.connection.send(request()))))
    for (const error of errors) expect(error).toMatchObject({ code: 'log.unavailable' })
    await eventually('it is not usable', () => !scene.connection.usable)
  })

  test('a connection that is reset fails what waits on it', async () => {
    await using scene = await connected(open, (_, socket) => void socket.resetAndDestroy())
    expect(await failure(scene.connection.send(request()))).toMatchObject({ code: 'log.unavailable' })
    expect(scene.connection.usable).toBe(false)
  })

  test('a connection that the broker closes while it is idle is not used again', async () => {
    await using scene = await connected(open, echo)
    await scene.connection.send(request())
    for (const socket of scene.broker.sockets) socket.end()
    await eventually('it is not usable', () => !scene.connection.usable)
  })

  test.each([
    ['of a request that was never made', 77],
    ['that is negative', -5],
  ])('a correlation id %s breaks the connection at once', async (_, correlationId) => {
    await using scene = await connected(open, ({ rest }, socket) => void socket.write(frame(correlationId, rest)))
    const started = performance.now()
    expect(await failure(scene.connection.send(request()))).toMatchObject({ code: 'log.unavailable' })
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(scene.connection.usable).toBe(false)
  })

  test.each([2 ** 31 - 1, -1, 0, 2])('I10: an announced length of %i breaks the connection at once', async length => {
    await using scene = await connected(open, ({ correlationId, rest }, socket) => {
      socket.write(frame(correlationId, rest, length))
    })
    const started = performance.now()
    const error = await failure(scene.connection.send(request()))
    expect(error).toMatchObject({ code: 'log.unavailable', message: expect.stringContaining(`${length} bytes`) })
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(scene.connection.usable).toBe(false)
  })

  test('closing gives up what is on its way', async () => {
    await using scene = await connected(open, () => {})
    const waiting = failure(scene.connection.send(request()))
    await eventually('the request has arrived', () => scene.broker.heard.length === 1)
    await scene.connection[Symbol.asyncDispose]()
    expect(await waiting).toMatchObject({ code: 'log.unavailable', message: expect.stringContaining('closed') })
    expect(scene.connection.usable).toBe(false)
    await eventually('the socket is closed', () => scene.broker.sockets.size === 0)
  })

  test('nobody there is log.unavailable with a hint', async () => {
    const broker = await openTinyBroker(() => {})
    await broker[Symbol.asyncDispose]()
    expect(await failure(open(options).connect('127.0.0.1', broker.port))).toMatchObject({
      code: 'log.unavailable',
      message: expect.stringContaining('nothing listens there'),
      hint: expect.any(String),
    })
  })

  test('a TLS handshake that is never answered ends at the deadline for connecting', async () => {
    await using broker = await openTinyBroker(() => {})
    const tls = { ca: null, cert: null, key: null, serverName: null, verify: true }
    const error = await failure(open({ ...options, tls, connectTimeoutMs: 100 }).connect('127.0.0.1', broker.port))
    expect(error).toMatchObject({ code: 'log.unavailable', message: expect.stringContaining('within 100 ms') })
    await eventually('the socket is closed', () => broker.sockets.size === 0)
  })

  test('a credential that never comes ends at the deadline for connecting', async () => {
    await using broker = await openTinyBroker(offering)
    const sasl = { mechanism: 'plain', username: 'u', password: () => new Promise<Secret>(() => {}) } as const
    const error = await failure(open({ ...options, sasl, connectTimeoutMs: 100 }).connect('127.0.0.1', broker.port))
    expect(error).toMatchObject({ code: 'log.unavailable', message: expect.stringContaining('within 100 ms') })
  })

  const offering: Answer = ({ apiKey, apiVersion, correlationId }, socket) => {
    expect(apiVersion).toBe(1)
    const answer = new Writer().int16(0)
    if (apiKey === 17) answer.array(['PLAIN'], each => answer.string(each))
    else answer.string(null).bytes(Buffer.alloc(0)).int64(200n)
    socket.write(frame(correlationId, answer.finish()))
  }

  test('a login is part of connecting; near the end of its session the connection is not used any more', async () => {
    const sasl = { mechanism: 'plain', username: 'u', password: () => new Secret('a-password') } as const
    await using scene = await connected(open, offering, { sasl })
    expect(scene.broker.heard.map(each => each.apiKey)).toEqual([17, 36])
    expect(scene.broker.heard[1]!.rest.subarray(4).toString()).toBe('\0u\0a-password')
    expect(scene.connection.usable).toBe(true)
    await eventually('its session nears its end', () => !scene.connection.usable)
  })

  test('a broken answer to a login is log.unavailable', async () => {
    const sasl = { mechanism: 'scram-sha-256', username: 'u', password: () => new Secret('a-password') } as const
    await using broker = await openTinyBroker(({ correlationId }, socket) => {
      socket.write(frame(correlationId, Buffer.from('0000ffff', 'hex')))
    })
    const error = await failure(open({ ...options, sasl }).connect('127.0.0.1', broker.port))
    expect(error).toMatchObject({ code: 'log.unavailable', message: expect.stringContaining('cut or damaged') })
    await eventually('the socket is closed', () => broker.sockets.size === 0)
  })
})
