// Stored cursors in words for people: the source that wrote a cursor explains it, where the pipeline's definition is at hand.
import { resolve } from 'node:path'
import type { WorkspaceDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import { toWeirError, WeirError } from '../core/errors.ts'
import type { Source, StoredCursor } from '../pipeline/ports.ts'
import { findDefinitionFile, loadDefinition } from './definitions.ts'

export interface ShownCursor {
  readonly split: string
  /** As it is stored. */
  readonly value: string
  /** In words; null where the source could not be asked, or does not understand it. */
  readonly description: string | null
  readonly updated_at: string
}

export interface DescribeOptions {
  readonly workspace: WorkspaceDefinition
  /** The definition's file; null: looked for. */
  readonly file: string | null
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
}

/** The cursors with their descriptions, and why there are none if so. A definition that does not load is no reason to hide a cursor. */
export async function describeCursors(
  pipeline: string,
  stored: readonly StoredCursor[],
  options: DescribeOptions,
): Promise<{ readonly cursors: readonly ShownCursor[]; readonly problem: WeirError | null }> {
  const plain = (description: (value: string) => string | null) =>
    [...stored]
      .sort((a, b) => (a.split < b.split ? -1 : 1))
      .map(({ split, value, updatedAtMs }) => ({
        split,
        value,
        description: description(value),
        updated_at: new Date(updatedAtMs).toISOString(),
      }))
  try {
    await using source = await openSourceOf(pipeline, options)
    return { cursors: plain(value => describe(source, value)), problem: null }
  } catch (error) {
    return { cursors: plain(() => null), problem: toWeirError(error) }
  }
}

function describe(source: Source, value: string): string | null {
  try {
    return source.describeCursor(value)
  } catch {
    return null
  }
}

async function openSourceOf(pipeline: string, options: DescribeOptions): Promise<Source> {
  const { workspace, cwd, env, clock, random } = options
  const file = options.file === null ? findDefinitionFile(pipeline, cwd) : resolve(cwd, options.file)
  if (file === null)
    throw new WeirError('usage.not_found', `the definition of ${pipeline} is not here`, {
      hint: 'Name it with --file, or run this where pipelines/ is.',
    })
  const definition = await loadDefinition(file, env)
  if (definition.pipeline !== pipeline)
    throw new WeirError('usage.invalid', `${file} defines ${definition.pipeline}, not ${pipeline}`, { at: '--file' })
  const { openSource } = await import('./parts.ts')
  return openSource(definition, { clock, random, emit: () => {}, dataDir: workspace.dataDir })
}
