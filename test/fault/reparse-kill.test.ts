// Pages kept and mapped again by real processes that are killed around their commits (I1, I8): a page stands with its records or not at all, and
// whatever instant a reparse dies at, the next one brings each record that changes once.
import { expect, test } from 'vitest'
import {
  auditReparsed,
  bodyOf,
  broken,
  mended,
  rawShop,
  type ShopRow,
  shopFailing,
  shopTotal,
} from '../support/raw-shop.ts'

const kills = 20

const run = ['run', 'pipeline.yaml', '--until', 'end']
const again = ['reparse', 'pipeline.yaml', '--yes']

test.each(['append.before_commit', 'append.after_commit'] as const)(
  'I1: killed at %s, a page is there with its records, or neither is',
  async point => {
    await using scene = await rawShop()
    for (let i = 0; i < kills / 2; i++) {
      const { signal } = await scene.weir(run, { env: { WEIR_FAILPOINT: `${point}:${(i % 5) + 1}:kill` } })
      if (signal !== 'SIGKILL') break
      if (i % 4 !== 0) continue
      const records = await scene.rows('shop')
      const kept = await scene.rows('shop_raw')
      const pageOf = ({ headers }: ShopRow) => `${headers['weir-fetched-at']} ${headers['weir-response']}`
      const pages = new Set(kept.map(pageOf))
      expect(records.filter(row => !pages.has(pageOf(row)))).toEqual([])
      const ids = new Set(records.map(({ value }) => value.review_id))
      const listed = kept.flatMap(({ value }) => bodyOf(value.body!).reviews.map(({ id }) => id))
      expect(listed.filter(id => !ids.has(id))).toEqual([])
    }
    expect(await scene.weir(run)).toMatchObject({ code: 0 })
    const records = await scene.rows('shop')
    expect(new Set(records.map(({ value }) => value.review_id)).size).toBe(shopTotal)
    expect(records).toHaveLength(shopTotal)
  },
  300_000,
)

test.each(['reparse.before_commit', 'reparse.after_commit'] as const)(
  'I8: killed at %s, each record that changes is appended once',
  async point => {
    await using scene = await rawShop()
    expect(await scene.weir(run)).toMatchObject({ code: 0 })
    await scene.close()
    const asked = scene.asked()
    scene.edit(broken, mended)
    let died = 0
    for (let i = 0; i < kills; i++) {
      const count = point === 'reparse.before_commit' ? (i % 2) + 1 : 1
      const { signal, err } = await scene.weir(again, { env: { WEIR_FAILPOINT: `${point}:${count}:kill` } })
      expect({ signal, err }).toMatchObject({ signal: 'SIGKILL' })
      died++
    }
    expect(died).toBe(kills)
    expect(await scene.weir(again)).toMatchObject({ code: 2 })

    await auditReparsed(scene)

    const third = await scene.weir(again)
    expect(third).toMatchObject({ code: 0 })
    expect(third.err).toContain(
      `0 changed, 0 new, 0 failed, ${shopTotal - shopFailing} as they are, ${shopFailing} left to their dead letters`,
    )
    expect(scene.asked()).toBe(asked)
  },
  300_000,
)
