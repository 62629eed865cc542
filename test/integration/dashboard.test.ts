// The Grafana dashboard and the alert rules against what weir really exports: each metric is there under that name, with those labels; each panel
// shows something on an eventful night. Grafana itself does not run here.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { createHealth } from '../../src/observe/health.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { allCalm, e, there } from '../support/alert-cases/night.ts'
import { alertRules, rulesFile } from '../support/alert-rules.ts'
import { scrape } from '../support/alert-scene.ts'
import { runPromtool, skipped, withoutPromtool } from '../support/promtool.ts'
import { sampleEvents } from '../support/sample-events.ts'

interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
  readonly datasource: { readonly uid: string }
}
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly targets?: readonly Target[]
}

const grafana = resolve(import.meta.dirname, '../../docker/grafana')
const text = (path: string) => readFileSync(join(grafana, path), 'utf8')
const dashboard = JSON.parse(text('dashboards/weir.json')) as {
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] }
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
}
const targets = dashboard.panels.flatMap(panel => (panel.targets ?? []).map(target => ({ panel, target })))
const written = [
  ...targets.map(({ target }) => target.expr),
  ...dashboard.annotations.list.map(one => one.expr),
  ...dashboard.templating.list.map(one => one.definition),
]

/** What Prometheus adds to each series, and what it makes itself. */
const scraped = ['job', 'instance']
const ownSeries: Readonly<Record<string, readonly string[]>> = {
  up: scraped,
  ALERTS: ['alertname', 'alertstate', 'severity', ...scraped],
}

/** Each exported name with its labels. */
const exported = new Map<string, readonly string[]>(Object.entries(ownSeries))
const types = new Map<string, string>()
let exposition = ''
beforeAll(async () => {
  using metrics = await createMetrics({ health: createHealth() })
  for (const event of Object.values(sampleEvents('x'))) metrics.emit(event)
  exposition = await metrics.text()
  for (const line of exposition.split('\n')) {
    const [, typed, type] = /^# TYPE (\w+) (\w+)$/.exec(line) ?? []
    if (typed) types.set(typed, type!)
    const [, name, labels] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? []
    if (!name) continue
    const names = [...(labels ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label!)
    exported.set(name, [...new Set([...(exported.get(name) ?? scraped), ...names])])
  }
})

/** Names of metrics in an expression: what is no function, keyword, label or text. */
function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
  const grouped = bare.replace(/\b(by|on|without|ignoring)\s*\([^)]*\)/g, '').replace(/, \w+\)$/, ')')
  const words = [...grouped.matchAll(/\b([a-zA-Z_]\w*)\b(?!\s*\()/g)].map(([, word]) => word!)
  return words.filter(word => !['or', 'and', 'unless', 'by', 'on', 'bool', 'e6'].includes(word))
}

function labelsIn(expr: string): string[] {
  const grouped = [...expr.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/,\s*/))
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, body]) =>
    [...body!.replace(/"[^"]*"/g, '').matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => label!),
  )
  const shown = [...expr.matchAll(/, (\w+)\)$/g)].filter(() => expr.startsWith('label_values')).map(([, l]) => l!)
  return [...grouped, ...matched, ...shown]
}

const allExpressions = [...written, ...alertRules.map(rule => rule.expr)]

describe('names and labels', () => {
  test('every metric in a panel or a rule is one that weir exports', () => {
    const missing = allExpressions.flatMap(expr => metricsIn(expr).filter(name => !exported.has(name)))
    expect([...new Set(missing)]).toEqual([])
    expect(allExpressions.filter(expr => metricsIn(expr).length === 0)).toEqual([])
  })

  test('every label that is grouped by, matched or shown is one of the metrics beside it', () => {
    const wrong = [
      ...allExpressions.map(expr => ({ expr, labels: labelsIn(expr) })),
      ...targets.map(({ target: { expr, legendFormat } }) => ({
        expr,
        labels: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!),
      })),
    ].flatMap(({ expr, labels }) => {
      const known = metricsIn(expr).flatMap(name => exported.get(name) ?? [])
      return labels.filter(label => !known.includes(label)).map(label => `${label} in ${expr}`)
    })
    expect(wrong).toEqual([])
  })

  test('names follow the conventions of Prometheus', () => {
    const own = [...types].filter(([name]) => name.startsWith('weir_'))
    expect(own.length).toBeGreaterThan(20)
    for (const [name, type] of own) {
      expect(name.endsWith('_total'), `${name} is a ${type}`).toBe(type === 'counter')
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
      expect(exposition).toMatch(new RegExp(`^# HELP ${name} \\S.*\\.$`, 'm'))
    }
  })

  test('labels are from a fixed set', () => {
    const own = [...exported].filter(([name]) => name.startsWith('weir_')).flatMap(([, labels]) => labels)
    expect([...new Set(own)].sort()).toEqual(
      [
        ...scraped,
        'bucket',
        'change',
        'code',
        'group',
        'host',
        'kind',
        'le',
        'outcome',
        'pipeline',
        'reason',
        'stage',
      ].sort(),
    )
  })
})

