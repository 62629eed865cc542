// Item 9: aliases that are dropped or that say two things.
import type { Comparison } from './comparison.ts'
import { type Found, warning } from './found.ts'
import { everythingIn, type TypeOutline } from './outline.ts'

/** What is wrong with the aliases of the candidate, alone and against the base. */
export function aliasFindings(candidate: TypeOutline, comparison: Comparison | null): readonly Found[] {
  return [...ambiguous(candidate), ...(comparison ? [...doubled(comparison), ...dropped(comparison)] : [])]
}

/** Two fields of a record that claim the same old name. */
function ambiguous(candidate: TypeOutline): readonly Found[] {
  return everythingIn(candidate).named.flatMap(({ path, type }) => {
    const owners = new Map<string, string>()
    const found: Found[] = []
    for (const field of type.fields)
      for (const alias of field.aliases) {
        const other = owners.get(alias) ?? type.fields.find(each => each !== field && each.name === alias)?.name
        if (other !== undefined)
          found.push(
            warning(
              'alias.ambiguous',
              `the alias ${alias} of ${field.name} also stands for ${other}: Java refuses such a schema when it reads, other readers pick one`,
              'Keep the alias at one field.',
              { pointer: field.pointer, field: `${path}.${field.name}` },
            ),
          )
        owners.set(alias, field.name)
      }
    return found
  })
}

/** The base has both the field and the name that its alias says: two written fields for one that is read. */
function doubled({ fields }: Comparison): readonly Found[] {
  return fields.flatMap(({ path, before, after, how, records }) => {
    if (!before || !after || how !== 'name') return []
    const alias = after.aliases.find(
      name => name !== after.name && records.before.fields.some(field => field.name === name),
    )
    if (alias === undefined) return []
    return [
      warning(
        'alias.ambiguous',
        `the base has both ${after.name} and ${alias}, which is an alias of it: two written fields match one that is read`,
        'Remove the alias.',
        {
          pointer: after.pointer,
          field: path,
        },
      ),
    ]
  })
}

function dropped({ fields }: Comparison): readonly Found[] {
  return fields.flatMap(({ path, before, after }) => {
    if (!before || !after) return []
    return before.aliases
      .filter(alias => alias !== after.name && !after.aliases.includes(alias))
      .map(alias =>
        warning(
          'alias.dropped',
          `the alias ${alias} is dropped: records written before the rename are read with the default, or not at all`,
          `Keep "${alias}" in aliases while such records are retained.`,
          {
            pointer: after.pointer,
            field: path,
          },
        ),
      )
  })
}
