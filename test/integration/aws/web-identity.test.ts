// Keys by a web identity token, as pods on EKS have it: the SDK asks STS for them through weir's handler, and STS answers in XML.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { sqs } from '../../../src/sinks/sqs.ts'
import { allMessages, hastyClock, keys, queueWith } from '../../support/aws/scene.ts'
import { openStandIn } from '../../support/aws/stand-in.ts'
import { createSinkWorld, reviews } from '../../support/sink-world.ts'

const aws = await openStandIn()
const folder = mkdtempSync(join(tmpdir(), 'weir-identity-'))
const asked: string[] = []
const sts = createServer(async (request, response) => {
  asked.push(Buffer.concat(await request.toArray()).toString())
  response
    .setHeader('content-type', 'text/xml')
    .end(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <AssumeRoleWithWebIdentityResult><Credentials>
      <AccessKeyId>${keys.access_key_id}</AccessKeyId><SecretAccessKey>${keys.secret_access_key}</SecretAccessKey>
      <SessionToken>session</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>
    </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`)
}).listen(0, '127.0.0.1')
await once(sts, 'listening')

afterAll(async () => {
  vi.unstubAllEnvs()
  sts.close()
  rmSync(folder, { recursive: true })
  await aws[Symbol.asyncDispose]()
})

test('a sink signs with the keys that STS gives for a token', async () => {
  writeFileSync(join(folder, 'token'), 'a-web-identity-token')
  const environment = {
    HOME: folder,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/weir',
    AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'),
    AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(sts.address() as AddressInfo).port}`,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const queue_url = await queueWith(aws.url, [])
  const config = { region: 'us-east-1', endpoint: aws.url, timeout: 60_000, queue_url, max_message: 262_144 }
  await using sink = await sqs.open(config, { ...createSinkWorld('/').deps, clock: hastyClock() })
  await sink.deliver!(reviews(0, 3), new AbortController().signal)
  expect(asked).toHaveLength(1)
  expect(new URLSearchParams(asked[0]).get('WebIdentityToken')).toBe('a-web-identity-token')
  expect(await allMessages(aws.url, queue_url)).toHaveLength(3)
})
