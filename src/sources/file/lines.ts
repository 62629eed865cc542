// NDJSON: one JSON value a line. Blank lines are no items and are passed over; a last line without a line break counts like the others.
import { hasByteOrderMark } from '../../core/json-text.ts'
import { type Cutter, Oversized } from './cutter.ts'
import { type Cut, jsonPiece, type Origin } from './piece.ts'
import type { Window } from './window.ts'

const lineFeed = 10
const carriageReturn = 13

/** `anyShape`: values other than objects are given on too. */
export function cutLines(origin: Origin, maxItem: number, anyShape: boolean): Cutter {
  const options = { anyShape, isLine: true }
  /** Bytes of the unfinished line that hold no line break. */
  let searched = 0
  let oversized: Oversized | undefined
  const nextLine = (window: Window, final: boolean): Cut | 'blank' | undefined => {
    const { bytes, start } = window
    const found = bytes.indexOf(lineFeed, start + searched)
    if (found < 0 && !final) {
      searched = window.length
      if (oversized || searched > maxItem) {
        oversized ??= new Oversized(window)
        oversized.pass(window, bytes.length)
        searched = 0
      }
      return undefined
    }
    searched = 0
    const end = found < 0 ? bytes.length : found
    const after = found < 0 ? end : found + 1
    const cut = oversized || end - start > maxItem ? passOver(window, end) : cutLine(window, end)
    window.start = after
    if (found >= 0) window.line++
    return cut
  }
  const passOver = (window: Window, end: number): Cut => {
    const passed = oversized ?? new Oversized(window)
    passed.pass(window, end)
    oversized = undefined
    return passed.item(origin, maxItem)
  }
  const cutLine = (window: Window, lineEnd: number): Cut | 'blank' => {
    const { bytes } = window
    let { start } = window
    const end = lineEnd > start && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd
    // A byte order mark may stand where files were joined, too.
    if (bytes[start] === 0xef && hasByteOrderMark(bytes.subarray(start, start + 3))) start += 3
    if (start >= end || (isBlank(bytes[start]!) && isBlankBetween(bytes, start, end))) return 'blank'
    return jsonPiece(origin, window, start, end, options)
  }
  return {
    next(window, final) {
      while (window.length > 0 || (final && oversized)) {
        const cut = nextLine(window, final)
        if (cut !== 'blank') return cut
      }
      return undefined
    },
  }
}

/** Space, tab, line feed, carriage return: the white space of JSON. */
export function isBlank(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === lineFeed || byte === carriageReturn
}

function isBlankBetween(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (!isBlank(bytes[i]!)) return false
  return true
}
