import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { decodeText, maxDefinitionBytes, readText } from '../../../src/config/text.ts'
import { cpuMs } from '../../support/cpu-time.ts'
import { definitionFolder } from '../../support/definition-text.ts'

const folder = definitionFolder()
afterAll(() => folder[Symbol.dispose]())

test('reads UTF-8 and strips a byte order mark', () => {
  expect(readText(folder.write('a.yaml', '\ufeffowner: Zoë\n'))).toEqual({ text: 'owner: Zoë\n' })
})

test('a file of exactly the cap is read, one byte more is not', () => {
  expect(readText(folder.write('b.yaml', '#'.repeat(maxDefinitionBytes)))).toHaveProperty('text')
  expect(readText(folder.write('c.yaml', '#'.repeat(maxDefinitionBytes + 1)))).toMatchObject({
    failure: { code: 'config.too_large' },
  })
})

test('the text up to a broken byte is kept, so that its line can be shown', () => {
  const bytes = Buffer.concat([Buffer.from('é: 1\nb: '), Buffer.from([0xff])])
  expect(decodeText(bytes)).toMatchObject({
    failure: { code: 'config.unreadable', message: 'Byte 9 is not UTF-8.', text: 'é: 1\nb: ', offset: 8 },
  })
})

test.each([
  ['overlong', [0xc0, 0xaf]],
  ['overlong, three bytes', [0xe0, 0x80, 0xaf]],
  ['surrogate', [0xed, 0xa0, 0x80]],
  ['above Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ['cut short', [0xe2, 0x82]],
  ['lone continuation', [0x80]],
])('refuses UTF-8 that is %s', (_, bytes) => {
  expect(decodeText(Buffer.from([0x61, ...bytes]))).toMatchObject({ failure: { message: 'Byte 1 is not UTF-8.' } })
})

test('accepts every well-formed character', () => {
  const text = 'a\u00e9\u20ac\ud7ff\ue000\uffff\u{10000}\u{10ffff}'
  expect(decodeText(Buffer.from(text))).toEqual({ text })
})

test('a pipe is refused without waiting for a writer', () => {
  const pipe = join(folder.path, 'pipe.yaml')
  execFileSync('mkfifo', [pipe])
  expect(readText(pipe)).toMatchObject({
    failure: { code: 'config.unreadable', message: 'This is not a regular file.' },
  })
})

test('a device, a folder, a loop, nothing: each is named', () => {
  mkdirSync(join(folder.path, 'd.yaml'))
  symlinkSync('loop.yaml', join(folder.path, 'loop.yaml'))
  const message = (file: string) => (readText(file) as { failure: { message: string } }).failure.message
  expect(message('/dev/zero')).toBe('This is not a regular file.')
  expect(message(join(folder.path, 'd.yaml'))).toBe('This is a folder, not a file.')
  expect(message(join(folder.path, 'loop.yaml'))).toBe('The file is a symlink loop.')
  expect(message(join(folder.path, 'none.yaml'))).toBe('There is no such file.')
  expect(message('a\0b')).toBe('A file name cannot hold NUL.')
})

test('I10: a file of 10 GB is refused unread', () => {
  const file = folder.write('huge.yaml', '')
  truncateSync(file, 10 * 1024 ** 3)
  const startedMs = cpuMs()
  expect(readText(file)).toMatchObject({ failure: { code: 'config.too_large' } })
  expect(cpuMs() - startedMs).toBeLessThan(100)
})
