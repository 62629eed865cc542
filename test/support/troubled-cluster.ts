// Loaded with --import into a real weir: its embedded log becomes a cluster that refuses transactions and leaves them in doubt, and its spool
// goes to a folder of its own. WEIR_TROUBLE: a seed; WEIR_SPOOL_DIR: the folder. Fails when there is nothing to change.
import { registerHooks } from 'node:module'
import { WeirError } from '../../src/core/errors.ts'
import type { Bucket, EventLog } from '../../src/pipeline/ports.ts'
import { chanceOf } from './model-cluster.ts'

const seed = process.env['WEIR_TROUBLE']
const chance = seed === undefined ? () => 1 : chanceOf(Number(seed))
const doubtful = 0.4
const longestAway = 4

const changes: Readonly<Record<string, readonly [RegExp, string]>> = {
  '/src/app/open.ts': [
    /await openSqliteEventLog\((.*?)\)\)/,
    `(await import(${JSON.stringify(import.meta.url)})).troubled(await openSqliteEventLog($1)))`,
  ],
  '/src/app/spooling.ts': [/dataDir: deps\.dataDir/, `dataDir: process.env['WEIR_SPOOL_DIR']`],
}

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const change = Object.entries(changes).find(([file]) => url.endsWith(file))?.[1]
    if (change === undefined) return loaded
    const text = String(loaded.source)
    if (!change[0].test(text)) throw new Error(`nothing to change in ${url}`)
    return { ...loaded, source: text.replace(change[0], change[1]) }
  },
})

/** After a commit in doubt, written or not, the log is away for a few calls. */
export function troubled(log: EventLog): EventLog {
  let awayFor = 0
  const reach = (): void => {
    if (awayFor === 0) return
    awayFor--
    throw new WeirError('log.unavailable', 'the log is made to be away')
  }
  const troubledBucket = (bucket: Bucket): Bucket => ({
    number: bucket.number,
    epoch: bucket.epoch,
    cursors: bucket.cursors,
    async transact(transaction) {
      reach()
      const inDoubt = chance() < doubtful
      if (!inDoubt || chance() < 0.5) await bucket.transact(transaction)
      if (!inDoubt) return
      awayFor = Math.floor(chance() * longestAway)
      throw new WeirError('log.outcome_unknown', 'the outcome is made unknown')
    },
    async renew() {
      reach()
      return troubledBucket(await bucket.renew())
    },
  })
  return new Proxy(log, {
    get(target, name) {
      if (name === 'kind') return 'troubled'
      if (name === 'joinProducers')
        return (options: Parameters<EventLog['joinProducers']>[0]) =>
          target.joinProducers({ ...options, assigned: bucket => options.assigned(troubledBucket(bucket)) })
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
