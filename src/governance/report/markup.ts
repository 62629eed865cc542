// HTML in which everything is escaped unless it was made here.
import { escapeActing } from '../../core/printable.ts'

/** HTML that is safe to put into a page. Only `html` makes it. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Part = Markup | string | number | null | false | readonly Part[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template whose parts are escaped, for text and for attributes in double quotes; null and false are nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, i) => text + textOf(parts[i] ?? null)).join(''))
}

function textOf(part: Part): string {
  if (part === null || part === false) return ''
  if (part instanceof Markup) return part.text
  if (Array.isArray(part)) return part.map(textOf).join('')
  // Line ends are layout in a page; what acts on a viewer is made visible.
  return String(part)
    .split('\n')
    .map(escapeActing)
    .join('\n')
    .replace(/[&<>"']/g, each => entities[each]!)
}
