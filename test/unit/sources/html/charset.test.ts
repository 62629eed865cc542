import { expect, test } from 'vitest'
import { htmlText } from '../../../../src/sources/html/charset.ts'

const utf8 = Buffer.from('<p>Kö日</p>')
const latin1 = Buffer.from('<p>K\xf6</p>', 'latin1')
const meta = (charset: string, rest: Buffer) => Buffer.concat([Buffer.from(`<meta charset="${charset}">`), rest])

test.each([
  ['nothing is said, and it is UTF-8', utf8, undefined, '<p>Kö日</p>'],
  [
    'nothing is said, and it is not UTF-8: as browsers read it',
    Buffer.from([0x3c, 0x70, 0x3e, 0x93]),
    undefined,
    '<p>“',
  ],
  ['the header says latin1, and it is UTF-8', utf8, 'text/html; charset=ISO-8859-1', '<p>Kö日</p>'],
  ['the header says UTF-8, and it is not', latin1, 'text/html;charset=utf-8', '<p>K\ufffd</p>'],
  ['the header says latin1', latin1, 'text/html; charset="iso-8859-1"', '<p>Kö</p>'],
  ['the page says latin1', meta('latin1', latin1), undefined, '<meta charset="latin1"><p>Kö</p>'],
  ['the page says UTF-8, and it is not', meta('utf-8', latin1), undefined, '<meta charset="utf-8"><p>K\ufffd</p>'],
  [
    'header and page differ: the header counts',
    meta('koi8-r', latin1),
    'text/html; charset=latin1',
    '<meta charset="koi8-r"><p>Kö</p>',
  ],
  [
    'the header says what nobody knows',
    meta('latin1', latin1),
    'text/html; charset=martian',
    '<meta charset="latin1"><p>Kö</p>',
  ],
  [
    'a mark says UTF-8',
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), utf8]),
    'text/html; charset=latin1',
    '<p>Kö日</p>',
  ],
  ['a mark says UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<p>ö', 'utf16le')]), undefined, '<p>ö'],
  ['the header says UTF-16, without a mark', Buffer.from('<p>ö', 'utf16le'), 'text/html; charset=utf-16le', '<p>ö'],
  ['the header says UTF-16, and it is ASCII', Buffer.from('<p>o'), 'text/html; charset=utf-16', '<p>o'],
  ['Shift_JIS', Buffer.from([0x82, 0xa0]), 'text/html; charset=Shift_JIS', 'あ'],
])('%s', (_, bytes, contentType, text) => expect(htmlText(bytes, contentType)).toBe(text))
