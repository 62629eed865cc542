// The fault proxy over a server that echoes, and over HTTP: each fault is what it says, and over when it is healed.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { eventually, holds } from '../../support/eventually.ts'
import { type FaultProxy, openFaultProxy } from '../../support/fault-proxy.ts'
import { answer, rawServer } from '../../support/raw-server.ts'

async function echo(): Promise<{ target: string; received: () => number } & AsyncDisposable> {
  let received = 0
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    socket
      .on('error', () => {})
      .on('data', chunk => {
        received += chunk.length
      })
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Client extends Disposable {
  readonly socket: Socket
  readonly chunks: Buffer[]
  text(): string
  /** 'end', or the code of the error, or false while it is open. */
  over(): string | false
}

async function call(proxy: FaultProxy): Promise<Client> {
  const chunks: Buffer[] = []
  let over: string | false = false
  const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true })
  socket
    .on('data', (chunk: Buffer) => void chunks.push(chunk))
    .on('end', () => {
      over ||= 'end'
    })
    .on('error', error => {
      over ||= (error as NodeJS.ErrnoException).code ?? 'error'
    })
  await once(socket, 'connect')
  return {
    socket,
    chunks,
    text: () => Buffer.concat(chunks).toString(),
    over: () => over,
    [Symbol.dispose]: () => socket.destroy(),
  }
}

describe('the fault proxy', () => {
  test('passes bytes both ways, and the ends of connections', async () => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    using client = await call(proxy)
    const bytes = 'x'.repeat(3_000_000)
    client.socket.end(bytes)
    await eventually('the end came back', () => client.over())
    expect(client.over()).toBe('end')
    expect(client.text() === bytes).toBe(true)
    await eventually('nothing is left open', () => proxy.open === 0)
  })

  test('latency delays each byte and keeps the order, with jitter too', async () => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    using client = await call(proxy)
    proxy.latency(60, 20)
    const started = performance.now()
    const words = 'abcdefghij'.repeat(6)
    for (const word of words) {
      client.socket.write(word)
      // Each in a packet of its own.
      await delay(1)
    }
    await eventually('all is back', () => client.text() === words)
    const tookMs = performance.now() - started
    expect(tookMs).toBeGreaterThanOrEqual(119)
    // Not once for each chunk.
    expect(tookMs).toBeLessThan(1_500)
  })

  test('bandwidth limits what goes through', async () => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    using client = await call(proxy)
    proxy.bandwidth(2_000)
    const started = performance.now()
    client.socket.write('x'.repeat(500))
    await eventually('all is back', () => client.text().length === 500)
    expect(performance.now() - started).toBeGreaterThan(200)
  })

  test('slices arrive one by one', async () => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    using client = await call(proxy)
    proxy.slice(1)
    client.socket.write('zwölf €')
    await eventually('all is back', () => client.text() === 'zwölf €')
    expect(client.chunks.length).toBeGreaterThan(3)
  })

  test('a black hole takes connections and says nothing; what was held goes on when it is healed', async () => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    using before = await call(proxy)
    proxy.blackHole()
    before.socket.end('kept')
    using after = await call(proxy)
    after.socket.write('kept too')
    await holds('nothing comes back', () => before.text() + after.text() === '' && before.over() === false, 100)
    proxy.heal()
    await eventually('it goes on', () => before.text() === 'kept' && after.text() === 'kept too')
    await eventually('the end comes too', () => before.over() === 'end')
  })

  test('a refused port answers like one nobody listens on, and is there again after accept', async () => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    using client = await call(proxy)
    await proxy.refuse()
    await eventually('the open one is reset', () => client.over() === 'ECONNRESET')
    await expect(call(proxy)).rejects.toThrow('ECONNREFUSED')
    await proxy.accept()
    using again = await call(proxy)
    again.socket.write('back')
    await eventually('it answers', () => again.text() === 'back')
    expect(proxy.accepted).toBe(2)
  })

  test('all connections can be reset at once', async () => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    using one = await call(proxy)
    using other = await call(proxy)
    await eventually('both are there', () => proxy.open === 2)
    proxy.resetAll()
    await eventually('both are reset', () => one.over() === 'ECONNRESET' && other.over() === 'ECONNRESET')
    expect(proxy.open).toBe(0)
  })

  test.each([
    ['resetAfter', 'ECONNRESET'],
    ['endAfter', 'end'],
  ] as const)('%s cuts an answer after so many bytes, on each connection', async (cut, over) => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    proxy[cut](5)
    for (let i = 0; i < 2; i++) {
      using client = await call(proxy)
      client.socket.write('123')
      await eventually('the first three', () => client.text() === '123')
      client.socket.write('4567890')
      await eventually('it is cut', () => client.over() === over)
      if (cut === 'endAfter') expect(client.text()).toBe('12345')
    }
    proxy.heal()
    using healed = await call(proxy)
    healed.socket.write('1234567890')
    await eventually('all of it', () => healed.text() === '1234567890')
  })

  test('resetAfter cuts a request as well', async () => {
    await using server = await echo()
    await using proxy = await openFaultProxy(server)
    proxy.resetAfter(4, 'request')
    using client = await call(proxy)
    client.socket.write('1234567890')
    await eventually('it is cut', () => client.over() === 'ECONNRESET')
    expect(server.received()).toBeLessThanOrEqual(4)
  })

  test('a service that is not there looks like a reset', async () => {
    const server = await echo()
    await server[Symbol.asyncDispose]()
    await using proxy = await openFaultProxy(server)
    using client = await call(proxy)
    await eventually('it is over', () => client.over() === 'ECONNRESET')
    expect(proxy.open).toBe(0)
  })

  test('HTTP goes through it; a body that is cut short is an error', async () => {
    await using server = await rawServer(socket => void socket.write(answer('{"a":1}')))
    await using proxy = await openFaultProxy({ target: `127.0.0.1:${server.port}` })
    const url = `http://${proxy.address}/`
    expect(await (await fetch(url)).json()).toEqual({ a: 1 })
    proxy.resetAll()
    proxy.endAfter(answer('{"a":1}').length - 3)
    await expect(fetch(url).then(response => response.text())).rejects.toThrow()
  })
})
