// Which steps bring a subject of a registry to what the workspace says of it.
import type { CompatibilityLevel } from '../schema/compatibility-level.ts'
import type { PlanStep, SubjectState } from './plan.ts'

export interface Wanted {
  readonly seen: SubjectState
  readonly globalLevel: CompatibilityLevel
  /** The level of the policy; null: what the registry has is left as it is. */
  readonly level: CompatibilityLevel | null
  /** False: the schema is a version already. */
  readonly isNew: boolean
  /** It breaks the level in effect, and a waiver lets it pass: the registry would not. */
  readonly isWaived: boolean
}

/** In their order; none when the registry is as it should be. */
export function stepsFor({ seen, globalLevel, level, isNew, isWaived }: Wanted): readonly PlanStep[] {
  const last = seen.versions.at(-1)?.version ?? 0
  const register: PlanStep = {
    do: 'register',
    version: last + 1,
    why: last === 0 ? 'the subject is new' : `the schema is not among its versions`,
  }
  const toPolicy: readonly PlanStep[] =
    level === null || level === seen.level
      ? []
      : [
          {
            do: 'set-level',
            level,
            why: `the policy says so; ${seen.level === null ? 'it has none of its own' : `it was ${seen.level}`}`,
          },
        ]
  if (!isNew) return toPolicy
  // Some registries know no level of a subject that is not there yet.
  if (last === 0) return [register, ...toPolicy]
  if (!isWaived) return [...toPolicy, register]
  const inEffect = seen.level ?? globalLevel
  const after = level ?? inEffect
  return [
    ...(inEffect === 'NONE'
      ? []
      : [
          { do: 'set-level', level: 'NONE', why: 'a waiver lets the change pass, and the registry would not' } as const,
        ]),
    register,
    ...(after === 'NONE'
      ? []
      : [{ do: 'set-level', level: after, why: 'the change that was waived is registered' } as const]),
  ]
}
