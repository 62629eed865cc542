// Hands an answer over, or breaks off as a fault has it. A fault that lets the call be done and loses its answer is the hard case for a client that pays.
import type { ServerResponse } from 'node:http'
import { securityHeaders } from '../../core/http-server.ts'
import type { Answer } from './vendor.ts'

/** `whole` is called when all of the answer was handed to the system, and never for one that a fault cut. */
export function deliver(raw: ServerResponse, answer: Answer, asked: string | null, whole: () => void): void {
  // Half of a list of lines is a list: only JSON shows that it was cut.
  const fault = asked === 'truncated' && answer.headers?.['content-type'] !== 'application/json' ? 'reset' : asked
  const bytes = Buffer.from(answer.body)
  const headers: Record<string, string | number> = { ...securityHeaders, ...answer.headers }
  const none = answer.status === 204 || answer.status === 304
  const half = Math.floor(bytes.length / 2)
  if (fault === 'reset') {
    raw.writeHead(answer.status, { ...headers, 'content-length': bytes.length })
    raw.write(bytes.subarray(0, half), () => raw.socket?.resetAndDestroy())
    return
  }
  const sent = fault === 'truncated' ? bytes.subarray(0, half) : bytes
  if (fault !== 'truncated') raw.once('finish', whole)
  raw.writeHead(answer.status, none ? headers : { ...headers, 'content-length': sent.length })
  if (none) raw.end()
  else raw.end(sent)
}

/** The connection ends without a word. */
export const hangUp = (raw: ServerResponse): void => void raw.socket?.resetAndDestroy()
