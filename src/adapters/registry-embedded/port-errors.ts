// A schema that breaks the level, and every refusal as an error of the port.
import { type Code, WeirError } from '../../core/errors.ts'
import { confluentMessages, type Objection, sentencesOf } from './compatibility.ts'
import { RegistryRefusal } from './refusal.ts'

/** Of a schema that breaks the level in effect. */
export class Incompatible extends RegistryRefusal {
  override name = 'Incompatible'
  readonly subject: string
  readonly objection: Objection

  constructor(subject: string, objection: Objection) {
    const details = confluentMessages(objection).join(', ')
    super(
      40901,
      `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${details}]`,
    )
    this.subject = subject
    this.objection = objection
  }
}

const codes: Readonly<Record<number, Code>> = {
  40401: 'registry.unknown_subject',
  40402: 'registry.unknown_version',
  40403: 'registry.unknown_id',
  42201: 'schema.invalid',
  42202: 'registry.unknown_version',
  42205: 'registry.denied',
  42209: 'schema.invalid',
}

/** A refusal as an error of the port; anything else stays what it is. */
export function asWeirError(thrown: unknown): unknown {
  if (thrown instanceof Incompatible) {
    const { level } = thrown.objection
    const why = sentencesOf(thrown.objection).slice(0, 3).join('; ')
    return new WeirError(
      'registry.incompatible',
      `The schema breaks ${level} compatibility of ${thrown.subject}: ${why}.`,
      {
        hint: 'Give new fields a default, and keep the types of fields that are there; or choose a new subject.',
      },
    )
  }
  if (!(thrown instanceof RegistryRefusal)) return thrown
  return new WeirError(codes[thrown.errorCode] ?? 'usage.invalid', thrown.message, {
    ...(thrown.errorCode === 42205
      ? { hint: 'Its mode allows no registration; `PUT /mode/{subject}` changes it.' }
      : {}),
    cause: thrown,
  })
}
