// Names that every registry of ours takes: subjects and compatibility levels.
import { WeirError } from '../core/errors.ts'
import { type CompatibilityLevel, compatibilityLevels } from '../pipeline/ports.ts'

const maxSubjectLength = 255

/** @throws usage.invalid */
export function checkSubject(subject: string): void {
  if (
    subject.length >= 1 &&
    subject.length <= maxSubjectLength &&
    subject !== '.' &&
    subject !== '..' &&
    !/[\u0000-\u001f\u007f]/.test(subject) &&
    subject.isWellFormed()
  )
    return
  throw new WeirError(
    'usage.invalid',
    `A subject's name has 1 to ${maxSubjectLength} characters and no control characters.`,
    { hint: 'The subject of a topic is its name and `-value`.' },
  )
}

/** @throws usage.invalid */
export function checkLevelName(level: CompatibilityLevel): void {
  if (compatibilityLevels.includes(level)) return
  throw new WeirError('usage.invalid', `There is no compatibility level ${level}.`, {
    hint: `Choose one of ${compatibilityLevels.join(', ')}.`,
  })
}
