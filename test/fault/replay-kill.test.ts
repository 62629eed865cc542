// Replays killed around their commits, then run again: each dead letter is replayed once (I8, faults 2 and 72).
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type CrashScene, crashScene } from '../support/crash-scene.ts'

const points = ['replay.before_commit', 'replay.after_commit'] as const
const kills = 20

/** Replays with a kill each, then one to the end. */
async function replayKilled(scene: CrashScene, point: (typeof points)[number]): Promise<void> {
  for (let i = 0; i < kills; i++) {
    const { signal, err } = await scene.weir(['dlq', 'replay', 'pipeline.yaml', '--yes'], {
      env: { WEIR_FAILPOINT: `${point}:${point === 'replay.before_commit' ? (i % 2) + 1 : 1}:kill` },
    })
    expect({ signal, err }).toMatchObject({ signal: 'SIGKILL' })
  }
  await scene.weir(['dlq', 'replay', 'pipeline.yaml', '--yes'])
}

async function rows<T>(scene: CrashScene, topic: string): Promise<T[]> {
  const { out } = await scene.weir(['topic', 'cat', topic, '--json'])
  return out
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as T)
}

function rewrite(scene: CrashScene, ...changes: readonly (readonly [from: string, to: string])[]): void {
  let text = readFileSync(scene.pipelineFile, 'utf8')
  for (const [from, to] of changes) {
    expect(text).toContain(from)
    text = text.replace(from, to)
  }
  writeFileSync(scene.pipelineFile, text)
}

interface Row {
  readonly headers: Record<string, string>
  readonly value: { readonly review_id: string }
}

describe('I8: each dead letter is replayed once, killed', () => {
  test.concurrent.each(points)(
    'at %s, into the topic',
    async point => {
      const lines = 4_800
      using scene = crashScene({ lines, malformedEvery: 1 })
      expect(await scene.run()).toMatchObject({ code: 0 })
      expect(await rows(scene, 'reviews')).toEqual([])
      rewrite(scene, ['double(this.stars)', '\'has(this.stars) && this.stars != "none" ? double(this.stars) : 1.0\''])
      await replayKilled(scene, point)
      const records = await rows<Row>(scene, 'reviews')
      expect(records).toHaveLength((lines / 3) * 2)
      expect(new Set(records.map(row => row.headers['weir-id'])).size).toBe(records.length)
      expect(new Set(records.map(row => row.headers['weir-replayed-from'])).size).toBe(records.length)
      const { out } = await scene.weir(['dlq', 'stats', 'pipeline.yaml', '--state', 'all', '--json'])
      expect(JSON.parse(out)).toMatchObject({ by_state: { replayed: (lines / 3) * 2, open: lines / 3 } })
      const again = await scene.weir(['dlq', 'replay', 'pipeline.yaml', '--yes', '--max-attempts', '100'])
      expect(again.err + again.out).toContain('0 replayed')
    },
    300_000,
  )

  test.concurrent.each(points)(
    'at %s, into the topic of a consumer',
    async point => {
      const lines = 5_000
      using scene = crashScene({ lines, malformedEvery: 100_000 })
      rewrite(scene, [
        'sink: { file: { path: out/reviews.ndjson, metadata: true } }',
        'process: [ { filter: int(record.review_text) > 0 } ]\n    sink: { topic: { topic: copies } }',
      ])
      expect(await scene.run()).toMatchObject({ code: 0 })
      expect(await rows(scene, 'copies')).toEqual([])
      rewrite(scene, ['int(record.review_text) > 0', 'record.rating > 0.0'])
      await replayKilled(scene, point)
      const copies = await rows<Row>(scene, 'copies')
      expect(copies).toHaveLength(lines)
      expect(new Set(copies.map(row => row.value.review_id)).size).toBe(lines)
    },
    300_000,
  )
})

test('what a replay hands to a log sink is logged', async () => {
  using scene = crashScene({ lines: 3, malformedEvery: 100 })
  rewrite(scene, [
    'sink: { file: { path: out/reviews.ndjson, metadata: true } }',
    'process: [ { filter: int(record.review_text) > 0 } ]\n    sink: { log: { fields: [review_id] } }',
  ])
  expect(await scene.run()).toMatchObject({ code: 0 })
  rewrite(scene, ['int(record.review_text) > 0', 'record.rating > 0.0'])
  const { code, err } = await scene.weir(['dlq', 'replay', 'pipeline.yaml', '--yes'])
  expect(code).toBe(0)
  expect(err.split('"event":"record_logged"')).toHaveLength(4)
})
