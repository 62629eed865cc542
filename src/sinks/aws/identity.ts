// What tells one record from another at the receiver's: the identity that the producer gave it, or its place where another program wrote it.
import { createHash } from 'node:crypto'
import type { LogRecord } from '../../pipeline/ports.ts'

export function identityText({ headers, topic, partition, offset }: LogRecord): string {
  const header = headers.find(([name]) => name === 'weir-id')
  return header ? Buffer.from(header[1]).toString('utf8') : `${topic}/${partition}/${offset}`
}

/** The text where a service takes it, else a hash of it: the same for the same text. */
export function within(text: string, allowed: RegExp): string {
  return allowed.test(text) ? text : createHash('sha256').update(text).digest('hex')
}
