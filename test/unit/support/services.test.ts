// What gives tests their real services: downloads that are whole or not there, and the order in which a service is chosen.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Apicurio } from '../../support/services/apicurio.ts'
import { cacheDir, cached } from '../../support/services/cache.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { oauthToken } from '../../support/services/kafka-logins.ts'
import { isRequired, MissingService } from '../../support/services/missing.ts'
import { freePort } from '../../support/services/ports.ts'
import type { Redpanda } from '../../support/services/redpanda.ts'
import { openServices, type Starters } from '../../support/services/shared.ts'

function scratch(): Disposable & { dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'weir-cache-'))
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) }
}

describe('the cache of downloads', () => {
  test('is where the environment says, outside the work tree', () => {
    expect(cacheDir({ WEIR_TEST_CACHE: '/c', XDG_CACHE_HOME: '/x' })).toBe('/c')
    expect(cacheDir({ XDG_CACHE_HOME: '/x' })).toBe('/x/weir-test')
    expect(cacheDir({})).toMatch(/\/\.cache\/weir-test$/)
  })

  test('makes an entry once, whoever asks at the same time', async () => {
    using place = scratch()
    let made = 0
    const make = async (dir: string) => {
      made++
      await new Promise(resolve => setImmediate(resolve))
      writeFileSync(join(dir, 'jar'), 'bytes')
    }
    const all = await Promise.all(Array.from({ length: 5 }, () => cached('kafka-1', make, place.dir)))
    expect([made, new Set(all).size]).toEqual([1, 1])
    expect(readFileSync(join(all[0]!, 'jar'), 'utf8')).toBe('bytes')
    await cached('kafka-1', make, place.dir)
    expect([made, readdirSync(place.dir)]).toEqual([1, ['kafka-1']])
  })

  test('keeps nothing of a download that failed, and the next one works', async () => {
    using place = scratch()
    const half = async (dir: string) => {
      writeFileSync(join(dir, 'half'), '')
      throw new Error('no network')
    }
    await expect(cached('kafka-1', half, place.dir)).rejects.toThrow('no network')
    expect(readdirSync(place.dir)).toEqual([])
    await cached('kafka-1', async dir => writeFileSync(join(dir, 'jar'), ''), place.dir)
    expect(readdirSync(join(place.dir, 'kafka-1'))).toEqual(['jar'])
  })

  test('does not wait for a process that died while downloading', async () => {
    using place = scratch()
    // No process has so high a number on Linux.
    writeFileSync(join(place.dir, 'kafka-1.lock'), '4194305')
    await cached('kafka-1', async () => {}, place.dir)
    expect(readdirSync(place.dir)).toEqual(['kafka-1'])
  })
})

describe('the choice of a service', () => {
  const disposed: string[] = []
  const starter = <T>(name: string, value: object, started: string[]): (() => Promise<T>) => {
    return async () => {
      started.push(name)
      return { ...value, [Symbol.asyncDispose]: async () => void disposed.push(name) } as T
    }
  }
  const starters = (started: string[], missing: readonly (keyof Starters)[] = []): Starters => {
    const all = {
      kafka: starter<Kafka>('kafka', { bootstrap: 'jvm:1', proxied: [{ target: 't', listen: 1 }] }, started),
      apicurio: starter<Apicurio>('apicurio', { url: 'http://jvm' }, started),
      redpanda: starter<Redpanda>('redpanda', { bootstrap: 'container:1', registry: 'http://container' }, started),
    }
    const gone = (name: string) => () => Promise.reject(new MissingService(`no ${name}`))
    return { ...all, ...Object.fromEntries(missing.map(name => [name, gone(name)])) }
  }

  test('an address from the environment comes first, and nothing is started', async () => {
    const started: string[] = []
    const env = { WEIR_TEST_KAFKA: 'far:9092', WEIR_TEST_REGISTRY: 'http://far/' }
    await using services = openServices(env, starters(started))
    expect((await services.take('kafka')).bootstrap).toBe('far:9092')
    expect((await services.take('registry')).url).toBe('http://far')
    expect(started).toEqual([])
  })

  test('a container is next: one for broker and registry, ended with the run', async () => {
    const started: string[] = []
    disposed.length = 0
    {
      await using services = openServices({}, starters(started))
      const [kafka, registry] = await Promise.all([services.take('kafka'), services.take('registry')])
      expect([kafka.bootstrap, registry.url]).toEqual(['container:1', 'http://container'])
      expect(started).toEqual(['redpanda'])
    }
    expect(disposed).toEqual(['redpanda'])
  })

  test('a Java process is the last, and only what is asked for is started', async () => {
    const started: string[] = []
    await using services = openServices({}, starters(started, ['redpanda']))
    expect((await services.take('kafka')).bootstrap).toBe('jvm:1')
    expect((await services.take('apache-kafka')).proxied.listen).toBe(1)
    expect(started).toEqual(['kafka'])
  })

  test('where there is none, the reasons of all are said', async () => {
    await using services = openServices({}, starters([], ['redpanda', 'kafka', 'apicurio']))
    await expect(services.take('kafka')).rejects.toThrow(new MissingService('no redpanda; no kafka'))
    await expect(services.take('registry')).rejects.toThrow(new MissingService('no redpanda; no apicurio'))
  })

  test('one that is there and does not start is a failure, not a reason to take the next', async () => {
    const started: string[] = []
    const broken = { ...starters(started), redpanda: () => Promise.reject(new Error('out of memory')) }
    await using services = openServices({}, broken)
    await expect(services.take('kafka')).rejects.toThrow('out of memory')
    expect(started).toEqual([])
  })

  test('WEIR_REQUIRE names what must be there', () => {
    expect(isRequired('kafka', { WEIR_REQUIRE: 'registry, kafka' })).toBe(true)
    expect(isRequired('kcat', { WEIR_REQUIRE: 'registry, kafka' })).toBe(false)
    expect(isRequired('kafka', {})).toBe(false)
  })
})

test('ports are free, different, and none the kernel would give to an outgoing connection', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()))
  expect(new Set(ports).size).toBe(20)
  expect(Math.max(...ports)).toBeLessThan(32_768)
})

test('a token says whose it is and when it ends', () => {
  const claims = oauthToken('alice', 1_000, 5_000).split('.')[1]!
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({ sub: 'alice', iat: 5, exp: 6 })
})
