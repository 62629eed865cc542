// A night of one or more weir processes, played on a fake clock: typed events go into the real metrics and the real health, and what Prometheus
// would have scraped every 15 seconds comes out as the input series of promtool's rule tests.
import type { Event } from '../../src/core/event.ts'
import { createHealth } from '../../src/observe/health.ts'
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts'
import { createFakeClock } from './fake-clock.ts'

export interface Scene {
  readonly minutes: number
  /** Default 15. Long scenes take longer steps; a series is stale after 300. */
  readonly stepSeconds?: number
  /** Instances. Default one: weir:8080. */
  readonly instances?: readonly string[]
  /** The events of a minute, told before its first scrape. */
  readonly play: (minute: number, tell: (...events: readonly Event[]) => void, instance: string) => void
  /** True: the process is not there in this minute, and cannot be scraped. */
  readonly away?: (minute: number, instance: string) => boolean
  /** Series that no event drives: those of the process and of Prometheus itself. */
  readonly more?: Readonly<Record<string, (minute: number) => number | null>>
}

export interface InputSeries {
  readonly series: string
  readonly values: string
}

/** Plays the scene and gives every series that was scraped in it. */
export async function scrape(scene: Scene): Promise<readonly InputSeries[]> {
  const { minutes, stepSeconds = 15, instances = ['weir:8080'], play, away = () => false, more = {} } = scene
  const clock = createFakeClock(0)
  const processes = await Promise.all(
    instances.map(async instance => {
      const health = createHealth({ clock })
      return { instance, health, metrics: await createMetrics({ clock, health, process: false }) }
    }),
  )
  const series = new Map<string, string[]>()
  const steps = (minutes * 60) / stepSeconds
  for (let step = 0; step <= steps; step++) {
    const minute = (step * stepSeconds) / 60
    const note = (name: string, value: string) => {
      const values = series.get(name) ?? new Array<string>(step).fill('_')
      while (values.length < step) values.push('_')
      values.push(value)
      series.set(name, values)
    }
    for (const { instance, metrics, health } of processes) {
      const isAway = away(minute, instance)
      if (Number.isInteger(minute))
        play(
          minute,
          (...events) => {
            for (const event of events) for (const listener of [metrics, health]) listener.emit(event)
          },
          instance,
        )
      note(`up{job="weir",instance="${instance}"}`, isAway ? '0' : '1')
      if (!isAway) for (const [name, value] of await samples(metrics, instance)) note(name, value)
    }
    for (const [name, value] of Object.entries(more)) note(name, value(minute)?.toString() ?? '_')
    await clock.advance(stepSeconds * 1000)
  }
  return [...series].map(([name, values]) => ({ series: name, values: runs(values) }))
}

async function samples(metrics: Metrics, instance: string): Promise<readonly (readonly [string, string])[]> {
  return (await metrics.text())
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const [, name, labels, value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      return [`${name}{job="weir",instance="${instance}"${labels ? `,${labels}` : ''}}`, value!] as const
    })
}

/** Values as promtool reads them, each run of the same value written once. */
function runs(values: readonly string[]): string {
  const parts: string[] = []
  for (let at = 0; at < values.length; ) {
    let end = at
    while (values[end + 1] === values[at]) end++
    const value = values[at]!
    parts.push(end === at ? value : value === '_' ? `_x${end - at + 1}` : `${value}x${end - at}`)
    at = end + 1
  }
  return parts.join(' ')
}
