// TLS of a connection: verified unless it is switched off, and what its failures mean in words an operator can act on.
import { isIP } from 'node:net'
import type { ConnectionOptions as NodeTlsOptions } from 'node:tls'
import { WeirError } from '../../core/errors.ts'
import { reveal } from '../../core/secret.ts'
import type { TlsOptions } from './options.ts'

/** What node:tls needs for a connection to `host`; asks for the key anew. */
export async function tlsOptions(tls: TlsOptions, host: string): Promise<NodeTlsOptions> {
  const serverName = tls.serverName ?? host
  return {
    rejectUnauthorized: tls.verify,
    ...(isIP(serverName) === 0 && { servername: serverName }),
    ...(tls.ca !== null && { ca: tls.ca }),
    ...(tls.cert !== null && { cert: tls.cert }),
    ...(tls.key !== null && { key: reveal(await tls.key()) }),
  }
}

const trouble: readonly (readonly [code: RegExp, what: string, hint: string])[] = [
  [
    /SELF_SIGNED_CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/,
    'its certificate is self-signed, or of an authority that is not trusted',
    'Set `tls.ca` to the certificate of the authority that signed it.',
  ],
  [
    /CERT_HAS_EXPIRED/,
    'its certificate has expired',
    'Renew the certificate of the broker; weir does not connect without.',
  ],
  [/CERT_NOT_YET_VALID/, 'its certificate is not valid yet', 'Compare the clocks of both machines.'],
  [
    /ALTNAME_INVALID/,
    'its certificate is for another host',
    'Use the name in the certificate as the address, or set `tls.server_name` to it.',
  ],
  [
    /WRONG_VERSION_NUMBER|EPROTO|PACKET_LENGTH_TOO_LONG/,
    'it does not answer in TLS',
    'Use the port of its TLS listener, or leave `tls` out.',
  ],
  [
    /ALERT|BAD_CERTIFICATE|CERTIFICATE_REQUIRED/,
    'it refuses the TLS handshake',
    'It may ask for a client certificate: set `tls.cert` and `tls.key`.',
  ],
  [
    /ECONNRESET|EPIPE|closed/i,
    'the broker closed the connection',
    'It may be restarting. It also closes connections that should speak TLS or log in and do not, or the other way round.',
  ],
  [/ECONNREFUSED/, 'nothing listens there', 'See that the broker runs and that the address is right.'],
  [/ENOTFOUND|EAI_AGAIN/, 'the name has no address', 'See that the name is spelled right and that DNS answers.'],
]

/** What a failed connection means, as log.unavailable. */
export function connectionFailure(thrown: unknown, address: string, doing: string): WeirError {
  if (thrown instanceof WeirError) return thrown
  const said = codeIn(thrown) || (thrown instanceof Error ? thrown.message : String(thrown))
  const known = trouble.find(([pattern]) => pattern.test(said))
  const why = known?.[1] ?? said
  return new WeirError('log.unavailable', `${doing} ${address}: ${why}`, {
    ...(known && { hint: known[2] }),
    cause: thrown,
  })
}

/** The last code in the chain of causes that is not a client library's own: the one that the socket gave. */
function codeIn(thrown: unknown): string {
  let code = ''
  for (let e = thrown, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++)
    if ('code' in e && typeof e.code === 'string' && !e.code.startsWith('PLT_')) code = e.code
  return code
}
