// Each alert rule, evaluated by Prometheus' own engine over what weir's real metrics said in a scene: it fires when it should, not before,
// and not in the scenes that only look alike.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { brokerCases } from '../support/alert-cases/broker.ts'
import { allCalm, type Case } from '../support/alert-cases/night.ts'
import { processCases } from '../support/alert-cases/process.ts'
import { recordCases } from '../support/alert-cases/records.ts'
import { sourceCases } from '../support/alert-cases/source.ts'
import { alertRules, rulesFile } from '../support/alert-rules.ts'
import { type Scene, scrape } from '../support/alert-scene.ts'
import { runPromtool, skipped, withoutPromtool } from '../support/promtool.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-alerts-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const cases: Readonly<Record<string, readonly Case[]>> = {
  ...processCases,
  ...brokerCases,
  ...sourceCases,
  ...recordCases,
}

const rendered = (text: string, labels: Readonly<Record<string, string>>) =>
  text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? 'NO SUCH LABEL')

/** promtool's test of one scene, with all that the alert must say. */
async function ruleTest(alert: string, { name, scene, quiet, fires }: Case): Promise<object> {
  const rule = alertRules.find(one => one.alert === alert)!
  const at = (minute: number, expected: readonly object[]) => ({
    eval_time: `${minute}m`,
    alertname: alert,
    exp_alerts: expected,
  })
  return {
    name,
    interval: `${scene.stepSeconds ?? 15}s`,
    input_series: await scrape(scene),
    alert_rule_test: [
      ...quiet.map(minute => at(minute, [])),
      ...(fires
        ? [
            at(fires.at, [
              {
                exp_labels: { ...fires.labels, ...rule.labels },
                exp_annotations: Object.fromEntries(
                  Object.entries(rule.annotations).map(([key, text]) => [key, rendered(text, fires.labels)]),
                ),
              },
            ]),
          ]
        : []),
    ],
  }
}

async function evaluate(tests: readonly object[], everySeconds = 15): Promise<{ code: number | null; out: string }> {
  const file = join(folder, 'tests.json')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [rulesFile], evaluation_interval: `${everySeconds}s`, tests }))
  return runPromtool(['test', 'rules', file])
}

test('every rule has a scene in which it fires', () => {
  const tested = Object.entries(cases)
    .filter(([, all]) => all.some(one => one.fires))
    .map(([alert]) => alert)
  expect(tested.sort()).toEqual(alertRules.map(rule => rule.alert).sort())
})

describe.skipIf(withoutPromtool)(`alert rules${skipped}`, () => {
  test('Prometheus takes the rules', () => {
    expect(runPromtool(['check', 'rules', rulesFile])).toMatchObject({ code: 0 })
  })

  for (const [alert, all] of Object.entries(cases))
    for (const one of all)
      test(`${alert}: ${one.name}${one.fires ? '' : ' (does not fire)'}`, async () => {
        const everySeconds = Math.max(15, (one.scene.stepSeconds ?? 0) / 4)
        expect(await evaluate([await ruleTest(alert, one)], everySeconds)).toEqual({ code: 0, out: expect.any(String) })
      })

  test('no rule fires in an hour in which all is well', async () => {
    const scene: Scene = {
      minutes: 60,
      instances: ['a:8080', 'b:8080'],
      play: allCalm,
      more: {
        'up{job="redpanda",instance="redpanda:9644"}': () => 1,
        'process_resident_memory_bytes{job="weir",instance="a:8080"}': () => 150e6,
        'process_start_time_seconds{job="weir",instance="a:8080"}': () => 1,
      },
    }
    const quiet = alertRules.flatMap(({ alert }) =>
      [1, 12, 30, 59].map(minute => ({ eval_time: `${minute}m`, alertname: alert, exp_alerts: [] })),
    )
    expect(await evaluate([{ interval: '15s', input_series: await scrape(scene), alert_rule_test: quiet }])).toEqual({
      code: 0,
      out: expect.any(String),
    })
  })

  test('a scene that is expected to fire and does not is seen', async () => {
    const [one] = cases['WeirBreakerOpen']!
    const wrong = await ruleTest('WeirBreakerOpen', { ...one!, scene: { minutes: 20, play: allCalm } })
    expect((await evaluate([wrong])).code).toBe(1)
  })
})
