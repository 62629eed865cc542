// A call that must not be carried out twice, over real connections: it is made again only where the host has refused it.
import { describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../src/fetch/guard.ts'
import { openGuard } from '../support/open-guard.ts'
import { type Respond, rawServer } from '../support/raw-server.ts'

const settings = { retry: { attempts: 4, backoff: { min: '1ms', max: '2ms' } }, timeout: '1500ms' }

async function post(url: string) {
  await using opened = openGuard({ settings })
  const told: string[] = []
  const once: NonNullable<HttpRequest['once']> = attempt => void told.push(attempt)
  const error = await opened.get(url, { method: 'POST', body: '{}', once }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { told, error }
}

const reply =
  (head: string): Respond =>
  socket =>
    void socket.write(`HTTP/1.1 ${head}\r\ncontent-length: 0\r\n\r\n`)

describe('a call that must not be carried out twice', () => {
  test.each<[string, Respond, string]>([
    ['its connection is cut', socket => void socket.destroy(), 'fetch.network'],
    ['there is no answer', () => {}, 'fetch.timeout'],
    ['the source fails', reply('503 Service Unavailable'), 'fetch.status'],
    [
      'the answer is cut short',
      socket => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx'),
      'fetch.body_invalid',
    ],
  ])('is not repeated when %s', async (_, respond, code) => {
    await using server = await rawServer(respond)
    const { told, error } = await post(`${server.url}/jobs`)
    expect(error).toMatchObject({ code })
    expect(server.requests).toHaveLength(1)
    expect(told).toEqual(['sending'])
  })

  test('is repeated when it is told to slow down', async () => {
    await using server = await rawServer((socket, request, { requests }) =>
      reply(requests.length < 3 ? '429 Too Many Requests' : '200 OK')(socket, request, server),
    )
    const { told, error } = await post(`${server.url}/jobs`)
    expect(error).toBeUndefined()
    expect(told).toEqual(['sending', 'sending', 'sending'])
  })

  test('says so when it has not reached the host', async () => {
    const server = await rawServer(() => {})
    await server[Symbol.asyncDispose]()
    const { told, error } = await post(`${server.url}/jobs`)
    expect(error).toMatchObject({ code: 'fetch.network' })
    expect(told).toEqual(['sending', 'not_sent'])
  })

  test('has reached the host when a redirect leads to one that is not there', async () => {
    const gone = await rawServer(() => {})
    await gone[Symbol.asyncDispose]()
    await using server = await rawServer(reply(`303 See Other\r\nlocation: ${gone.url}/x`))
    const { told, error } = await post(`${server.url}/jobs`)
    expect(error).toMatchObject({ code: 'fetch.network' })
    expect(told).toEqual(['sending'])
  })
})
