// The probe: what it finds of the embedded registry, what it leaves behind, and what it says where there is no registry.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { probeRegistry } from '../../src/adapters/registry-http/probe.ts'
import { runCli } from '../../src/cli/frame.ts'
import { systemClock } from '../../src/core/clock.ts'
import { Secret } from '../../src/core/secret.ts'
import { fakeRegistry } from '../support/fake-registry.ts'
import { serveRegistry } from '../support/registry-server.ts'
import { memoryTerminal } from '../support/terminal.ts'

const token = 'canary-probe-token'
const options = (url: string, bearer?: string) => ({
  url,
  auth: bearer === undefined ? null : { bearer: () => new Secret(bearer) },
  tls: null,
  timeoutMs: 10_000,
  clock: systemClock,
  random: Math.random,
})

describe('the probe', () => {
  test('the embedded registry has all behaviours but contexts, and nothing of the probe is left', async () => {
    await using served = await serveRegistry({ full: token })
    const { registry, findings, left } = await probeRegistry(options(served.url, token))
    expect(registry).toBe(served.url)
    expect(findings.length).toBeGreaterThan(30)
    expect(findings.filter(each => !each.supported)).toEqual([
      { behaviour: 'contexts', expected: expect.any(String), supported: false, found: 'refused: 422 (42208)' },
    ])
    expect(left).toEqual([])
    expect(await served.book.subjects('all')).toEqual([])
    expect(await served.book.own(null)).toEqual({ level: null, normalize: null, mode: null })
    expect(served.errors).toEqual([])
  })

  test('a registry that lacks most is told apart', async () => {
    await using fake = await fakeRegistry()
    const { findings, left } = await probeRegistry(options(fake.url))
    const supported = findings.filter(each => each.supported).map(each => each.behaviour)
    expect(supported).toEqual(
      expect.arrayContaining(['register', 'same_id', 'doc_is_content', 'config_40408', 'incompatible_40901']),
    )
    for (const lacking of [
      'normalize',
      'metadata',
      'references',
      'mode_readonly',
      'delete_codes',
      'reregister',
      'ids_schema',
    ])
      expect(supported).not.toContain(lacking)
    // It deletes nothing.
    expect(left.length).toBeGreaterThan(0)
  })

  test('a wrong login and a wrong address are errors, not findings', async () => {
    await using served = await serveRegistry({ full: token })
    await expect(probeRegistry(options(served.url, 'wrong'))).rejects.toMatchObject({ code: 'registry.denied' })
    await using reading = await serveRegistry({ full: token, read: 'canary-read-token' })
    await expect(probeRegistry(options(reading.url, 'canary-read-token'))).rejects.toMatchObject({
      code: 'registry.denied',
    })
    expect(await reading.book.subjects('all')).toEqual([])
    const page = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<html>'))
    await new Promise<void>(resolve => page.listen(0, '127.0.0.1', resolve))
    const { port } = page.address() as AddressInfo
    await expect(probeRegistry(options(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
      code: 'registry.unavailable',
    })
    page.close()
  })
})

describe.each(['registry', 'schema'])('weir %s probe', command => {
  test('prints a table for people and a document for programs, without the token', async () => {
    await using served = await serveRegistry({ full: token })
    const env = { WEIR_REGISTRY_TOKEN: token }
    const login = ['--token', '${WEIR_REGISTRY_TOKEN}']
    const people = memoryTerminal({ env })
    expect(await runCli([command, 'probe', served.url, ...login], people)).toBe(0)
    expect(people.out()).toMatch(/config_40408 +yes/)
    expect(people.out()).toMatch(/contexts +NO/)
    expect(people.out()).toContain('differs in 1 of ')
    const program = memoryTerminal({ env })
    expect(await runCli([command, 'probe', served.url, ...login, '--json'], program)).toBe(0)
    expect(JSON.parse(program.out())).toMatchObject({ registry: served.url, left: [], findings: expect.any(Array) })
    expect(people.out() + people.err() + program.out() + program.err()).not.toContain(token)
  })

  test('a token of ours goes nowhere unasked', async () => {
    await using served = await serveRegistry({ full: token })
    const terminal = memoryTerminal({ env: { WEIR_REGISTRY_TOKEN: token } })
    expect(await runCli([command, 'probe', served.url], terminal)).toBe(3)
    expect(terminal.err()).toContain('error[registry.denied]')
  })

  test('the token may be the password of a user', async () => {
    await using served = await serveRegistry({ full: token })
    const terminal = memoryTerminal({ env: { SECRET: token } })
    expect(
      await runCli([command, 'probe', served.url, '--user', 'me', '--token', '${SECRET}', '--json'], terminal),
    ).toBe(0)
  })

  test.each([
    ['no address', ['probe', 'registry:8081'], 2, 'usage.invalid'],
    ['a user in the address', ['probe', 'http://me:canary-userinfo@127.0.0.1:1'], 2, 'usage.invalid'],
    ['nobody there', ['probe', 'http://127.0.0.1:1'], 3, 'registry.unavailable'],
    ['a variable that is not set', ['probe', 'http://127.0.0.1:1', '--token', '${NOT_SET}'], 2, 'config.variable'],
  ] as const)('%s', async (_, argv, code, error) => {
    const terminal = memoryTerminal()
    expect(await runCli([command, ...argv], terminal)).toBe(code)
    expect(terminal.err()).toContain(`error[${error}]`)
    expect(terminal.err()).not.toContain('canary-userinfo')
  })
})
