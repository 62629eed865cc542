import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/core/event.ts'
import { Secret } from '../../../src/core/secret.ts'
import { eventLines, levelOf, levels } from '../../../src/observe/event-lines.ts'
import { createLogger, type LoggerOptions, wantsColour } from '../../../src/observe/logger.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { sampleEvents } from '../../support/sample-events.ts'

function written(events: readonly Event[], options: LoggerOptions = {}): string {
  let text = ''
  const clock = createFakeClock()
  using logger = createLogger({
    level: 'debug',
    clock,
    ...options,
    destination: { write: line => void (text += line) },
  })
  for (const event of events) logger.emit(event)
  return text
}

const parsed = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

/** Texts that try to forge, hide, colour or break lines. */
const injections = [
  'line\nfeed',
  'carriage\rreturn',
  '\r\n{"level":"fatal","message":"forged"}',
  '\x1b[31mred\x1b[0m',
  '\x1b]8;;http://evil.example\x07link\x1b]8;;\x07',
  '\x9b31mC1 control sequence',
  'next\x85line',
  'separator\u2028and\u2029paragraph',
  'bidi \u202e override \u2066 isolate',
  'zero\u200ewidth \ufeff bom',
  'nul \x00 bell \x07 backspace \x08 del \x7f',
  'lone surrogate \ud800 here',
  'vertical\vtab and form\ffeed',
  '","level":"fatal","x":"',
  '\\u000a\\n\\',
  '%s %d %j %o %c',
  '__proto__',
  'x'.repeat(100_000),
  '🙂'.repeat(5_000),
  '',
]

describe('JSON lines', () => {
  test('an event is one line with level, time, type, pipeline and a message for people', () => {
    const event: Event = {
      type: 'fetch_failed',
      pipeline: 'reviews',
      split: 'asin=B0',
      code: 'fetch.timeout',
      message: 'no answer in 30s',
      hint: 'Wait.',
    }
    expect(parsed(written([event]))).toEqual([
      {
        level: 'fatal',
        time: '2026-01-01T00:00:00.000Z',
        event: 'fetch_failed',
        pipeline: 'reviews',
        split: 'asin=B0',
        code: 'fetch.timeout',
        hint: 'Wait.',
        message: 'fetch of asin=B0 failed, its cursor stays: no answer in 30s',
      },
    ])
  })

  test.each(injections.map(text => [JSON.stringify(text).slice(0, 40), text] as const))(
    'stay as many as the events for %s',
    (_, text) => {
      const events = Object.values(sampleEvents(text))
      const output = written(events)
      expect(output.endsWith('\n')).toBe(true)
      const lines = output.slice(0, -1).split(/\r\n|[\n\r\v\f\x85\u2028\u2029]/)
      expect(lines.length).toBe(events.length)
      expect(output.slice(0, -1).replaceAll('\n', '')).not.toMatch(
        /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/,
      )
      for (const [i, line] of lines.entries()) {
        const fields = JSON.parse(line)
        expect(fields.event).toBe(events[i]!.type)
        expect(fields.level).toBe(levelOf(events[i]!))
      }
    },
  )

  test('what is escaped reads back as it was', () => {
    const text = 'a\u2028b\u202ec\x1b[0md\x9be'
    expect(parsed(written([{ type: 'warning', pipeline: 'p', code: 'info', message: text }]))[0]!['message']).toBe(text)
  })

  test('a field keeps at most 4 KiB, the whole of a record at most 64 KiB, and says how much is left out', () => {
    const value = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`field${n}`, '🙂'.repeat(3000)]))
    const [line] = parsed(written([{ ...sampleEvents('x').record_logged, value }]))
    const logged = line!['value'] as Record<string, string>
    expect(Buffer.byteLength(logged['field0']!)).toBeLessThan(4096 + 40)
    expect(logged['field0']).toMatch(/^🙂+… \(\+\d+ bytes\)$/u)
    expect(Buffer.byteLength(JSON.stringify(line))).toBeLessThan(80_000)
    expect(logged['…']).toMatch(/^\(\+\d+ fields\)$/)
  })

  test('odd values of a record are logged, none is refused', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const value = {
      big: 2n ** 70n,
      bytes: new Uint8Array([1, 2]),
      nan: Number.NaN,
      when: new Date(0),
      none: undefined,
      circular,
      secret: new Secret('not-to-be-seen'),
    }
    const [line] = parsed(written([{ ...sampleEvents('x').record_logged, value }]))
    expect(line!['value']).toMatchObject({
      big: '1180591620717411303424',
      bytes: 'AQI=',
      nan: 'NaN',
      when: '1970-01-01T00:00:00.000Z',
      secret: '***',
    })
    expect(JSON.stringify(line)).toContain('(too deep)')
  })
})

