// keep_raw and weir reparse on a real cluster: pages stand with their records, and a reparse that is killed around its commit is gone on with (I1, I8).
import { expect, test } from 'vitest'
import { auditReparsed, bodyOf, broken, mended, rawShop, shopFailing, shopTotal } from '../../support/raw-shop.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import { endWithUs, scratchDir } from '../../support/services/guard.ts'

await describeWith(['apache-kafka'], 'raw pages on a real cluster', ({ bootstrap }) => {
  test('I1 I8: kept with their records, mapped again once, whatever instant it is killed at', async () => {
    scratchDir('reparse')
    await using scene = await rawShop(bootstrap, { deadlineMs: 90_000, started: endWithUs })
    const run = ['run', 'pipeline.yaml', '--until', 'end', '--stage', 'producer']
    const again = ['reparse', 'pipeline.yaml', '--yes']
    const killed = await scene.weir(run, { env: { WEIR_FAILPOINT: 'append.before_commit:9:kill' } })
    expect(killed.signal).toBe('SIGKILL')
    expect(await scene.weir(run)).toMatchObject({ code: 0 })
    const listed = (await scene.rows(`${scene.name}_raw`)).flatMap(({ value }) => bodyOf(value.body!).reviews)
    expect(new Set(listed.map(({ id }) => id)).size).toBe(shopTotal)
    expect(await scene.rows(scene.name)).toHaveLength(shopTotal)
    await scene.close()

    scene.edit(broken, mended)
    for (const point of ['before_commit:2', 'after_commit:1', 'before_commit:1', 'after_commit:3']) {
      const { signal, err } = await scene.weir(again, { env: { WEIR_FAILPOINT: `reparse.${point}:kill` } })
      expect({ signal, err }).toMatchObject({ signal: 'SIGKILL' })
    }
    expect(await scene.weir(again)).toMatchObject({ code: 2 })
    await auditReparsed(scene)
    const third = await scene.weir(again)
    expect(third.err).toContain(`0 changed, 0 new, 0 failed, ${shopTotal - shopFailing} as they are`)
  }, 240_000)
})
