// What a source tells people besides its items.
import type { Code } from '../../core/errors.ts'
import type { Split } from '../../core/record.ts'
import type { Engine } from './engine.ts'

export function tell({ emit, pipeline }: Engine, split: Split, code: 'info' | Code, message: string): void {
  emit({ type: 'source_notice', pipeline, split: split.id, code, message })
}
