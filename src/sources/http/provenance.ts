// Where the records of a page come from, computed once for all of them.
import { hash } from 'node:crypto'
import { provenanceHeaders } from '../../core/provenance.ts'
import type { Header } from '../../core/record.ts'
import { redact } from '../../core/secret.ts'
import type { HttpRequest, HttpResponse } from '../../fetch/guard.ts'
import type { Engine } from './engine.ts'

/** A longer address says where it begins. */
const maxUrlLength = 2000

/** Where an answer comes from. */
export interface Provenance {
  readonly origin: string
  /** Without what is secret. */
  readonly url: string
  readonly fetchedAtMs: number
  /** SHA-256 of the body, in hex. */
  readonly response: string
}

/** null where records do not say where they come from. */
export function provenanceOf(
  { origin, builder, clock }: Engine,
  request: HttpRequest,
  response: HttpResponse,
): Provenance | null {
  if (origin === undefined) return null
  return {
    origin,
    url: redact(builder.storable(new URL(request.url))).slice(0, maxUrlLength),
    fetchedAtMs: clock.now(),
    response: hash('sha256', response.body, 'hex'),
  }
}

/** The headers of each record of the page. */
export function headersOf(provenance: Provenance | null): readonly Header[] {
  if (provenance === null) return []
  const { origin, url, fetchedAtMs, response } = provenance
  return [
    [provenanceHeaders.source, origin],
    [provenanceHeaders.url, url],
    [provenanceHeaders.fetchedAt, new Date(fetchedAtMs).toISOString()],
    [provenanceHeaders.response, response],
  ]
}