describe('the dashboard', () => {
  test('reads from the data source that is provisioned, and from no other', () => {
    const { datasources } = parse(text('provisioning/datasources/prometheus.yml')) as { datasources: { uid: string }[] }
    const used = [...JSON.stringify(dashboard).matchAll(/"datasource":\{"type":"(\w+)","uid":"([^"]+)"\}/g)]
    expect(used.length).toBeGreaterThan(targets.length)
    expect([...new Set(used.map(([, type, uid]) => `${type} ${uid}`))]).toEqual([`prometheus ${datasources[0]!.uid}`])
    expect(readdirSync(join(grafana, 'dashboards'))).toEqual(['weir.json'])
  })

  test('has panels that do not overlap, stay within the page, and are told apart', () => {
    const { panels } = dashboard
    expect(new Set(panels.map(panel => panel.id)).size).toBe(panels.length)
    expect(new Set(panels.map(panel => panel.title)).size).toBe(panels.length)
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of panels) {
      expect(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24, title).toBe(true)
    }
    const overlaps = panels.flatMap((one, i) =>
      panels
        .slice(i + 1)
        .filter(
          ({ gridPos: b }) =>
            one.gridPos.x < b.x + b.w &&
            b.x < one.gridPos.x + one.gridPos.w &&
            one.gridPos.y < b.y + b.h &&
            b.y < one.gridPos.y + one.gridPos.h,
        )
        .map(other => `${one.title} / ${other.title}`),
    )
    expect(overlaps).toEqual([])
  })

  test('says of every panel what it shows, and asks each question under its own letter', () => {
    for (const { type, title, description, targets: asked = [] } of dashboard.panels) {
      if (type === 'row') continue
      expect(description, title).toMatch(/\w.*\.$/)
      expect(asked.length, title).toBeGreaterThan(0)
      expect(new Set(asked.map(target => target.refId)).size, title).toBe(asked.length)
    }
  })

  test('begins with what is asked at night: fresh, failing, stuck, losing', () => {
    const first = dashboard.panels.filter(panel => panel.type === 'stat').map(panel => panel.title)
    expect(first).toEqual([
      'Ready',
      expect.stringMatching(/^Fresh/),
      expect.stringMatching(/^Failing/),
      expect.stringMatching(/^Stuck/),
      expect.stringMatching(/^Losing/),
    ])
  })
})

describe.skipIf(withoutPromtool)(`asked of Prometheus${skipped}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-dashboard-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('the exposition is well-formed; what is odd in it is of the process metrics of prom-client', () => {
    const { out } = runPromtool(['check', 'metrics'], exposition)
    expect(out.split('\n').filter(line => line !== '' && !line.startsWith('nodejs_'))).toEqual([])
  })

  test('every panel shows something on an eventful night', async () => {
    const input = await scrape({
      minutes: 30,
      play: (minute, tell) => {
        allCalm(minute, tell, there.instance)
        if (minute === 20)
          tell(...Object.values(e).filter(event => !/^(drain_|pipeline_|bucket_)/.test(event.type)), e.fetch_failed)
      },
      more: Object.fromEntries(
        ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds'].map(name => [
          `${name}{job="weir",instance="weir:8080"}`,
          minute => minute,
        ]),
      ),
    })
    const asked = targets.map(({ target: { expr } }) =>
      expr.replaceAll('$__rate_interval', '1m').replaceAll('$pipeline', '.*'),
    )
    const file = join(folder, 'panels.json')
    writeFileSync(
      file,
      JSON.stringify({
        rule_files: [rulesFile],
        evaluation_interval: '15s',
        tests: [
          {
            interval: '15s',
            input_series: input,
            promql_expr_test: asked.map(expr => ({
              expr: `count(${expr}) >= bool 1`,
              eval_time: '1230s',
              exp_samples: [{ labels: '{}', value: 1 }],
            })),
          },
        ],
      }),
    )
    expect(runPromtool(['test', 'rules', file])).toEqual({ code: 0, out: expect.any(String) })
  })
})
