// All functions of the mapping language beyond CEL's own, as a plain list.
import { dateFunctions } from './dates.ts'
import { encodingFunctions } from './encodings.ts'
import type { MappingFunction } from './function.ts'
import { listFunctions } from './lists.ts'
import { missingFunctions } from './missing.ts'
import { numberFunctions } from './numbers.ts'
import { regexFunctions } from './regex.ts'
import { reviewFunctions } from './reviews.ts'
import { textFunctions } from './text.ts'

export const mappingFunctions: readonly MappingFunction[] = [
  ...missingFunctions,
  ...listFunctions,
  ...textFunctions,
  ...numberFunctions,
  ...regexFunctions,
  ...dateFunctions,
  ...encodingFunctions,
  ...reviewFunctions,
]