describe('levels', () => {
  test('a steady pipeline is quiet at info', () => {
    const events = sampleEvents('x')
    const steady: Event[] = [
      events.poll_started,
      events.fetch_done,
      events.records_fetched,
      events.records_dropped,
      { ...events.batch_appended, deadLetters: 0 },
      { ...events.batch_consumed, deadLetters: 0 },
      events.poll_finished,
      events.lag,
    ]
    expect(written(steady, { level: 'info' })).toBe('')
    expect(written([{ ...events.batch_appended, deadLetters: 1 }], { level: 'info' })).toContain('"level":"warn"')
  })

  test('I4: a failed fetch and an open breaker are fatal', () => {
    const { fetch_failed, breaker_changed } = sampleEvents('x')
    expect([levelOf(fetch_failed), levelOf(breaker_changed), levelOf({ ...breaker_changed, to: 'closed' })]).toEqual([
      'fatal',
      'fatal',
      'info',
    ])
  })

  test.each(levels)('at %s exactly the events of that level and louder are written', level => {
    const events = Object.values(sampleEvents('x'))
    const loud = events.filter(event => levels.indexOf(levelOf(event)) <= levels.indexOf(level))
    expect(parsed(written(events, { level })).map(line => line['event'])).toEqual(loud.map(event => event.type))
  })

  test('every event type has a line', () => {
    expect(Object.keys(eventLines).sort()).toEqual(Object.keys(sampleEvents('x')).sort())
  })
})

describe('secrets', () => {
  test.each([false, true])('I9: canaries in every text of every event reach no line (pretty: %s)', pretty => {
    const canaries = Array.from({ length: 20 }, (_, n) => `${randomBytes(12).toString('base64url')}"\\/?&=${n}é`)
    const forms = canaries.flatMap(canary => [
      canary,
      encodeURIComponent(canary),
      Buffer.from(`user:${canary}`).toString('base64'),
    ])
    for (const canary of canaries) new Secret(canary)
    const output = written(
      forms.flatMap(form => Object.values(sampleEvents(`before ${form} after`))),
      { pretty },
    )
    for (const canary of canaries) {
      expect(output).not.toContain(canary)
      expect(output).not.toContain(JSON.stringify(canary).slice(1, -1))
      expect(output).not.toContain(encodeURIComponent(canary))
      expect(output).not.toContain(Buffer.from(canary).toString('base64').slice(0, -4))
    }
    expect(output).toContain('***')
  })

  test('I9: a secret at the cut of a long field leaves no half behind', () => {
    const canary = 'canary-at-the-cut-0123456789'
    new Secret(canary)
    for (let before = 4060; before <= 4100; before++) {
      const output = written([
        { type: 'warning', pipeline: 'p', code: 'info', message: `${'x'.repeat(before)}${canary}` },
      ])
      expect(output).not.toContain('canary')
    }
  })
})

describe('text for a terminal', () => {
  test('has time, level, pipeline, message and fields on one line', () => {
    const event: Event = { type: 'topic_ready', topic: 'reviews', partitions: 6, created: true }
    expect(written([event], { pretty: true })).toBe(
      '00:00:00.000 INFO  topic reviews created, 6 partitions event=topic_ready topic=reviews partitions=6 created=true\n',
    )
  })

  test('has colour only when asked, and none can be smuggled in', () => {
    const events = Object.values(sampleEvents('\x1b[31mred\nnext'))
    expect(written(events, { pretty: true })).not.toContain('\x1b')
    expect(written(events, { pretty: true }).split('\n').length).toBe(events.length + 1)
    const coloured = written([sampleEvents('\x1b[35m').warning], { pretty: true, colour: true })
    expect(coloured).toContain('\x1b[32mINFO')
    expect(coloured).not.toContain('\x1b[35m')
  })

  test('NO_COLOR, a dumb terminal and a pipe ask for no colour', () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true)
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true)
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
    expect(wantsColour({}, {})).toBe(false)
  })
})

describe('a real file descriptor', () => {
  const module = join(import.meta.dirname, '../../../src/observe/logger.ts')
  const run = (script: string) =>
    spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `import { createLogger } from ${JSON.stringify(module)}\n${script}`],
      { encoding: 'utf8' },
    )

  test('all lines are out when the process exits without closing the logger', () => {
    const { stdout, status } = run(`
      const logger = createLogger({ level: 'info' })
      for (let n = 0; n < 1000; n++) logger.emit({ type: 'warning', pipeline: 'p', code: 'info', message: 'line ' + n })
      process.exit(0)`)
    expect(status).toBe(0)
    expect(parsed(stdout).map(line => line['message'])).toEqual(Array.from({ length: 1000 }, (_, n) => `line ${n}`))
  })

  test('a warning is out at once, even when the process is killed next', () => {
    const { stdout } = run(`
      const logger = createLogger()
      logger.emit({ type: 'fenced', pipeline: 'p', message: 'gone' })
      process.kill(process.pid, 'SIGKILL')`)
    expect(parsed(stdout)).toHaveLength(1)
  })

  test('a reader that went away stops the log, not the process', () => {
    const script = `
      import { createLogger } from ${JSON.stringify(module)}
      const logger = createLogger()
      for (let n = 0; n < 20_000; n++) logger.emit({ type: 'warning', pipeline: 'p', code: 'info', message: 'x'.repeat(200) })
      logger.flush()
      console.error('still here')`
    const { stderr } = spawnSync(
      'sh',
      ['-c', `"$0" --input-type=module -e "$1" | head -1 > /dev/null`, process.execPath, script],
      { encoding: 'utf8' },
    )
    expect(stderr).toContain('still here')
    expect(stderr).not.toContain('EPIPE')
  })
})
