// What can be said of a schema by itself, without the versions before it: is it valid, documented, named as asked, and its personal data marked.
import type { Found } from './found.ts'
import { readNamedSchema } from './named-schema.ts'
import { everythingIn, outlineOf } from './outline.ts'
import { personalFindings } from './personal.ts'
import type { SubjectPolicy } from './policy.ts'
import { qualityFindings } from './quality.ts'
import { schemaProblems } from './validity.ts'

export type { Found }

/** Everything that its policy finds in a schema; only what is wrong by Avro's rules when it is not valid. */
export function schemaFindings(text: string, policy: SubjectPolicy): readonly Found[] {
  const validity = schemaProblems(text).map(({ message, pointer, hint, severity }): Found => {
    const rule = severity === 'error' ? 'schema.invalid' : 'schema.doubtful'
    return { rule, severity, message, pointer, field: null, hint }
  })
  const { schema } = readNamedSchema(text)
  if (schema === null || validity.some(each => each.severity === 'error')) return validity
  const root = outlineOf(schema)
  const { fields } = everythingIn(root)
  return [
    ...validity,
    ...qualityFindings(root, policy, null),
    ...(policy.pii === null
      ? []
      : personalFindings({ rule: policy.pii, comparison: null, fields, metadata: {}, values: [] })),
  ]
}
