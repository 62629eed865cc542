// The world around one command as arguments: streams, environment, folder, time. main.ts makes the real one, tests their own.
import type { Clock, Random } from '../core/clock.ts'
import { escapeActing } from '../core/printable.ts'

export interface TextSink {
  write(text: string): boolean
  once(event: 'drain', listener: () => void): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export interface Terminal {
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute path of the folder the command was started in. */
  readonly cwd: string
  readonly clock: Clock
  readonly random: Random
  /** Aborts at SIGINT or SIGTERM; asking for it takes the signals over, a second one ends the process at once. */
  readonly interrupted: () => AbortSignal
}

/** Text from outside made safe for one line of a terminal: control, bidi and zero-width characters escaped, `max` characters at most. */
export function printable(text: string, max = 200): string {
  // The cut comes first: escaping a megabyte to show two hundred characters of it would be work for nothing.
  const cut = text.length > max ? `${text.slice(0, max)}… (${text.length} characters)` : text
  return escapeActing(cut)
}

/** The same for text of several lines: line ends stay. */
export function printableLines(text: string, max = 20_000): string {
  return text
    .split('\n')
    .map(line => printable(line, max))
    .join('\n')
}

/** `1 record`, `12 records`. */
export const count = (n: number | bigint, word: string) => `${n} ${word}${n === 1 || n === 1n ? '' : 's'}`

const styles = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const
export type Style = keyof typeof styles

/** Puts a style around text, or gives the text back where colour is off. */
export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_style, text) => text
export const coloured: Paint = (style, text) => `\u001b[${styles[style][0]}m${text}\u001b[${styles[style][1]}m`

/** Colour only where a person looks: --no-color wins, then NO_COLOR, then FORCE_COLOR, then whether the stream is a terminal. */
export function paintFor(stream: TextSink, env: Terminal['env'], allowed: boolean): Paint {
  if (!allowed || env['NO_COLOR']) return plain
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced === '0' || forced === 'false' ? plain : coloured
  return stream.isTTY === true && env['TERM'] !== 'dumb' ? coloured : plain
}
