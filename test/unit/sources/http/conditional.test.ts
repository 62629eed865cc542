import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../../src/core/errors.ts'
import { openHttpSource, poll } from '../../../support/open-http.ts'
import { type ScriptedGuard, scriptedGuard } from '../../../support/scripted-guard.ts'

/** A list in pages of two that answers 304 when its version is named. */
function shelf(ids: string[], validators: (version: string) => Record<string, string> = v => ({ etag: v })) {
  const state = { ids, version: '"v1"' }
  const guard = scriptedGuard((url, { headers }) => {
    const current = validators(state.version)
    const isSame =
      (headers['if-none-match'] !== undefined && headers['if-none-match'] === current['etag']) ||
      (headers['if-modified-since'] !== undefined && headers['if-modified-since'] === current['last-modified'])
    if (isSame) return { status: 304, body: '' }
    const from = (Number(url.searchParams.get('p') ?? 1) - 1) * 2
    return { headers: current, body: state.ids.slice(from, from + 2).map(id => ({ id })) }
  })
  return { state, guard }
}

const sent = (guard: ScriptedGuard) => guard.requests.map(({ headers }) => headers['if-none-match'] ?? null)
const config = {
  request: { url: 'https://a.example/list' },
  conditional: true,
  paginate: { page: { param: 'p' } },
  cursor: { mode: 'membership', id: 'this.id' },
}

describe('conditional requests', () => {
  test('what has not changed is not read again, and is no failure', async () => {
    const { state, guard } = shelf(['a', 'b', 'c'])
    const { source, events } = openHttpSource(config, guard)
    const first = await poll(source, null)
    expect(first.positions).toEqual(['a', 'b', 'c'])
    expect(sent(guard)).toEqual([null, null, null])
    guard.requests.length = 0
    const second = await poll(source, first.cursor)
    expect([second.positions, second.duplicates, second.batches]).toEqual([[], 0, []])
    expect(sent(guard)).toEqual(['"v1"'])
    expect(events.at(-1)).toMatchObject({ code: 'info', message: 'Nothing here (unchanged, status 304)' })
    Object.assign(state, { ids: ['d', 'a', 'b', 'c'], version: '"v2"' })
    guard.requests.length = 0
    const third = await poll(source, second.cursor)
    expect(third.positions).toEqual(['d'])
    expect(sent(guard)).toEqual(['"v1"', null, null])
    expect((await poll(source, third.cursor)).batches).toEqual([])
  })

  test('a date does as well', async () => {
    const at = 'Thu, 01 Jan 2026 00:00:00 GMT'
    const { guard } = shelf(['a'], () => ({ 'last-modified': at }))
    const { source } = openHttpSource(config, guard)
    const first = await poll(source, null)
    guard.requests.length = 0
    expect((await poll(source, first.cursor)).batches).toEqual([])
    expect(guard.requests.map(({ headers }) => headers['if-modified-since'])).toEqual([at])
  })

  test('I13: a pass that is resumed in the middle does not ask conditionally, nor does its end know a new version', async () => {
    const { state, guard } = shelf(['a', 'b', 'c'])
    const { source } = openHttpSource(config, guard)
    const first = await poll(source, null)
    Object.assign(state, { ids: ['d', 'e', 'a', 'b', 'c'], version: '"v2"' })
    const { batches } = await poll(source, first.cursor)
    guard.requests.length = 0
    const resumed = await poll(source, batches[0]!.cursor)
    expect(sent(guard).every(tag => tag === null)).toBe(true)
    guard.requests.length = 0
    await poll(source, resumed.cursor)
    expect(sent(guard)[0]).toBe('"v1"')
  })

  test('validators belong to one request: another address is read as a whole', async () => {
    const { guard } = shelf(['a'])
    const first = await poll(openHttpSource(config, guard).source, null)
    const other = openHttpSource({ ...config, request: { url: 'https://a.example/other' } }, guard)
    guard.requests.length = 0
    await poll(other.source, first.cursor)
    expect(sent(guard)[0]).toBe(null)
  })

  test('a 304 that nobody asked for is a failure', async () => {
    const guard = scriptedGuard(() => ({ status: 304, body: '' }))
    for (const conditional of [true, false]) {
      const { source } = openHttpSource({ ...config, conditional }, guard)
      expect(codeOf(await poll(source, null).catch((error: unknown) => error))).toBe('fetch.fatal')
    }
  })
})
