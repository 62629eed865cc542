// Who is let in and what they may do, as an operator meets it: logins (SASL_SSL, each mechanism), certificates (39), access rules (37).
// A refusal ends the run with its cause, never with a secret, and never falls back to something weaker.
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka as KafkaJs,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import type { CliResult } from '../../support/cli.ts'
import { eventually } from '../../support/eventually.ts'
import type { Link } from '../../support/fault-proxy/link.ts'
import { openProxy } from '../../support/fault-proxy.ts'
import { type KafkaScene, type KafkaSceneOptions, kafkaScene } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { oauthToken, users } from '../../support/services/kafka-logins.ts'
import type { Listener } from '../../support/services/kafka-settings.ts'
import { steady } from '../../support/services/kafka-settings.ts'

const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']
const { TOPIC, GROUP, TRANSACTIONAL_ID } = AclResourceTypes
const { CREATE, READ, WRITE } = AclOperationTypes
type Resource = readonly [type: AclResourceTypes, name: string]

await describeWith(['own-kafka', 'kcat'], 'access', (startKafka, kcat) => {
  let kafka: Kafka
  let admin: Admin
  let endpoint: Server
  beforeAll(async () => {
    kafka = await startKafka({
      listeners: ['SASL_SSL', 'EXPIRED', 'WRONG_HOST', 'SELF_SIGNED'],
      acl: true,
      properties: steady,
    })
    admin = new KafkaJs({ brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    endpoint = createServer((request, response) => {
      const isKnown = request.headers.authorization === `Basic ${btoa('weir:client-secret')}`
      response.statusCode = isKnown ? 200 : 401
      response.end(
        JSON.stringify(isKnown ? { access_token: oauthToken('admin'), expires_in: 3600 } : { error: 'client-secret?' }),
      )
    }).listen(0, '127.0.0.1')
    await new Promise(listening => endpoint.once('listening', listening))
  }, 120_000)
  afterAll(async () => {
    endpoint?.close()
    await admin?.disconnect()
    await kafka?.[Symbol.asyncDispose]()
  })

  const scram = (user: string, password = '${file:password}') =>
    `scram_sha_512: { username: ${user}, password: "${password}" }`
  const sceneOf = (
    sasl: string,
    options: Partial<KafkaSceneOptions> & { readonly listener?: Listener; readonly tls?: string } = {},
  ): KafkaScene => {
    const { listener = 'SASL_SSL', tls = 'ca: ca.pem', ...rest } = options
    const scene = kafkaScene({
      ...{ bootstrap: kafka.bootstrap, kcat, lines: 200, malformedEvery: 50, brokers: kafka.addresses[listener]! },
      more: `    tls: { ${tls} }\n    sasl: { ${sasl} }\n`,
      ...rest,
    })
    writeFileSync(join(scene.dir, 'ca.pem'), kafka.certificates!.ca)
    writeFileSync(join(scene.dir, 'password'), `${users['alice']}\n`)
    return scene
  }
  const said = ({ out, err }: CliResult) => `${out}\n${err}`.replaceAll(/\s+/g, ' ')

  describe.each(drivers)('%s: logins over SASL_SSL', driver => {
    const admins = users['admin']!
    const mechanisms = () => ({
      PLAIN: `plain: { username: admin, password: "\${PASSWORD}" }`,
      'SCRAM-SHA-256': `scram_sha_256: { username: admin, password: "\${PASSWORD}" }`,
      'SCRAM-SHA-512': `scram_sha_512: { username: admin, password: "\${PASSWORD}" }`,
      'OAUTHBEARER, a token': 'oauthbearer: { token: "${TOKEN}" }',
      'OAUTHBEARER, an endpoint': `oauthbearer: { token_url: "http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/t", client_id: weir, client_secret: "\${CLIENT_SECRET}" }`,
    })
    const list = async (sasl: string, env: Record<string, string>): Promise<CliResult> => {
      await using scene = sceneOf(sasl, { driver })
      return await scene.weir(['topic', 'list', '--json'], { env })
    }

    test('each mechanism lets in who is known', async () => {
      const env = { PASSWORD: admins, TOKEN: oauthToken('admin'), CLIENT_SECRET: 'client-secret' }
      const all = await Promise.all(Object.values(mechanisms()).map(sasl => list(sasl, env)))
      expect(all.map(({ code, err }) => ({ code, err }))).toEqual(all.map(() => ({ code: 0, err: '' })))
    })

    test('I9: each mechanism refuses who is not, says who, how and what to see to, and shows no secret', async () => {
      const secrets = {
        PASSWORD: 'wrong-pa55word',
        TOKEN: oauthToken('admin', -600_000),
        CLIENT_SECRET: 'wrong-5ecret',
      }
      const all = Object.entries(mechanisms())
      const results = await Promise.all(all.map(([, sasl]) => list(sasl, secrets)))
      for (const [i, result] of results.entries()) {
        const [name] = all[i]!
        expect([name, result.code]).toEqual([name, 3])
        expect(result.err).toContain('"code":"log.login_refused"')
        expect(said(result)).toMatch(name.startsWith('OAUTH') ? /token/ : new RegExp(`user .*admin.* by ${name}`))
        expect(result.err).toMatch(/"hint":"[A-Z]/)
        for (const secret of Object.values(secrets)) expect(said(result)).not.toContain(secret)
      }
    })
  })

  describe.each(drivers)('%s: certificates', driver => {
    test.each<[Listener, RegExp]>([
      ['EXPIRED', /its certificate has expired/],
      ['WRONG_HOST', /its certificate is for another host/],
      ['SELF_SIGNED', /its certificate is self-signed/],
    ])('39, I9: %s is refused, and nothing but TLS ever leaves for it', async (listener, why) => {
      const firsts: number[] = []
      const seen = new WeakSet<Link>()
      await using proxy = await openProxy(
        { target: kafka.addresses[listener]! },
        {
          request: (link, bytes) => {
            if (!seen.has(link)) firsts.push(bytes[0]!)
            seen.add(link)
            link.up.push(bytes)
          },
          answer: (link, bytes) => link.down.push(bytes),
        },
      )
      await using scene = sceneOf(scram('alice'), { driver, brokers: proxy.address })
      const result = await scene.drain()
      expect(result.code).toBe(3)
      expect(said(result)).toContain('error[log.unavailable]')
      expect(said(result)).toMatch(why)
      expect(said(result)).not.toContain(users['alice'])
      const handshake = 0x16
      expect(firsts.length).toBeGreaterThan(0)
      expect(firsts.filter(byte => byte !== handshake)).toEqual([])
      expect(proxy.accepted).toBeLessThan(10)
    })
  })

  test('39: `insecure: true` takes any certificate, and says so at each start', { timeout: 240_000 }, async () => {
    await using scene = sceneOf(scram('admin', users['admin']), { listener: 'SELF_SIGNED', tls: 'insecure: true' })
    for (let start = 0; start < 2; start++) {
      const { code, out } = await scene.drain()
      expect(code).toBe(0)
      expect(out).toMatch(/"level":"warn".*may show any certificate \(tls: insecure\)/)
    }
  })

  // What a user needs for one pipeline with a consumer and a topic sink; `docs/operations.md` lists it.
  const rules = ({ topic, deadTopic, cursorTopic, pipeline }: KafkaScene): [Resource, ...AclOperationTypes[]][] => [
    [[TOPIC, topic], CREATE, READ, WRITE],
    [[TOPIC, deadTopic], CREATE, READ, WRITE],
    [[TOPIC, `${topic}_copy`], CREATE, READ, WRITE],
    [[TOPIC, cursorTopic], CREATE, READ, WRITE],
    [[GROUP, cursorTopic], READ],
    [[GROUP, `${pipeline}-export`], READ],
    [[GROUP, `${pipeline}-copy`], READ],
    [[GROUP, `${pipeline}.dead-letter-watch`], READ],
    [[TRANSACTIONAL_ID, `weir.${pipeline}`], WRITE],
    [[TRANSACTIONAL_ID, cursorTopic], WRITE],
  ]
  const entry = ([resourceType, resourceName]: Resource, operation: AclOperationTypes) => ({
    ...{ resourceType, resourceName, operation, principal: 'User:alice', host: '*' },
    permissionType: AclPermissionTypes.ALLOW,
    resourcePatternType:
      resourceType === TRANSACTIONAL_ID ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  })
  const allow = async (scene: KafkaScene, without: (resource: Resource, operation: AclOperationTypes) => boolean) => {
    const all = rules(scene).flatMap(([resource, ...operations]) =>
      operations.filter(each => !without(resource, each)).map(each => entry(resource, each)),
    )
    await admin.createAcls({ acl: all })
  }
  const isFor =
    (type: AclResourceTypes, name: string, ...operations: AclOperationTypes[]) =>
    ([t, n]: Resource, operation: AclOperationTypes) =>
      t === type && n === name && operations.includes(operation)

  type Case = [
    what: string,
    missing: (scene: KafkaScene) => ReturnType<typeof isFor>,
    hint: (scene: KafkaScene) => string,
  ]
  const cases: Case[] = [
    ['Create on the topic', s => isFor(TOPIC, s.topic, CREATE), s => `Allow Create on topic ${s.topic}`],
    ['Write on the topic', s => isFor(TOPIC, s.topic, WRITE), s => `Allow Write on topic ${s.topic}`],
    [
      'anything on the topic',
      s => isFor(TOPIC, s.topic, CREATE, READ, WRITE),
      s => `Allow Describe on topic ${s.topic}`,
    ],
    ['Read on the topic', s => isFor(TOPIC, s.topic, READ), s => `Allow Read on topic ${s.topic}`],
    ['Write on the dead letters', s => isFor(TOPIC, s.deadTopic, WRITE), s => `Allow Write on topic ${s.deadTopic}`],
    ['Create of the cursors', s => isFor(TOPIC, s.cursorTopic, CREATE), s => `Allow Create on topic ${s.cursorTopic}`],
    ['Write of the cursors', s => isFor(TOPIC, s.cursorTopic, WRITE), s => `Allow Write on topic ${s.cursorTopic}`],
    ["the owners' group", s => isFor(GROUP, s.cursorTopic, READ), s => `Allow Read on group ${s.cursorTopic}`],
    [
      'a consumer group',
      s => isFor(GROUP, `${s.pipeline}-export`, READ),
      s => `Allow Read on group ${s.pipeline}-export`,
    ],
    [
      'the transactional ids',
      s => isFor(TRANSACTIONAL_ID, s.cursorTopic, WRITE),
      s => `Allow Write on transactional id ${s.cursorTopic}.`,
    ],
    [
      'those of a consumer',
      s => isFor(TRANSACTIONAL_ID, `weir.${s.pipeline}`, WRITE),
      s => `Allow Write on transactional id weir.${s.pipeline}-copy`,
    ],
  ]
  test('37: with these rules and no others a pipeline works', { timeout: 240_000 }, async () => {
    await using scene = sceneOf(scram('alice'), { lines: 60 })
    await allow(scene, () => false)
    const { code, err } = await scene.drain()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(await scene.audit()).toEqual({ ok: true, report: '60 served = 59 records + 1 dead letters' })
  })

  // Side by side: each has names of its own.
  test.concurrent.each(cases)(
    '37: without %s the run ends with what to allow',
    {
      timeout: 240_000,
    },
    async (_, missing, hint) => {
      await using scene = sceneOf(scram('alice'), { lines: 60 })
      await allow(scene, missing(scene))
      const denied = await scene.drain()
      expect({ code: denied.code, said: said(denied) }).toEqual({
        code: 3,
        said: expect.stringMatching(/error\[log\.denied\]/),
      })
      expect(said(denied)).toContain(`hint: ${hint(scene)}`)
    },
  )

  test('37: a right that is taken away ends a run that is under way, and nothing is lost', {
    timeout: 240_000,
  }, async () => {
    await using scene = sceneOf(scram('alice'), { follow: true })
    await allow(scene, () => false)
    const run = scene.start()
    await run.told('batch_appended')
    await eventually('all of the first', async () => (await scene.rows()) === 200)
    const filter = { principal: 'User:alice', host: '*', permissionType: AclPermissionTypes.ALLOW, operation: WRITE }
    const right = {
      ...filter,
      resourceType: TOPIC,
      resourceName: scene.topic,
      resourcePatternType: ResourcePatternTypes.LITERAL,
    }
    await admin.deleteAcls({ filters: [right] })
    // The controller answers before the broker knows.
    await eventually('the broker knows', async () => (await admin.describeAcls(right)).resources.length === 0)
    scene.files.serve(200)
    const denied = await run.result
    expect(denied.code).toBe(3)
    expect(said(denied)).toContain(`hint: Allow Write on topic ${scene.topic}`)
    expect(run.events('commit_retried').length).toBeLessThan(5)
    await allow(scene, () => false)
    expect(await scene.drain()).toMatchObject({ code: 0 })
    expect(await scene.audit()).toEqual({ ok: true, report: '400 served = 392 records + 8 dead letters' })
  })
})
