// Bugs that tests plant into the running program, to show that the tests that should find them do. Each is one change of the source text of
// one file, made in memory as the file is loaded (plant.ts).

export interface Plant {
  /** File under src/. */
  readonly file: string
  /** What fits in one place only: in another, the change would be another bug, or none. */
  readonly find: RegExp
  readonly replace: string
}

/** Those of the embedded log come to light at a failpoint; # is the count. */
export const plants: Readonly<Record<string, Plant & { readonly failpoint: string }>> = {
  'the cursor is stored outside the transaction of its records': {
    file: 'adapters/event-log-sqlite/producers.ts',
    find: /putCursors\(sql, pipeline, cursors, store\.clock\.now\(\)\)\s*\}, appendPoints\)/,
    replace: '}, appendPoints)\n      await store.write(sql => putCursors(sql, pipeline, cursors, store.clock.now()))',
    failpoint: 'append.after_commit:#:kill',
  },
  'the cursor is stored before its records': {
    file: 'adapters/event-log-sqlite/producers.ts',
    find: /try \{\s*await store\.write\(sql => \{/,
    replace:
      'try {\n      await store.write(sql => putCursors(sql, pipeline, cursors, store.clock.now()))\n      await store.write(sql => {',
    failpoint: 'append.before_commit:#:kill',
  },
  'a commit whose outcome is unknown is tried again blindly': {
    file: 'pipeline/append.ts',
    find: /if \(!known\.retry\) throw error/,
    replace: "if (!known.retry && known.code !== 'log.outcome_unknown') throw error",
    failpoint: 'append.after_commit:#:throw',
  },
  'dead letters are written in a transaction of their own': {
    file: 'pipeline/gather.ts',
    find: /return await commitUntilDurable\(\s*\(\) => this\.#bucket\.transact\(\{ appends, cursors:/,
    replace:
      'if (letters.length > 0) await commitUntilDurable(() => this.#bucket.transact({ appends: appends.splice(-1), cursors: [] }), this.#options, signal)\n        return await commitUntilDurable(() => this.#bucket.transact({ appends, cursors:',
    failpoint: 'append.before_commit:#:kill',
  },
}

/** Those of the Kafka log, each brought to light by a scene of its own. */
export const kafkaPlants = {
  'the end of a transaction is asked for again in the same epoch': {
    file: 'adapters/event-log-kafka/lane-transactions.ts',
    find: /lane\.ask\(coordinator, endTxn, \{ producer, commit \}\)/,
    replace:
      'lane.ask(coordinator, endTxn, { producer, commit }).catch(() => lane.ask(coordinator, endTxn, { producer, commit }))',
  },
  'after a doubt the cursor is taken from memory': {
    file: 'pipeline/producer.ts',
    find: /(bucket = await renewUntilSure\(.*\)\n)\s*cursors = cursorsOf\(bucket\)\n/,
    replace: '$1',
  },
  'the cursor is stored in a transaction of its own': {
    file: 'adapters/event-log-kafka/producers.ts',
    find: /await held\.producer\.commit\(\[\.\.\.appends, (\{ topic: this\.#topic, records \})\], null, appendPoints\)/,
    replace:
      'await held.producer.commit(appends, null, appendPoints)\n      await held.producer.commit([$1], null, appendPoints)',
  },
  'whoever was paused takes a new epoch without asking whether it still belongs': {
    file: 'adapters/event-log-kafka/membership.ts',
    find: /(async check\(\): Promise<void> \{\n)/,
    replace: '$1    return\n',
  },
} as const satisfies Readonly<Record<string, Plant>>

/** The source text of the plant's file with the bug in it. @throws when the text does not have exactly one place for it */
export function planted({ file, find, replace }: Plant, text: string): string {
  const places = [...text.matchAll(new RegExp(find, 'g'))].length
  if (places !== 1) throw new Error(`${places} places to plant in ${file}: ${find}`)
  return text.replace(find, replace)
}
