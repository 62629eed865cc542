// What is wrong or doubtful in a schema text.

/** `error`: a registry refuses the schema. `warning`: it takes it, and some reader may not. */
export type Severity = 'error' | 'warning'

export type ProblemCode =
  | 'not_readable'
  | 'type_missing'
  | 'type_invalid'
  | 'type_unknown'
  | 'attribute_missing'
  | 'attribute_invalid'
  | 'name_missing'
  | 'name_invalid'
  | 'name_taken'
  | 'field_twice'
  | 'symbol_twice'
  | 'branch_twice'
  | 'union_in_union'
  | 'default_invalid'
  | 'default_too_early'
  | 'default_odd'
  | 'alias_odd'
  | 'name_odd'
  | 'logical_type_ignored'
  | 'no_finite_value'
  | 'limit'

export interface SchemaProblem {
  readonly severity: Severity
  readonly code: ProblemCode
  /** JSON pointer in the schema text; '' is the root. */
  readonly pointer: string
  /** The name of the schema reference whose text it is in; null for the schema itself. */
  readonly reference: string | null
  readonly message: string
  readonly hint: string
}

export type Report = (problem: Omit<SchemaProblem, 'reference'>) => void
