// Certificates made by openssl: an authority, and certificates that clients must take or refuse.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onPath } from './java.ts'
import { MissingService } from './missing.ts'

export interface Certificates {
  /** PEM of the authority that clients trust. */
  readonly ca: string
  /** A client's certificate and key, PEM: CN=weir-client. */
  readonly client: { readonly cert: string; readonly key: string }
  /** Files with key and certificate in one, as servers take them; `ca` holds the authority only. */
  readonly files: {
    readonly ca: string
    readonly server: string
    readonly expired: string
    readonly wrongHost: string
    readonly selfSigned: string
  }
}

const localhost = 'DNS:localhost,IP:127.0.0.1'
const past = ['20200101000000Z', '20200201000000Z'] as const
const present = ['20200101000000Z', '20400101000000Z'] as const

/** All of them, in a new folder `dir`. @throws MissingService without openssl */
export async function makeCertificates(dir: string): Promise<Certificates> {
  if (onPath('openssl') === null) throw new MissingService('no openssl on this machine')
  mkdirSync(join(dir, 'issued'), { recursive: true })
  writeFileSync(join(dir, 'issued/index'), '')
  writeFileSync(join(dir, 'openssl.cnf'), config)
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: dir })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await openssl(
    'req',
    '-config',
    'openssl.cnf',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '3650',
    '-subj',
    '/CN=weir test authority',
    '-extensions',
    'authority',
  )

  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  const together = (name: string) => {
    writeFileSync(join(dir, `${name}.pem`), `${read(`${name}.key`)}${read(`${name}.crt`)}`)
    return join(dir, `${name}.pem`)
  }
  const issue = async (name: string, subject: string, hosts: string, [from, to]: readonly [string, string]) => {
    writeFileSync(join(dir, `${name}.ext`), hosts === '' ? 'keyUsage=digitalSignature\n' : `subjectAltName=${hosts}\n`)
    await openssl(
      'req',
      '-config',
      'openssl.cnf',
      '-new',
      ...newKey,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
    )
    await openssl(
      'ca',
      '-config',
      'openssl.cnf',
      '-batch',
      '-notext',
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.crt`,
      '-extfile',
      `${name}.ext`,
      '-startdate',
      from,
      '-enddate',
      to,
    )
    return together(name)
  }
  // The list of what was issued is one file: one after the other.
  const server = await issue('server', '/CN=localhost', localhost, present)
  const expired = await issue('expired', '/CN=localhost', localhost, past)
  const wrongHost = await issue('wrong-host', '/CN=elsewhere.example', 'DNS:elsewhere.example', present)
  await issue('client', '/CN=weir-client', '', present)
  await openssl(
    'req',
    '-config',
    'openssl.cnf',
    '-x509',
    ...newKey,
    '-keyout',
    'self-signed.key',
    '-out',
    'self-signed.crt',
    '-days',
    '3650',
    '-subj',
    '/CN=localhost',
    '-addext',
    `subjectAltName=${localhost}`,
  )
  const selfSigned = together('self-signed')
  return {
    ca: read('ca.crt'),
    client: { cert: read('client.crt'), key: read('client.key') },
    files: { ca: join(dir, 'ca.crt'), server, expired, wrongHost, selfSigned },
  }
}

const config = `[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = here
[here]
database = issued/index
new_certs_dir = issued
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
[any]
commonName = supplied
`
