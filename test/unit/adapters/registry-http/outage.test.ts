// A registry that is away, slow, broken or something else (faults 64, 65): what is known goes on working, everything else ends in time.
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { give } from '../../../support/fake-registry.ts'
import { registryScene, schemaOf } from '../../../support/http-registry.ts'

test('ids that are known go on working while the registry is away; a new id waits for it', async () => {
  await using s = await registryScene()
  const registry = await s.open({ recheckMs: 0 })
  const { id } = await registry.register('a', schemaOf('A'))
  const later = await registry.register('b', schemaOf('B'))
  const fresh = await s.open({ recheckMs: 0 })
  await fresh.byId(id)
  await s.server.stop()
  for (let i = 0; i < 3; i++) expect(await fresh.byId(id)).toContain('"A"')
  await expect(fresh.byId(later.id)).rejects.toMatchObject({ code: 'registry.unavailable', at: s.server.url })
  await s.server.start()
  expect(await fresh.byId(later.id)).toContain('"B"')
})

test('a start without the registry names its address and what to do', async () => {
  await using s = await registryScene()
  await s.server.stop()
  const registry = await s.open({ url: `${s.server.url}/apis/` })
  const error = await registry.register('a', schemaOf('A')).catch(each => each)
  expect(error).toMatchObject({ code: 'registry.unavailable', at: `${s.server.url}/apis` })
  expect(error.message).toBe(`The schema registry at ${s.server.url}/apis cannot be used: the connection was refused.`)
  expect(error.hint).toContain('path included')
})

test('a failing answer is asked for again, a few times', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  let failures = 2
  s.server.trouble = (_, response) => {
    if (failures-- <= 0) return false
    give(response, 503, { error_code: 50003, message: 'Error while forwarding the request to the leader' })
    return true
  }
  expect(await registry.subjects()).toEqual([])
  failures = 3
  await expect(registry.subjects()).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: expect.stringContaining('503: Error while forwarding'),
  })
  expect(s.server.requests).toHaveLength(6)
})

test('a connection cut while answering is asked again', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  let cuts = 2
  s.server.trouble = (_, response) => {
    if (cuts-- <= 0) return false
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('["a"')
    setImmediate(() => response.destroy())
    return true
  }
  expect(await registry.subjects()).toEqual([])
})

test.each([
  ['never answers', () => {}],
  ['never ends its answer', (response: import('node:http').ServerResponse) => void response.writeHead(200).write('[')],
  [
    'drips',
    async (response: import('node:http').ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      while (!response.closed) {
        response.write(' ')
        await delay(10)
      }
    },
  ],
])('a registry that %s is given up at the deadline', async (_, act) => {
  await using s = await registryScene()
  s.server.trouble = (_, response) => {
    void act(response)
    return true
  }
  const registry = await s.open({ timeoutMs: 200 })
  const startedMs = performance.now()
  await expect(registry.subjects()).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: expect.stringContaining('no whole answer within 200 ms'),
  })
  expect(performance.now() - startedMs).toBeLessThan(2_000)
})

test('closing ends the questions under way', async () => {
  await using s = await registryScene()
  s.server.trouble = () => true
  const registry = await s.open({ timeoutMs: 60_000 })
  const asked = registry.subjects()
  asked.catch(() => {})
  await expect.poll(() => s.server.requests.length).toBe(1)
  await registry[Symbol.asyncDispose]()
  await expect(asked).rejects.toMatchObject({ code: 'registry.unavailable' })
})

test.each([
  ['a page', 200, { 'content-type': 'text/html' }, '<html>secret page</html>', 'text/html'],
  ['a redirect', 307, { location: 'http://elsewhere.example/?token=1' }, '', 'redirects (307) to elsewhere.example'],
  ['null as an error', 500, { 'content-type': 'application/json' }, 'null', '500'],
  ['a missing path', 404, { 'content-type': 'text/html' }, 'Not here', '404 without an error code'],
])('%s is no registry', async (_, status, headers, body, words) => {
  await using s = await registryScene()
  s.server.trouble = (_, response) => {
    response.writeHead(status, headers).end(body)
    return true
  }
  const error = await (await s.open()).byId(1).catch(each => each)
  expect(error).toMatchObject({ code: 'registry.unavailable', message: expect.stringContaining(words) })
  expect(error.message).not.toMatch(/secret page|token|Not here/)
})

test('I10: an answer is read up to 16 MB', async () => {
  await using s = await registryScene()
  let sent = 0
  const chunk = ' '.repeat(1024 * 1024)
  s.server.trouble = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = () => {
      while (sent < 200 && !response.destroyed) {
        sent++
        if (!response.write(chunk)) return void response.once('drain', more)
      }
    }
    more()
    return true
  }
  await expect((await s.open()).subjects()).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: expect.stringContaining('passes 16777216 bytes'),
  })
  // Three tries, each given up soon after the cap.
  expect(sent).toBeLessThan(100)
})

test('those who want an id at the same time share one question; a failure is not kept', async () => {
  await using s = await registryScene()
  const { id } = await (await s.open()).register('a', schemaOf('A'))
  s.server.requests.length = 0
  const registry = await s.open()
  s.server.trouble = (_, response) => {
    give(response, 401, { error_code: 401, message: 'no' })
    return true
  }
  await expect(registry.byId(id)).rejects.toMatchObject({ code: 'registry.denied' })
  s.server.trouble = null
  const texts = await Promise.all(Array.from({ length: 20 }, () => registry.byId(id)))
  expect(new Set(texts).size).toBe(1)
  expect(s.server.requests).toHaveLength(2)
})

test.each([
  ['ftp://r/', 'no http'],
  ['r:8081', 'no http'],
  ['', 'no http'],
  ['http://user:pa55word@r/', 'holds credentials'],
  ['http://r/?apikey=pa55word', 'has a query'],
])('I9: the address %s is refused without being shown', async (url, words) => {
  await using s = await registryScene()
  const error = await s.open({ url }).catch(each => each)
  expect(error).toMatchObject({ code: 'config.invalid', message: expect.stringContaining(words) })
  expect(JSON.stringify([error.message, error.hint, error.at])).not.toContain('pa55word')
})
