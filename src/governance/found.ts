// A finding before it is placed in a file and held against the waivers.

export interface Found {
  readonly rule: string
  readonly severity: 'error' | 'warning' | 'note'
  readonly message: string
  /** JSON pointer in the candidate; null for the schema as a whole or what is no longer in it. */
  readonly pointer: string | null
  /** Field path in words; null for the schema as a whole. */
  readonly field: string | null
  readonly hint: string | null
}

type Where = Pick<Found, 'pointer' | 'field'>

export const warning = (rule: string, message: string, hint: string | null, { pointer, field }: Where): Found => ({
  rule,
  severity: 'warning',
  message,
  pointer,
  field,
  hint,
})

export const note = (rule: string, message: string, hint: string | null, where: Where): Found => ({
  ...warning(rule, message, hint, where),
  severity: 'note',
})
