// Bugs that tests plant into the running program, to show that the tests that should find them do. Each is one change of the source text of
// one file, made in memory as the file is loaded (plant.ts).

export interface Plant {
  /** File under src/. */
  readonly file: string
  readonly find: RegExp
  readonly replace: string
  /** The failpoint that brings it to light; # is the count. */
  readonly failpoint: string
}

export const plants: Readonly<Record<string, Plant>> = {
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
    file: 'pipeline/poll.ts',
    find: /await commitUntilDurable\(\s*\(\) => bucket\.transact\(\{ appends, cursors:/,
    replace:
      'if (letters.length > 0) await commitUntilDurable(() => bucket.transact({ appends: appends.splice(-1), cursors: [] }), options, signal)\n  await commitUntilDurable(() => bucket.transact({ appends, cursors:',
    failpoint: 'append.before_commit:#:kill',
  },
}
