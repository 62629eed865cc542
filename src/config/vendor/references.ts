// ${params.name} in the texts of a vendor file: found, told apart from what only looks like one, and seen in its place: plain text, or CEL.

export interface Reference {
  readonly name: string
  readonly start: number
  readonly end: number
  /** Inside an expression the value becomes a literal; inside a string of an expression none can stand. */
  readonly where: 'text' | 'expression' | 'string'
}

export interface BadReference {
  readonly start: number
  readonly message: string
  readonly hint: string
}

const form = /^params\.([a-z][a-z0-9_]*)$/

/**
 * All references of a text, in order. `kind`: the whole text is an expression, a template with {{ CEL }} parts, or plain.
 * `$${` is a plain `${`.
 */
export function referencesIn(
  text: string,
  kind: 'expression' | 'template' | 'plain',
): { readonly found: readonly Reference[]; readonly bad: readonly BadReference[] } {
  const found: Reference[] = []
  const bad: BadReference[] = []
  let where: Reference['where'] = kind === 'expression' ? 'expression' : 'text'
  let quote = ''
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    if (text.startsWith('$${', i)) i += 2
    else if (text.startsWith('${', i)) {
      const end = text.indexOf('}', i)
      const name = end === -1 ? undefined : form.exec(text.slice(i + 2, end))?.[1]
      if (name === undefined) bad.push(badReference(i, end === -1))
      else found.push({ name, start: i, end: end + 1, where })
      if (end === -1) break
      i = end
    } else if (where === 'string') {
      if (text[i] === '\\') i++
      else if (text[i] === quote) where = 'expression'
    } else if (where === 'text') {
      if (kind === 'template' && text.startsWith('{{', i)) {
        where = 'expression'
        depth = 0
        i++
      }
    } else if (text[i] === '"' || text[i] === "'") {
      quote = text[i]!
      where = 'string'
    } else if (kind === 'template') {
      if (text[i] === '{') depth++
      else if (text[i] === '}' && depth > 0) depth--
      else if (text.startsWith('}}', i)) {
        where = 'text'
        i++
      }
    }
  }
  return { found, bad }
}

function badReference(start: number, unclosed: boolean): BadReference {
  if (unclosed) return { start, message: 'A ${ is not closed.', hint: 'Close it with }, or write $${ for a plain ${.' }
  return {
    start,
    message: 'A vendor file takes values from its parameters only.',
    hint: 'Write ${params.name} with a name from `parameters`; variables such as ${TOKEN} stand in the pipeline.',
  }
}

/** The parameter, when the text is one reference and nothing else. */
export function wholeReference(text: string): string | undefined {
  const inside = /^\s*\$\{([^}]*)\}\s*$/.exec(text)?.[1]
  return inside === undefined ? undefined : form.exec(inside)?.[1]
}

/** `$${` as the `${` that it stands for. */
export const unescaped = (text: string) => text.replaceAll('$${', '${')
