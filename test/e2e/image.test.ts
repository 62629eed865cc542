// The image our Dockerfile makes, carried out without a container engine (test/support/stand-in-image.ts): what is in it, and that it works as
// another user, without any capability, on a root that cannot be written to.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/services/ports.ts'
import { buildStandIn, noStandIn, type Running, type StandIn } from '../support/stand-in-image.ts'

/**
 * Packages with code in the bundle: what there is today, so that it does not grow unseen. The aim of 40 is out of reach with the libraries
 * agreed on: fastify, the schema registry's client and the two Kafka drivers bring most of them. The image runs every connector, so it has the
 * SDK of AWS too, which is counted by itself: one publisher, loaded only by `sqs` and `kinesis`.
 */
const mostPackages = 80
const mostOfAws = 26
const isOfAws = (name: string) => /^(@aws-sdk\/|@aws\/|@smithy\/|bowser$|tslib$)/.test(name)

describe.skipIf(noStandIn !== null)(`the image${noStandIn ? ` (skipped: ${noStandIn})` : ''}`, () => {
  let image: StandIn
  const running: Running[] = []
  beforeAll(() => {
    image = buildStandIn()
  }, 120_000)
  afterAll(async () => {
    for (const one of running) one.child.kill('SIGKILL')
    await Promise.all(running.map(one => one.ended))
    image?.[Symbol.dispose]()
  })

  /** The names of the packages that dist/THIRD-PARTY.txt tells the licences of. */
  const bundled = (): readonly string[] => {
    const text = readFileSync(join(image.rootDir, 'app/dist/THIRD-PARTY.txt'), 'utf8')
    return text.split(/^-{80}\n\n/m).map(each => /^(\S+) \S+ \(/.exec(each)![1]!)
  }
  const run = (args: readonly string[], options: Parameters<StandIn['run']>[1] = {}): Running => {
    const one = image.run(args, options)
    running.push(one)
    return one
  }
  const ended = async (one: Running) => ({ code: await one.ended, output: one.output() })

  const version = `weir ${JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version}\n`

  test('sec-37: runs as its user, and as any other, on a root that is read-only', async () => {
    expect(await ended(run(['--version']))).toEqual({ code: 0, output: version })
    expect(await ended(run(['--version'], { uid: 65_534 }))).toEqual({ code: 0, output: version })
  })

  test('holds the program and what it needs, and nothing of its making', () => {
    expect(readdirSync(join(image.rootDir, 'app')).sort()).toEqual(
      ['.weir', 'LICENSE', 'dist', 'package.json', 'pipelines', 'schemas'].sort(),
    )
    const files = readdirSync(join(image.rootDir, 'app/dist'), { recursive: true, encoding: 'utf8' })
    expect(files).toContain('main.js')
    expect(files.filter(file => /\.ts$|(^|\/)(test|bench)\//.test(file))).toEqual([])
    const { devDependencies } = JSON.parse(readFileSync(join(image.rootDir, 'app/package.json'), 'utf8'))
    expect(bundled().filter(name => Object.hasOwn(devDependencies, name))).toEqual([])
  })

  test(`sec-35: has no more than ${mostPackages} packages in its bundle, and ${mostOfAws} of the SDK of AWS`, () => {
    const ofAws = bundled().filter(isOfAws)
    expect(bundled()).toEqual(expect.arrayContaining(['kafkajs', 'avsc', 'ajv', 'pino', 'yaml', 'opossum']))
    expect(ofAws.length).toBeLessThanOrEqual(mostOfAws)
    expect(bundled().length - ofAws.length).toBeLessThanOrEqual(mostPackages)
  })

  test('lets its user write to nothing but the volume', () => {
    const { uid } = statSync(join(image.rootDir, 'data'))
    expect(uid).toBe(10_001)
    expect(statSync(join(image.rootDir, 'data')).mode & 0o777).toBe(0o700)
    const own = readdirSync(join(image.rootDir, 'app'), { recursive: true, encoding: 'utf8' }).filter(file => {
      const found = statSync(join(image.rootDir, 'app', file), { throwIfNoEntry: false })
      return found !== undefined && file !== '.weir' && (found.uid === uid || (found.mode & 0o002) !== 0)
    })
    expect(own).toEqual([])
  })

  test('runs a shipped pipeline to its end, with its data and its output in the volume', async () => {
    const one = run(['run', 'pipelines/finefoods.yaml', '--until', 'end'], { env: { WEIR_PORT: '0' } })
    const { code, output } = await ended(one)
    expect({ code, output: output.slice(-2000) }).toMatchObject({ code: 0 })
    expect(JSON.parse(output.trim().split('\n').at(-1)!)).toMatchObject({
      event: 'summary',
      appended: 2000,
      unaccounted: 0,
    })
    expect(readFileSync(join(one.volume, 'out/finefoods.ndjson'), 'utf8').trim().split('\n')).toHaveLength(2000)
  })

  test('I11: is healthy while it works, and drains on the signal of `docker stop` as process 1', async () => {
    const port = await freePort()
    const one = run(['run', 'pipelines/finefoods.yaml'], { env: { WEIR_PORT: String(port), WEIR_HOST: '127.0.0.1' } })
    await eventually('it has started', () => one.output().includes('"event":"pipeline_started"'))
    await eventually('it is healthy', () => one.health() === 0)
    const status = readFileSync(`/proc/${one.pid()}/status`, 'utf8')
    expect(status).toMatch(/^NSpid:\t(\d+\t)+1$/m)
    expect(status).toMatch(/^Uid:\t10001\t10001/m)
    expect(status).toMatch(/^CapEff:\t0+$/m)
    expect(status).toMatch(/^CapBnd:\t0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    const argv = readFileSync(`/proc/${one.pid()}/cmdline`, 'utf8').split('\0')
    expect(argv.filter(part => part.startsWith('--max-semi-space-size'))).toHaveLength(1)
    process.kill(one.pid(), 'SIGTERM')
    expect(await one.ended).toBe(0)
    expect(one.output()).toContain('"event":"summary"')
  })

  test('tells its health check when nothing answers', async () => {
    const one = run(['simulate', 'reviews', '--port', String(await freePort())], {
      env: { WEIR_PORT: String(await freePort()) },
    })
    await eventually('it listens', () => one.output().includes('listens at'))
    expect(one.health()).toBe(1)
    process.kill(one.pid(), 'SIGTERM')
    expect(await one.ended).toBe(0)
  })

  test('goes on in a volume that it filled before', async () => {
    const first = run(['prepare', 'pipelines/finefoods.yaml'])
    expect(await first.ended).toBe(0)
    const again = run(['prepare', 'pipelines/finefoods.yaml'], { volume: first.volume })
    expect((await ended(again)).output).toContain('was there')
  })

  test('says what is wrong when its volume belongs to someone else', async () => {
    const volume = join(image.rootDir, '..', 'foreign')
    mkdirSync(volume, { mode: 0o700 })
    const { code, output } = await ended(run(['prepare', 'pipelines/finefoods.yaml'], { volume }))
    rmSync(volume, { recursive: true })
    expect(code).toBe(3)
    expect(output).toMatch(/^error\[log\.\w+\] .*\n/)
    expect(output).not.toContain('    at ')
  })
})
