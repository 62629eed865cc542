// weir registry serve as a process: its address, its token, its end; killed while it registers; its memory under bad requests.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cases, record } from '../corpus/registry/cases.ts'
import { runWeir } from '../support/cli.ts'
import { growthOf, startRegistryProcess } from '../support/registry-process.ts'
import { ask } from '../support/registry-server.ts'

function folder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'weir-serve-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}
const schema = { schema: record() }
const versions = '/subjects/a-value/versions'

describe('weir registry serve', () => {
  test('prints its address, serves, and ends at SIGTERM with 0; what it took is there at the next start', async () => {
    using place = folder()
    let id: unknown
    {
      await using served = await startRegistryProcess(place.path)
      const answer = await ask(served.url, 'POST', versions, schema)
      expect(answer.status).toBe(200)
      id = (answer.body as { id: number }).id
      served.child.kill('SIGTERM')
      expect(await served.ended).toBe(0)
    }
    await using again = await startRegistryProcess(place.path)
    expect((await ask(again.url, 'GET', `${versions}/1`)).body).toMatchObject({ id, subject: 'a-value' })
  })

  test('the token may come from a variable, a file, or weir.yaml; it is printed nowhere', async () => {
    using place = folder()
    writeFileSync(join(place.path, 'token'), 'canary-file-token\n')
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
    const status = async (url: string, headers = {}) => (await ask(url, 'GET', '/subjects', undefined, headers)).status
    {
      await using served = await startRegistryProcess(
        place.path,
        ['--token', '${file:token}', '--read-token', '${READER}'],
        {
          READER: 'canary-reader-token',
        },
      )
      expect(await status(served.url)).toBe(401)
      expect(await status(served.url, bearer('canary-file-token'))).toBe(200)
      expect(await status(served.url, bearer('canary-reader-token'))).toBe(200)
      // Rotated while it runs.
      writeFileSync(join(place.path, 'token'), 'canary-rotated-token\n')
      expect(await status(served.url, bearer('canary-file-token'))).toBe(401)
      expect(await status(served.url, bearer('canary-rotated-token'))).toBe(200)
      expect(served.output()).not.toContain('canary')
    }
    {
      await using served = await startRegistryProcess(place.path, [], { WEIR_REGISTRY_TOKEN: 'canary-env-token' })
      expect(await status(served.url)).toBe(401)
      expect(await status(served.url, bearer('canary-env-token'))).toBe(200)
    }
    writeFileSync(
      join(place.path, 'weir.yaml'),
      'registry: { embedded: { serve: { port: 8081, token: "${file:token}" } } }\n',
    )
    await using served = await startRegistryProcess(place.path)
    expect(await status(served.url)).toBe(401)
    expect(await status(served.url, bearer('canary-rotated-token'))).toBe(200)
  })

  test.each([
    ['an open address without a token', ['--host', '0.0.0.0'], 'usage.refused'],
    ['a token that is short', ['--token', 'short'], 'usage.invalid'],
    ['a token to read with alone', ['--read-token', '${READER}'], 'usage.invalid'],
    ['a variable that is not set', ['--token', '${NOT_SET}'], 'config.variable'],
    ['a port that cannot be', ['--port', '70000'], 'usage.invalid'],
  ] as const)('%s is refused with 2', async (_, argv, code) => {
    using place = folder()
    const result = await runWeir(['registry', 'serve', ...argv], {
      cwd: place.path,
      env: { READER: 'canary-reader-token' },
    })
    expect(result.code).toBe(2)
    expect(result.err).toContain(`error[${code}]`)
  })

  test('killed before it commits a registration, nothing is there; after it, all is, under one id', async () => {
    using place = folder()
    {
      await using served = await startRegistryProcess(place.path, [], {
        WEIR_FAILPOINT: 'register.before_commit:1:kill',
      })
      await expect(ask(served.url, 'POST', versions, schema)).rejects.toThrow()
      expect(await served.ended).toBe('SIGKILL')
    }
    {
      await using served = await startRegistryProcess(place.path, [], {
        WEIR_FAILPOINT: 'register.after_commit:1:kill',
      })
      expect((await ask(served.url, 'GET', versions)).body).toMatchObject({ error_code: 40401 })
      await expect(ask(served.url, 'POST', versions, schema)).rejects.toThrow()
      expect(await served.ended).toBe('SIGKILL')
    }
    await using served = await startRegistryProcess(place.path)
    const { body } = await ask(served.url, 'GET', `${versions}/latest`)
    expect(body).toMatchObject({ version: 1 })
    expect((await ask(served.url, 'POST', versions, schema)).body).toMatchObject({
      id: (body as { id: number }).id,
      version: 1,
    })
  })

  test('no bad request makes it grow by more than 64 MB, or ends it', async () => {
    using place = folder()
    const token = 'canary-registry-token'
    const readToken = 'canary-registry-reader'
    await using served = await startRegistryProcess(place.path, ['--token', '${FULL}', '--read-token', '${READ}'], {
      FULL: token,
      READ: readToken,
    })
    const pid = served.child.pid!
    const registry = { url: served.url, token, readToken }
    const large: [name: string, mb: number][] = []
    for (const [i, { name, prepare, send, expected }] of cases.entries()) {
      await prepare?.(registry, `case-${i}`)
      const grown = await growthOf(pid, async () =>
        expect(await send(registry, `case-${i}`), name).toMatchObject(expected),
      )
      if (grown > 64) large.push([name, grown])
    }
    expect(large).toEqual([])
    served.child.kill('SIGTERM')
    expect(await served.ended).toBe(0)
  }, 120_000)
})
