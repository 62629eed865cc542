// Where weir's checker and Avro Java differ about a pair of schemas.
import { incompatibilities } from '../../src/governance/compatibility.ts'
import { fingerprintsOf, parsingCanonicalForm } from '../../src/governance/fingerprint.ts'
import { readNamedSchema } from '../../src/governance/named-schema.ts'
import type { NamedSchema } from '../../src/governance/schema-tree.ts'
import type { SchemaPair } from './random-schemas.ts'
import type { JavaAnswer, JavaSchema } from './services/avro-judge.ts'

/** What both say differently, in words; empty when they agree. */
export function differences({ reader, writer, references }: SchemaPair, java: JavaAnswer): readonly string[] {
  const referenced = references.map((text, index) => ({ name: `reference-${index}`, text }))
  const ours = [reader, writer].map(text => readNamedSchema(text, referenced))
  const found = [
    ...differencesInSchema('reader', ours[0]!, java.reader),
    ...differencesInSchema('writer', ours[1]!, java.writer),
  ]
  const [read, written] = ours.map(each => each.schema)
  if (found.length > 0 || java.verdict === undefined || !read || !written) return found
  const reasons = incompatibilities(read, written)
  const verdict = reasons.length === 0 ? 'COMPATIBLE' : 'INCOMPATIBLE'
  const weirs = [...new Set(reasons.map(({ rule, location, message }) => `${rule} ${location} ${message}`))].sort()
  if (java.verdict === 'THROWN') {
    const gaveUp = /^Reader record field (\w+) type:\w+ pos:\d+ matches multiple fields/.exec(java.reasons?.[0] ?? '')
    const isTold = weirs.some(each => each.includes(`Reader record field ${gaveUp?.[1]} matches multiple fields`))
    return gaveUp && isTold ? [] : [`Java gave up: ${java.reasons?.[0]}; weir: ${verdict} ${weirs.join(' | ')}`]
  }
  const javas = [...new Set(java.reasons ?? [])].sort()
  if (java.verdict === verdict && javas.join('\n') === weirs.join('\n')) return []
  return [`Java: ${java.verdict} ${javas.join(' | ')}; weir: ${verdict} ${weirs.join(' | ')}`]
}

function differencesInSchema(
  side: string,
  { schema, problems }: { schema: NamedSchema | null; problems: readonly { message: string }[] },
  java: JavaSchema,
): string[] {
  const isRefused = problems.length > 0 || schema === null
  if ((java.refused !== undefined) !== isRefused)
    return [
      `${side}: Java ${java.refused ?? 'takes it'}; weir ${problems.map(each => each.message).join(' ') || 'takes it'}`,
    ]
  if (isRefused) return []
  const form = parsingCanonicalForm(schema)
  if (form !== java.form) return [`${side}: canonical form ${form}, in Java ${java.form}`]
  const { crc64 } = fingerprintsOf(schema)
  return BigInt(`0x${crc64}`) === BigInt(`0x${java.crc64}`) ? [] : [`${side}: CRC ${crc64}, in Java ${java.crc64}`]
}
