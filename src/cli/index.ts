// The commands, as a plain map: a line each. The code of a command is loaded only when it is called, so that `weir lint` pays for no server.
import type { Command } from 'commander'
import type { CliContext } from './context.ts'

export interface CommandEntry {
  /** One line for the list in the help. */
  readonly summary: string
  readonly group: 'Pipelines' | 'Looking in' | 'Recovering' | 'Workshop'
  readonly load: () => Promise<{ register(program: Command, context: CliContext): void }>
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  demo: {
    summary: 'Watch a pipeline at work against a simulated review vendor',
    group: 'Workshop',
    load: () => import('./demo.ts'),
  },
  run: {
    summary: 'Run a pipeline: its source, its consumers, its dead letters',
    group: 'Pipelines',
    load: () => import('./run.ts'),
  },
  prepare: {
    summary: 'Create topics and register schemas before anything runs',
    group: 'Pipelines',
    load: () => import('./prepare.ts'),
  },
  lint: {
    summary: 'Check pipeline files without running them',
    group: 'Pipelines',
    load: () => import('./lint.ts'),
  },
  schema: {
    summary: 'Review schema changes before they are registered',
    group: 'Pipelines',
    load: () => import('./schema.ts'),
  },
  test: {
    summary: 'Replay recorded exchanges and compare what comes of them',
    group: 'Pipelines',
    load: () => import('./test.ts'),
  },
  record: {
    summary: 'Read a source once for real and store the exchanges, scrubbed',
    group: 'Pipelines',
    load: () => import('./record.ts'),
  },
  connectors: {
    summary: 'List sources and sinks, or show one with its fields',
    group: 'Pipelines',
    load: () => import('./connectors.ts'),
  },
  topic: {
    summary: 'List topics and read records',
    group: 'Looking in',
    load: () => import('./topic.ts'),
  },
  registry: {
    summary: 'Serve the embedded schema registry, or probe any',
    group: 'Looking in',
    load: () => import('./registry.ts'),
  },
  cursor: {
    summary: 'See and change where a pipeline stands in its source',
    group: 'Recovering',
    load: () => import('./cursor.ts'),
  },
  dlq: {
    summary: 'List, replay and discard dead letters',
    group: 'Recovering',
    load: () => import('./dlq.ts'),
  },
  reparse: {
    summary: 'Map kept pages again with the definition of today, without fetching',
    group: 'Recovering',
    load: () => import('./reparse.ts'),
  },
  doctor: {
    summary: 'Check this machine, the store and the pipelines here',
    group: 'Looking in',
    load: () => import('./doctor.ts'),
  },
  simulate: {
    summary: 'Serve a simulated review vendor to try things on',
    group: 'Workshop',
    load: () => import('./simulate.ts'),
  },
  docs: {
    summary: 'Write the reference pages and the schemas for editors',
    group: 'Workshop',
    load: () => import('./docs.ts'),
  },
}
