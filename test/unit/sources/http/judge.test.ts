import { expect, test } from 'vitest'
import { createJudge } from '../../../../src/sources/http/judge.ts'
import { httpConfig } from '../../../support/http-config.ts'

const response = (status: number, headers = {}) => ({ status, headers, url: '', body: new Uint8Array() })
const judge = (errors: object[], status: number, body: unknown = null, headers = {}) =>
  createJudge(httpConfig({ request: { url: 'https://a.example/' }, errors }).errors)(
    response(status, headers),
    () => body,
  )

test.each([
  [200, 'ok'],
  [201, 'ok'],
  [204, 'ok'],
  [429, 'throttled'],
  [408, 'retry'],
  [425, 'retry'],
  [500, 'retry'],
  [502, 'retry'],
  [503, 'retry'],
  [504, 'retry'],
  [300, 'fatal'],
  [304, 'fatal'],
  [400, 'fatal'],
  [401, 'fatal'],
  [402, 'fatal'],
  [403, 'fatal'],
  [404, 'fatal'],
  [410, 'fatal'],
  [418, 'fatal'],
  [999, 'fatal'],
])('status %d without rules is %s', (status, name) => expect(judge([], status).verdict.class).toBe(name))

test.each([
  ['retry', { class: 'retry', waitMs: 7000 }, undefined],
  ['wait', { class: 'throttled', waitMs: 7000 }, undefined],
  ['blocked', { class: 'blocked', waitMs: 7000 }, undefined],
  ['fail', { class: 'fatal' }, undefined],
  ['skip', { class: 'ok' }, 'skip'],
  ['gone', { class: 'ok' }, 'gone'],
  ['ok', { class: 'ok' }, undefined],
])('a rule with do: %s', (action, verdict, nothing) => {
  const judged = judge([{ when: 'body.code == 40202', do: action, after: '7s' }], 200, { code: 40202 })
  expect(judged.verdict).toMatchObject(verdict)
  expect(judged.nothing).toBe(nothing)
})

test('the first rule that holds counts; one that cannot be computed does not hold; then the status', () => {
  const rules = [
    { when: 'body.missing.code == 1', do: 'fail' },
    { when: 'status == 404 && headers["x-kind"] == "robot"', do: 'blocked' },
    { when: 'status == 404', do: 'gone' },
  ]
  expect(judge(rules, 404, 'text', { 'x-kind': 'robot' }).verdict.class).toBe('blocked')
  expect(judge(rules, 404, 'text').nothing).toBe('gone')
  expect(judge(rules, 500).verdict.class).toBe('retry')
})

test.each([
  ['body.refillIn', 200, { refillIn: 5000 }, 5000],
  ['body.refillIn', 429, { refillIn: 5000.5 }, 5000.5],
  ['body.tokensLeft > 0 ? null : body.refillIn', 200, { tokensLeft: 3, refillIn: 5000 }, undefined],
  ['body.refillIn', 200, { refillIn: 0 }, undefined],
  ['body.refillIn', 200, { refillIn: -5 }, undefined],
  ['body.refillIn', 200, { refillIn: 'soon' }, undefined],
  ['body.refillIn', 200, { refillIn: true }, undefined],
  ['body.refillIn', 500, '<html>', undefined],
  ['int(headers["x-wait"]) * 1000', 200, null, 7000],
])('the wait %s of an answer with status %d', (wait, status, body, holdMs) => {
  const { verdict } = createJudge([], wait)(response(status, { 'x-wait': '7' }), () => body)
  expect(verdict.holdMs).toBe(holdMs)
  expect(verdict.class).toBe(status === 200 ? 'ok' : status === 429 ? 'throttled' : 'retry')
})

test('I9: a verdict says nothing of the body', () => {
  expect(
    JSON.stringify(judge([{ when: 'body.code == "CANARY"', do: 'fail' }], 200, { code: 'CANARY' }).verdict),
  ).not.toContain('CANARY')
})
