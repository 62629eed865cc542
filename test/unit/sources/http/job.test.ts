import { describe, expect, test } from 'vitest'
import { codeOf, WeirError } from '../../../../src/core/errors.ts'
import type { SourceBatch } from '../../../../src/core/record.ts'
import { base, jobScene } from '../../../support/job-scene.ts'

const stepOf = (cursor: string | null) => (JSON.parse(cursor!) as { job?: { step: string } }).job?.step ?? null
const network = () => {
  throw new WeirError('fetch.network', 'The call failed: connection reset')
}
const noFind = { job: { find: undefined } }

describe('a job', () => {
  test('is submitted with its tag, asked for until it is ready, and its result is read page by page', async () => {
    const scene = jobScene()
    const { ids, batches, error } = await scene.pass(null)
    expect(error).toBeUndefined()
    expect(ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.calls).toEqual([
      'POST /jobs',
      'GET /jobs/j1',
      'GET /jobs/j1',
      'GET /jobs/j1',
      'GET /results/set-j1',
      'GET /results/set-j1',
    ])
    expect(scene.waits).toEqual([10_000, 10_000])
    expect(scene.vendor.journal[0]!.tag).toMatch(/^weir-[0-9a-f]{24}$/)
    expect(batches.map(({ cursor, barrier, owed }) => [stepOf(cursor), barrier, owed])).toEqual([
      ['intent', true, undefined],
      ['submitted', undefined, true],
      ['submitted', undefined, undefined],
      [null, undefined, undefined],
    ])
  })

  test('the next pass submits another, with another tag', async () => {
    const scene = jobScene()
    const first = await scene.pass(null)
    scene.vendor.items.get('')!.push({ id: 'd' })
    const second = await scene.pass(first.cursor)
    expect(second.ids).toEqual(['d'])
    expect(new Set(scene.vendor.journal.map(job => job.tag)).size).toBe(2)
  })

  test('nothing is submitted before the intent is stored', async () => {
    const scene = jobScene()
    const batches = scene
      .open()
      .read({ id: 'all', vars: {} }, null, new AbortController().signal)
      [Symbol.asyncIterator]()
    await batches.next()
    expect(scene.vendor.calls).toEqual([])
    await batches.return!()
    expect(scene.vendor.calls).toEqual([])
  })

  test('an answer that a rule calls pending is asked for again, after the time the rule, or the source, names', async () => {
    const scene = jobScene({
      job: { poll: { every: '7s' } },
      errors: [{ when: 'status == 202 && job.id != null', do: 'pending' }],
    })
    let asked = 0
    scene.meddle = ({ path }, answer) => {
      if (!path.startsWith('/results')) return answer()
      const [job] = scene.vendor.journal
      if (asked++ === 2) job!.state = 'ready'
      const reply = answer()
      return asked === 2 ? { ...reply, headers: { 'retry-after': '3' } } : reply
    }
    expect((await scene.pass(null)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.waits).toEqual([7000, 3000])
  })

  test('without a poll request, ready and failed are seen over the result itself', async () => {
    const scene = jobScene({ job: { poll: { ready: 'status == 200', every: '1s' } } })
    scene.meddle = ({ n }, answer) => {
      if (n === 4) scene.vendor.journal[0]!.state = 'ready'
      return answer()
    }
    expect((await scene.pass(null)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.waits).toEqual([1000, 1000])
  })

  test('values of the answer that says ready are kept for the result', async () => {
    const scene = jobScene({
      job: {
        keep: undefined,
        find: undefined,
        poll: {
          request: { url: `${base}/jobs/{{ job.id }}` },
          ready: 'body.status == "ready"',
          keep: { set: '"set-" + job.id' },
        },
      },
    })
    expect((await scene.pass(null)).ids).toEqual(['a', 'b', 'c'])
  })

  test.each(['skip', 'gone'])('a submit that means nothing is there (%s) ends the pass', async action => {
    const scene = jobScene({ errors: [{ when: 'status == 404', do: action }] })
    scene.meddle = () => ({ status: 404, body: {} })
    const { error, cursor, ids } = await scene.pass(null)
    expect([error, ids, stepOf(cursor)]).toEqual([undefined, [], null])
  })

  test('rules see whether there is an id yet', async () => {
    const scene = jobScene({
      errors: [
        { when: 'job.id == null && status == 202', do: 'ok' },
        { when: 'job.id == null', do: 'fail' },
      ],
    })
    expect((await scene.pass(null)).ids).toEqual(['a', 'b', 'c'])
  })
})

describe('a job that comes to nothing', () => {
  test('I4: that has failed, it is forgotten, told, and the next waits its turn, longer each time', async () => {
    const scene = jobScene()
    scene.meddle = ({ path }, answer) => {
      if (path.startsWith('/jobs/')) scene.vendor.journal.at(-1)!.state = 'failed'
      return answer()
    }
    let cursor: string | null = null
    for (const pauseMs of [60_000, 120_000, 240_000]) {
      const jobs = scene.vendor.journal.length
      const failed = await scene.pass(cursor)
      expect(codeOf(failed.error)).toBe('fetch.job_failed')
      expect(stepOf(failed.cursor)).toBe('failed')
      expect(scene.vendor.journal.length).toBe(jobs + 1)
      scene.nowMs += pauseMs - 1
      const early = await scene.pass(failed.cursor)
      expect([codeOf(early.error), early.batches]).toEqual(['fetch.job_failed', []])
      expect(scene.vendor.journal.length).toBe(jobs + 1)
      scene.nowMs += 1
      cursor = failed.cursor
    }
    scene.meddle = undefined
    const done = await scene.pass(cursor)
    expect(done.ids).toEqual(['a', 'b', 'c'])
    expect(stepOf(done.cursor)).toBe(null)
  })

  test('that is not ready in time, it is given up', async () => {
    const scene = jobScene()
    scene.vendor.readyAfter = 1e9
    const startedMs = scene.nowMs
    const { error, cursor } = await scene.pass(null)
    expect(error).toMatchObject({ code: 'fetch.job_failed', message: expect.stringContaining('10m') })
    expect(scene.nowMs - startedMs).toBe(600_000)
    expect(stepOf(cursor)).toBe('failed')
  })

  test('the time goes on while weir is down, but the job is asked for once more', async () => {
    const scene = jobScene()
    const { batches } = await scene.pass(null)
    scene.nowMs += 3_600_000
    expect((await scene.pass(batches[1]!.cursor)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test.each([
    ['a page for people', '<html>We will be right back</html>'],
    ['half an answer', '{"status": "rea'],
  ])(
    'that is not heard of in time, because %s comes in the place of the answer, is kept for a day',
    async (_, body) => {
      const scene = jobScene()
      const { batches } = await scene.pass(null)
      const stored = batches[1]!.cursor
      scene.meddle = ({ path }, answer) => (path.startsWith('/jobs/') ? { body } : answer())
      scene.nowMs += 3_600_000
      const unheard = await scene.pass(stored)
      expect([codeOf(unheard.error), unheard.cursor]).toEqual(['source.shape', stored])
      scene.nowMs += 86_400_000
      expect(stepOf((await scene.pass(stored)).cursor)).toBe('failed')
      scene.nowMs -= 86_400_000
      scene.meddle = undefined
      expect((await scene.pass(stored)).ids).toEqual(['a', 'b', 'c'])
      expect(scene.vendor.journal).toHaveLength(1)
    },
  )

  test('a page for people between two polls is passed over', async () => {
    const scene = jobScene()
    scene.meddle = ({ path, n }, answer) => (path.startsWith('/jobs/') && n === 2 ? { body: '<html>' } : answer())
    expect((await scene.pass(null)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test('that is gone in the middle of its result, what was taken is not taken again', async () => {
    const scene = jobScene()
    scene.meddle = ({ path, n }, answer) => {
      if (path.startsWith('/results') && n === 6) scene.vendor.journal[0]!.state = 'gone'
      return answer()
    }
    const first = await scene.pass(null)
    expect(first.ids).toEqual(['a', 'b'])
    expect(first.error).toMatchObject({ code: 'fetch.fatal' })
    scene.nowMs += 60_000
    const second = await scene.pass(first.cursor)
    expect([second.ids, second.duplicates]).toEqual([['c'], 2])
    expect(scene.vendor.journal).toHaveLength(2)
  })

  test.each([
    ['the network fails', network, false],
    ['the source fails', () => ({ status: 503, body: '' }), false],
    ['the key is refused', () => ({ status: 401, body: '' }), false],
    ['the answer has another shape', () => ({ body: { status: 'ready', items: 5 } }), false],
    ['the job is not there', () => ({ status: 404, body: '' }), true],
    ['a rule says not to call again', () => ({ status: 418, body: '' }), true],
  ])('while %s, the job is kept, unless it is over', async (_, reply, isOver) => {
    const scene = jobScene({ errors: [{ when: 'status == 418', do: 'fail' }] })
    const { batches } = await scene.pass(null)
    const cursor = batches[1]!.cursor
    scene.meddle = reply
    const failed = await scene.pass(cursor)
    expect(failed.error).toBeInstanceOf(WeirError)
    expect(stepOf(failed.cursor)).toBe(isOver ? 'failed' : 'submitted')
    if (isOver) return
    expect(failed.cursor).toBe(cursor)
    scene.meddle = undefined
    expect((await scene.pass(failed.cursor)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(1)
    scene.meddle = reply
    scene.nowMs += 86_400_000
    expect(stepOf((await scene.pass(cursor)).cursor)).toBe('failed')
  })
})

describe('a submit', () => {
  test.each([
    ['refused', { status: 402, body: '' }],
    ['told to slow down', { status: 429, body: '' }],
    ['called a passing fault by a rule', { status: 200, body: { code: 5 } }],
  ])('that is %s leaves nothing behind, and the next pass submits', async (_, reply) => {
    const scene = jobScene({ errors: [{ when: 'body.code == 5', do: 'retry' }], ...noFind })
    scene.meddle = () => reply
    const refused = await scene.pass(null)
    expect(refused.error).toBeInstanceOf(WeirError)
    expect(stepOf(refused.cursor)).toBe(null)
    scene.meddle = undefined
    expect((await scene.pass(refused.cursor)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.events.filter(event => 'code' in event && event.code === 'fetch.job_in_doubt')).toEqual([])
  })

  const cutAfterwards = ({ method }: { method: string }, answer: () => object) => {
    const reply = answer()
    return method === 'POST' ? network() : (reply as { body: unknown })
  }
  const failsFirst = ({ method }: { method: string }, answer: () => { body: unknown }) =>
    method === 'POST' ? network() : answer()

  test('whose answer is lost is looked up by its tag, and goes on', async () => {
    const scene = jobScene()
    scene.meddle = cutAfterwards
    const { ids, error } = await scene.pass(null)
    expect([error, ids]).toEqual([undefined, ['a', 'b', 'c']])
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test('that was not taken is looked up until it must be listed, then the pass fails and the next submits', async () => {
    const scene = jobScene()
    scene.meddle = failsFirst
    const failed = await scene.pass(null)
    expect([codeOf(failed.error), stepOf(failed.cursor), scene.waits]).toEqual(['fetch.network', null, [10_000]])
    scene.meddle = undefined
    expect((await scene.pass(failed.cursor)).ids).toEqual(['a', 'b', 'c'])
  })

  test('a job that is listed late is found all the same', async () => {
    const scene = jobScene()
    scene.meddle = (call, answer) => {
      if (call.method === 'GET' && call.path === '/jobs' && scene.waits.length === 0) return { body: { jobs: [] } }
      return cutAfterwards(call, answer)
    }
    expect((await scene.pass(null)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test('without `find` the doubt is told, and the job is submitted again after the pause', async () => {
    const scene = jobScene(noFind)
    scene.meddle = cutAfterwards
    const failed = await scene.pass(null)
    expect([codeOf(failed.error), stepOf(failed.cursor)]).toEqual(['fetch.network', 'failed'])
    scene.meddle = undefined
    scene.nowMs += 60_000
    expect((await scene.pass(failed.cursor)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(2)
    expect(scene.events).toContainEqual(expect.objectContaining({ type: 'source_notice', code: 'fetch.job_in_doubt' }))
  })

  test.each([
    ['taken', true],
    ['not taken', false],
  ])('an intent that a killed process left, its job %s, is resolved by `find`', async (_, isTaken) => {
    const scene = jobScene()
    const { batches } = await scene.pass(null)
    if (!isTaken) scene.vendor.journal.length = 0
    expect((await scene.pass(batches[0]!.cursor)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test('an intent that a killed process left, without `find`, is told and submitted again', async () => {
    const scene = jobScene(noFind)
    const { batches } = await scene.pass(null)
    expect((await scene.pass(batches[0]!.cursor)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(2)
    expect(scene.events).toContainEqual(expect.objectContaining({ code: 'fetch.job_in_doubt' }))
  })

  test.each([
    ['fetch.status', { status: 503, body: '' }],
    ['source.shape', { body: '<html>We will be right back</html>' }],
    ['source.shape', { body: '{"jobs": [{"id": "jo' }],
  ])('while it cannot be looked up, the doubt stays: %s', async (code, reply) => {
    const scene = jobScene()
    const { batches } = await scene.pass(null)
    scene.meddle = () => reply
    const failed = await scene.pass(batches[0]!.cursor)
    expect([codeOf(failed.error), failed.cursor]).toEqual([code, batches[0]!.cursor])
    scene.meddle = undefined
    expect((await scene.pass(failed.cursor)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test('an answer without an id does not become a second job in the same minute', async () => {
    const scene = jobScene({ job: { id: 'body.nothing', find: undefined } })
    const failed = await scene.pass(null)
    expect(failed.error).toMatchObject({ code: 'source.shape', hint: expect.stringContaining('`id`') })
    expect(codeOf((await scene.pass(failed.cursor)).error)).toBe('fetch.job_failed')
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test('an answer without an id is no loss where the job can be found', async () => {
    const scene = jobScene({ job: { id: 'body.nothing' } })
    expect((await scene.pass(null)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test('I11: the answer to a submit that was out when the pipeline stopped is stored', async () => {
    const scene = jobScene(noFind)
    const stopping = new AbortController()
    scene.meddle = ({ method }, answer) => {
      if (method === 'POST') stopping.abort(new Error('stop'))
      return answer()
    }
    const stopped = await scene.pass(null, { signal: stopping.signal })
    expect([stopped.error, stepOf(stopped.cursor)]).toEqual([new Error('stop'), 'submitted'])
    expect(stopped.batches.at(-1)!.owed).toBe(true)
    expect((await scene.pass(stopped.cursor)).ids).toEqual(['a', 'b', 'c'])
    expect(scene.vendor.journal).toHaveLength(1)
  })

  test('I11: stopped before the submit, the intent is taken back', async () => {
    const scene = jobScene(noFind)
    const stopping = new AbortController()
    const batches: SourceBatch[] = []
    const read = async () => {
      for await (const batch of scene.open().read({ id: 'all', vars: {} }, null, stopping.signal)) {
        batches.push(batch)
        stopping.abort(new Error('stop'))
      }
    }
    await expect(read()).rejects.toThrow('stop')
    expect(batches.map(({ cursor, owed }) => [stepOf(cursor), owed])).toEqual([
      ['intent', undefined],
      [null, true],
    ])
    expect(scene.vendor.calls).toEqual([])
  })
})

test('a definition that has no job any more drops the job and reads anew', async () => {
  const scene = jobScene()
  const { batches } = await scene.pass(null)
  const plain = jobScene({ job: undefined, request: { url: `${base}/plain` } })
  plain.meddle = () => ({ body: { items: [{ id: 'a' }, { id: 'z' }], more: false } })
  const {
    batches: [batch],
  } = await plain.pass(batches[2]!.cursor)
  expect(batch!.items.map(item => item.position)).toEqual(['z'])
  expect(stepOf(batch!.cursor)).toBe(null)
})
