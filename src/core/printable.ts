// Text from outside made safe to show (I9): characters that act on a terminal or a viewer instead of being seen are made visible,
// so that one line stays one line and nothing is moved, hidden, coloured or reordered.

/** C0, DEL, C1; Arabic letter mark, zero-width and bidi characters; line separators; byte order mark; lone surrogates. */
const acting = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu
/** Those of them that JSON.stringify leaves as they are. */
const actingInJson = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Every acting character as \uXXXX, line ends too. */
export function escapeActing(text: string): string {
  return text.replace(acting, escaped)
}

/** JSON text with what JSON itself leaves unescaped escaped too; it parses to the same value, and a line end after it stays. */
export function escapeActingInJson(json: string): string {
  return json.replace(actingInJson, escaped)
}

/** Every acting character as one character, so that columns stay: white space as a blank, others as U+FFFD. */
export function maskActing(text: string): string {
  return text.replace(acting, character => (character === '\t' || character === '\n' ? ' ' : '\ufffd'))
}
