// Bad brokers and registries in weir.yaml: each mistake gets its code at its line and column, what was expected and a hint, and no
// message or shown line holds a secret.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatProblems } from '../../src/config/format.ts'
import { lintWorkspaceFile } from '../../src/config/workspace.ts'
import { codes } from '../../src/core/errors.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-corpus-workspace-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const env = { PASSWORD: 'canary-password', SHORT: 'abc', BLANKS: 'canary password', BROKERS: 'a:9092,b:9092', USERINFO: 'https://u:canary-userinfo@registry' }
const canaries = ['canary-password', 'canary-userinfo', 'canary-literal']

beforeAll(() => {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: root, stdio: 'pipe' })
  for (const name of ['one', 'two'])
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`)
  openssl('pkey', '-in', 'one.key', '-aes256', '-passout', 'pass:canary-literal', '-out', 'locked.key')
  writeFileSync(join(root, 'not.pem'), 'hello\n')
  writeFileSync(join(root, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nhello\n-----END CERTIFICATE-----\n')
})

const kafka = (lines: string) => `broker:\n  kafka:\n    brokers: [localhost:9092]\n${lines}registry: { url: https://r }\n`
const sasl = (text: string, tls = 'tls: true') => kafka(`    ${tls}\n    sasl: ${text}\n`)
const plain = '{ plain: { username: u, password: "${PASSWORD}" } }'

type Want = readonly [code: keyof typeof codes, place: string, message: string]
const bad: readonly (readonly [name: string, text: string, ...wants: Want[]])[] = [
  ['a broker that is none', 'broker: redpanda\n', ['config.invalid', '1:9', 'must be embedded, or fields {kafka}']],
  ['kafka without brokers', 'broker: { kafka: {} }\nregistry: { url: https://r }\n', ['config.missing_field', '1:11', '`kafka` needs `brokers`']],
  ['no broker in the list', 'broker: { kafka: { brokers: [] } }\nregistry: { url: https://r }\n', ['config.invalid', '1:29', 'is an empty list'] ],
  ['a broker without port', 'broker: { kafka: { brokers: [a:9092, redpanda] } }\nregistry: { url: https://r }\n', ['config.invalid', '1:38', 'Entry 2 of `brokers` has no port']],
  ['a port that cannot be', 'broker: { kafka: { brokers: [a:70000] } }\nregistry: { url: https://r }\n', ['config.invalid', '1:30', 'port that cannot be']],
  ['a broker with a scheme', 'broker: { kafka: { brokers: ["kafka://a:9092"] } }\nregistry: { url: https://r }\n', ['config.invalid', '1:30', 'has a scheme']],
  ['a broker with a user', 'broker: { kafka: { brokers: ["u:canary-literal@a:9092"] } }\nregistry: { url: https://r }\n', ['config.invalid', '1:30', 'holds a user name or password']],
  ['a broker twice', 'broker: { kafka: { brokers: [a:9092, a:9092] } }\nregistry: { url: https://r }\n', ['config.invalid', '1:38', '`brokers` names a:9092 twice']],
  ['a broker twice through a variable', 'broker: { kafka: { brokers: ["${BROKERS}", b:9092] } }\nregistry: { url: https://r }\n', ['config.invalid', '1:44', '`brokers` names b:9092 twice']],
  ['an unknown driver', kafka('    driver: librdkafka\n'), ['config.invalid', '4:13', 'must be one of kafkajs, platformatic']],
  ['a misspelt field', kafka('    replicationfactor: 3\n'), ['config.unknown_field', '4:5', '`replicationfactor` is not a field of `kafka`']],
  ['no replicas', kafka('    replication_factor: 0\n'), ['config.invalid', '4:25', '`replication_factor`']],
  ['a compression that is read only', kafka('    compression: snappy\n'), ['config.invalid', '4:18', 'one of none, gzip, zstd']],
  ['a transaction longer than brokers allow', kafka('    transaction_timeout: 1h\n'), ['config.invalid', '4:26', 'at most 15m']],
  ['a session shorter than brokers allow', kafka('    session_timeout: 1s\n'), ['config.invalid', '4:22', 'at least 6s']],
  ['a timeout without unit', kafka('    request_timeout: 30\n'), ['config.invalid', '4:22', 'a duration']],
  ['a transaction that ends before its answers', kafka('    transaction_timeout: 2s\n'), ['config.warning', '4:26', 'much shorter than `request_timeout`']],
  ['sasl without tls', sasl(plain, 'client_id: w'), ['config.conflict', '5:5', '`sasl` without `tls`']],
  ['sasl with tls switched off', sasl(plain, 'tls: false'), ['config.conflict', '5:5', '`sasl` without `tls`']],
  ['sasl without tls on purpose', sasl('{ insecure: true, plain: { username: u, password: "${PASSWORD}" } }', 'client_id: w'), ['config.warning', '5:23', 'not encrypted']],
  ['a login without mechanism', sasl('{}'), ['config.missing_field', '5:5', 'names no mechanism']],
  ['two mechanisms', sasl('{ plain: { username: u, password: "${PASSWORD}" }, scram_sha_256: { username: u, password: "${PASSWORD}" } }'), ['config.conflict', '5:62', 'names two mechanisms']],
  ['a mechanism that is none', sasl('{ scram: { username: u, password: "${PASSWORD}" } }'), ['config.missing_field', '5:5', 'names no mechanism'], ['config.unknown_field', '5:13', '`scram` is not a field']],
  ['a login without password', sasl('{ plain: { username: u } }'), ['config.missing_field', '5:13', '`plain` needs `password`']],
  ['a password in the file', sasl('{ scram_sha_512: { username: u, password: canary-literal } }'), ['config.warning', '5:53', 'holds a secret in plain text']],
  ['a password that is not set', sasl('{ plain: { username: u, password: "${NOT_SET}" } }'), ['config.variable', '5:45', 'NOT_SET is not set']],
  ['a password file that is missing', sasl('{ plain: { username: u, password: "${file:none}" } }'), ['config.variable', '5:45', '${file:none} cannot be used']],
  ['a token endpoint that is a file', sasl('{ oauthbearer: { token_url: "file:///etc/passwd", client_id: c, client_secret: "${PASSWORD}" } }'), ['config.invalid', '5:39', '`token_url` has the scheme file']],
  ['a token endpoint without tls', sasl('{ oauthbearer: { token_url: "http://id.example.com/t", client_id: c, client_secret: "${PASSWORD}" } }'), ['config.conflict', '5:39', '`token_url` is http']],
  ['a token endpoint without client', sasl('{ oauthbearer: { token_url: "https://id.example.com/t" } }'), ['config.missing_field', '5:13', 'needs `client_id`']],
  ['an authority that is not there', kafka('    tls: { ca: none.pem }\n'), ['config.invalid', '4:16', 'none.pem, cannot be used. There is no such file.']],
  ['an authority that is no PEM', kafka('    tls: { ca: not.pem }\n'), ['config.invalid', '4:16', 'holds no certificate']],
  ['a broken certificate', kafka('    tls: { ca: broken.pem }\n'), ['config.invalid', '4:16', 'holds a certificate that cannot be read']],
  ['a certificate without key', kafka('    tls: { cert: one.pem }\n'), ['config.conflict', '4:12', '`cert` is of no use without `key`']],
  ['the key of another certificate', kafka('    tls: { cert: one.pem, key: two.key }\n'), ['config.conflict', '4:32', '`key` is not the private key of `cert`']],
  ['a key that is a certificate', kafka('    tls: { cert: one.pem, key: one.pem }\n'), ['config.invalid', '4:32', 'holds no private key']],
  ['a key with a passphrase', kafka('    tls: { cert: one.pem, key: locked.key }\n'), ['config.invalid', '4:32', 'has a passphrase']],
  ['any certificate', kafka('    tls: { insecure: true }\n'), ['config.warning', '4:22', 'accepts any certificate']],
  ['a cluster with the registry of one machine', 'broker: { kafka: { brokers: [a:9092] } }\n', ['config.warning', '1:1', 'mean nothing to other machines']],
  ['the same, written out', 'registry: embedded\nbroker: { kafka: { brokers: [a:9092] } }\n', ['config.warning', '1:1', 'mean nothing to other machines']],
  ['a registry that is none', 'registry: apicurio\n', ['config.invalid', '1:11', 'must be embedded, or fields {url}, or fields {embedded}']],
  ['a registry without url', 'registry: { timeout: 1s }\n', ['config.missing_field', '1:1', '`registry` needs `url`']],
  ['a registry without scheme', 'registry: { url: registry:8081 }\n', ['config.invalid', '1:18', '`url` has no scheme']],
  ['a registry in a file', 'registry: { url: "file:///r" }\n', ['config.invalid', '1:18', '`url` has the scheme file']],
  ['a registry with a user', 'registry: { url: "https://u:canary-literal@r" }\n', ['config.invalid', '1:18', '`url` holds a user name or password']],
  ['a registry with a user from a variable', 'registry: { url: "${USERINFO}" }\n', ['config.invalid', '1:18', '`url` holds a user name or password']],
  ['a registry with a query', 'registry: { url: "https://r?x=1" }\n', ['config.invalid', '1:18', 'has a query']],
  ['tls for http', 'registry: { url: "http://r", tls: true }\n', ['config.conflict', '1:18', '`tls` has no meaning for an http address']],
  ['a password over http', 'registry: { url: "http://r", auth: { bearer: "${PASSWORD}" } }\n', ['config.warning', '1:18', 'Credentials go over http']],
  ['a registry that is both', 'registry: { url: https://r, embedded: { serve: {} } }\n', ['config.unknown_field', '1:29', '`embedded` is not a field']],
  ['a served registry without settings', 'registry: { embedded: {} }\n', ['config.missing_field', '1:13', '`embedded` needs `serve`']],
  ['a served registry on a port that cannot be', 'registry: { embedded: { serve: { port: 70000 } } }\n', ['config.invalid', '1:40', '`port`']],
  ['a served registry that is open to all', 'registry: { embedded: { serve: { host: 0.0.0.0, port: 1 } } }\n', ['config.conflict', '1:40', 'without `token` everyone there may change schemas']],
  ['a token that is short', 'registry: { embedded: { serve: { port: 1, token: "${SHORT}" } } }\n', ['config.invalid', '1:50', '`token` is shorter than 8 characters']],
  ['a token that no header carries', 'registry: { embedded: { serve: { port: 1, token: "${BLANKS}" } } }\n', ['config.invalid', '1:50', '`token` has characters that no header carries']],
  ['a token in the file', 'registry: { embedded: { serve: { port: 1, token: canary-literal } } }\n', ['config.warning', '1:50', 'holds a secret in plain text']],
  ['a token to read with alone', 'registry: { embedded: { serve: { port: 1, read_token: "${PASSWORD}" } } }\n', ['config.conflict', '1:43', '`read_token` has no meaning without `token`']],
  ['a token that is not set', 'registry: { embedded: { serve: { host: 0.0.0.0, port: 1, token: "${NOT_SET}" } } }\n', ['config.variable', '1:65', 'NOT_SET is not set']],
  ['an authentication that is none', 'registry: { url: https://r, auth: { digest: x } }\n', ['config.invalid', '1:35', '`auth` must be fields {basic}, or fields {bearer}']],
]

describe('bad brokers and registries', () => {
  test.each(bad.map(([name, text, ...wants]) => [name, text, wants] as const))('%s', (_, text, wants) => {
    writeFileSync(join(root, 'weir.yaml'), text)
    const problems = lintWorkspaceFile(join(root, 'weir.yaml'), env)
    expect(problems.map(p => [p.code, `${p.line}:${p.column}`, p.severity])).toEqual(
      wants.map(([code, place]) => [code, place, code === 'config.warning' ? 'warning' : 'error']),
    )
    problems.forEach((problem, i) => {
      expect(problem.message).toContain(wants[i]![2])
      expect(problem.hint?.length).toBeGreaterThan(5)
    })
    const shown = formatProblems(problems, { format: 'pretty', colour: false, cwd: root, files: 1 })
    for (const canary of canaries) expect(shown + JSON.stringify(problems)).not.toContain(canary)
  })

  test('a warning is an error where it is asked for', () => {
    writeFileSync(join(root, 'weir.yaml'), sasl('{ plain: { username: u, password: canary-literal } }'))
    expect(lintWorkspaceFile(join(root, 'weir.yaml'), env, { strict: true }).map(p => p.severity)).toEqual(['error'])
  })

  test('where the secrets are not, neither variables nor their files are missed', () => {
    writeFileSync(
      join(root, 'weir.yaml'),
      kafka(
        '    tls: { ca: none.pem, cert: no-cert.pem, key: "${KEY_FILE}" }\n    sasl: { plain: { username: "${USER}", password: "${NOT_SET}" } }\n',
      ),
    )
    const problems = lintWorkspaceFile(join(root, 'weir.yaml'), {}, { unsetVariables: 'warning' })
    expect(problems.map(p => p.severity)).toEqual(problems.map(() => 'warning'))
    expect(problems).toHaveLength(5)
  })
})
