// A value as a CEL literal. Whatever the value holds, it stays a value: nothing in it can end the literal or the {{ }} around it.

/** @throws never: what has no literal (a file of values, a map) comes out undefined */
export function celLiteral(value: unknown): string | undefined {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return celText(value)
  if (typeof value === 'number') return Number.isFinite(value) ? celNumber(value) : undefined
  if (!Array.isArray(value)) return undefined
  const items = value.map(celLiteral)
  return items.includes(undefined) ? undefined : `[${items.join(', ')}]`
}

function celNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

/** Braces are escaped too, so that no {{ or }} comes to stand in a template. */
function celText(value: string): string {
  return JSON.stringify(value.toWellFormed()).replace(/[{}]/g, brace => (brace === '{' ? '\\u007b' : '\\u007d'))
}
