// The network of a recording: calls go out as ever, and what was asked and answered is kept, decompressed. Credentials that a signer adds
// travel in headers, which are kept apart and stored only by name.
import { codeOf, WeirError } from '../../core/errors.ts'
import { readBody } from '../../fetch/body.ts'
import type { Transport } from '../../fetch/transport.ts'

export interface Heard {
  readonly method: string
  readonly url: string
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly requestBody?: string
  readonly answer?: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
  readonly fails?: 'timeout' | 'network'
}

export interface Listening {
  /** Gets each exchange. */
  readonly heard: Heard[]
  readonly maxRequests: number
  readonly maxBody: number
}

export function createListener(network: Transport, { heard, maxRequests, maxBody }: Listening): Transport {
  return {
    async send(url, request, signal) {
      const { method, headers, body } = request
      const asked = {
        method,
        url: url.href,
        requestHeaders: headers,
        ...(body === undefined
          ? {}
          : { requestBody: typeof body === 'string' ? body : Buffer.from(body).toString('utf8') }),
      }
      if (heard.length >= maxRequests) {
        throw new WeirError(
          'usage.refused',
          `The source makes more calls than --max-requests allows (${maxRequests}); nothing was stored.`,
          {
            hint: 'Record a pipeline with fewer products or pages, or raise --max-requests.',
          },
        )
      }
      try {
        const response = await network.send(url, request, signal)
        const bytes = await readBody(response.body, response.headers, maxBody)
        const { 'content-encoding': _encoding, 'content-length': _length, ...kept } = response.headers
        heard.push({
          ...asked,
          answer: { status: response.status, headers: kept, body: textOf(bytes, heard.length + 1) },
        })
        return {
          status: response.status,
          headers: kept,
          body: (async function* () {
            yield bytes
          })(),
          discard: async () => {},
          abandon: () => {},
        }
      } catch (error) {
        const code = signal.aborted ? codeOf(signal.reason) : codeOf(error)
        if (code === 'fetch.timeout') heard.push({ ...asked, fails: 'timeout' })
        else if (code.startsWith('fetch.')) heard.push({ ...asked, fails: 'network' })
        throw error
      }
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

function textOf(bytes: Uint8Array, number: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new WeirError('usage.refused', `The answer to request ${number} is no UTF-8 text: it cannot be scrubbed.`, {
      hint: 'Write the cassette by hand, with `base64`.',
    })
  }
}
