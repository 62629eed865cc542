// What a pipeline guarantees from end to end, derived from what its parts claim: a chain holds no more than its weakest part.
// Field names are those of the JSON of `weir lint --explain`.
import { relative } from 'node:path'
import * as kafka from '../adapters/event-log-kafka/claims.ts'
import * as embedded from '../adapters/event-log-sqlite/claims.ts'
import { type Catalogue, codeSource, ownEntry } from '../config/catalogue.ts'
import type { PipelineDefinition, WorkspaceDefinition } from '../config/definition.ts'
import { brokerKind } from '../config/workspace.ts'
import type { Claim, Guarantee, Proof } from '../core/guarantee.ts'
import { waiting } from '../pipeline/append.ts'
import { reparsing } from '../pipeline/reparse.ts'
import { replaying } from '../pipeline/replay.ts'
import { fieldsUsed } from './governance/consumers.ts'

export interface ShownClaim {
  readonly part: string
  readonly guarantee: Guarantee
  readonly why: string
  /** Completes `as long as …`. */
  readonly while: string | null
  readonly proof: Proof | null
}

export interface Hop {
  readonly from: string
  readonly to: string
  readonly guarantee: Guarantee
  /** The part that keeps it from exactly once; null when none does. */
  readonly limited_by: string | null
  readonly claims: readonly ShownClaim[]
}

export interface Explanation {
  readonly file: string
  readonly pipeline: string
  readonly broker: WorkspaceDefinition['broker']['kind']
  /** Source to topic, then topic to each sink. */
  readonly hops: readonly Hop[]
  /** From the source to each sink. */
  readonly end_to_end: readonly {
    readonly group: string
    readonly sink: string
    readonly guarantee: Guarantee
    readonly limited_by: string | null
  }[]
  /** What each consumer reads of the record; null: all of it. */
  readonly reads: readonly {
    readonly group: string
    readonly sink: string
    readonly fields: readonly string[] | null
  }[]
  /** Dead letters that are replayed, by where they go, and raw pages that are mapped again. */
  readonly replays: readonly Hop[]
}

type BrokerKind = WorkspaceDefinition['broker']['kind']

const brokerClaims = { embedded, kafka } as const

/** The kind of broker that a run from this folder would use; embedded where weir.yaml cannot be used. */
export function brokerHere(cwd: string, env: Readonly<Record<string, string | undefined>>): BrokerKind {
  return brokerKind(cwd, env) ?? 'embedded'
}

/** What the pipeline guarantees on that kind of broker. Opens nothing. */
export function explainPipeline(
  definition: PipelineDefinition,
  broker: BrokerKind,
  catalogue: Catalogue,
  cwd: string,
): Explanation {
  const { sources, sinks } = catalogue
  const { source, topic, consume, raw } = definition
  const log = brokerClaims[broker]
  const sourceName = `source ${source.vendor ?? source.connector}`
  const topicName = `topic ${topic.name}`
  const brokerName = `broker ${broker}`
  const storing = hop(sourceName, topicName, [
    [sourceName, codeSource(sources, source.connector)!.claim(source.config)],
    [brokerName, log.storing],
    [`on_broker_down ${definition.onBrokerDown}`, whileBrokerIsDown(definition, broker)],
  ])
  const sinkOf = (consumer: (typeof consume)[number]) => ownEntry(sinks, consumer.sink.connector)!
  const nameOf = (consumer: (typeof consume)[number]) => `sink ${consumer.sink.connector} of ${consumer.group}`
  const delivering = consume.map(consumer =>
    hop(topicName, nameOf(consumer), [
      [nameOf(consumer), sinkOf(consumer).claims.delivering],
      ...writesToLog(consumer.sink.connector, brokerName, log.passingOn),
    ]),
  )
  return {
    file: relative(cwd, definition.file) || definition.file,
    pipeline: definition.pipeline,
    broker,
    hops: [storing, ...delivering],
    end_to_end: consume.map(({ group, sink }, i) => {
      const limit = storing.limited_by ?? delivering[i]!.limited_by
      return {
        group,
        sink: sink.connector,
        guarantee: limit === null ? 'exactly_once' : 'at_least_once',
        limited_by: limit,
      }
    }),
    reads: consume.map(consumer => ({
      group: consumer.group,
      sink: consumer.sink.connector,
      fields: fieldsUsed(consumer.process, consumer.sink, catalogue),
    })),
    replays: [
      hop('dead letters', topicName, [
        ['replay', replaying],
        [brokerName, log.storing],
      ]),
      ...(raw
        ? [
            hop(`raw pages ${raw.topic}`, topicName, [
              ['reparse', reparsing],
              [brokerName, log.storing],
            ]),
          ]
        : []),
      ...consume.map(consumer =>
        hop('dead letters', nameOf(consumer), [
          [nameOf(consumer), sinkOf(consumer).claims.replaying],
          ...writesToLog(consumer.sink.connector, brokerName, log.passingOn),
        ]),
      ),
    ],
  }
}

/** The embedded log is always at hand: what it cannot take for now, the pipeline waits with. */
function whileBrokerIsDown({ onBrokerDown }: PipelineDefinition, broker: BrokerKind): Claim {
  return onBrokerDown === 'spool' && broker === 'kafka' ? spooling : waiting
}

/** Until the spool declares its own claim beside its code. */
const spooling: Claim = {
  guarantee: 'exactly_once',
  why: 'While the cluster is away records, dead letters and cursor are stored in the embedded store in one transaction, and forwarded once when it is back.',
  proof: null,
}

/** The `topic` sink writes to the broker itself, so it holds what the broker holds. */
const writesToLog = (sink: string, name: string, claim: Claim): (readonly [string, Claim])[] =>
  sink === 'topic' ? [[name, claim]] : []

function hop(from: string, to: string, parts: readonly (readonly [part: string, claim: Claim])[]): Hop {
  const claims = parts.map(([part, claim]) => ({
    part,
    guarantee: claim.guarantee,
    why: claim.why,
    while: claim.while ?? null,
    proof: claim.proof,
  }))
  const limit = claims.find(claim => claim.guarantee === 'at_least_once')
  return { from, to, guarantee: limit?.guarantee ?? 'exactly_once', limited_by: limit?.part ?? null, claims }
}
