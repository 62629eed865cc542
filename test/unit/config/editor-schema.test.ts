import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { pipelineJsonSchema, workspaceJsonSchema } from '../../../src/config/editor-schema.ts'
import { pipelineText } from '../../support/definition-text.ts'
import { fakeCatalogue } from '../../support/fake-catalogue.ts'

// As an editor does: plain draft-07, and words it does not know are an error here.
const validate = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false }).compile(
  pipelineJsonSchema(fakeCatalogue),
)
const valid = (text: string) => validate(parse(text))

describe('the schema for editors', () => {
  test('takes what the loader takes', () => {
    expect(valid(pipelineText())).toBe(true)
    expect(
      valid(
        pipelineText({
          source: '  http: { url: "https://x", auth: { bearer: "${T}" } }\n  every: 5m',
          rest: 'consume:\n  - group: g\n    sink:\n      log:',
        }),
      ),
    ).toBe(true)
  })

  test('takes a variable where a number, a unit or a name is expected, none in an expression', () => {
    expect(
      valid(pipelineText({ topic: '  partitions: ${N}\n  max_record: ${S:-1mb}', rest: 'fetch: { timeout: "${T}" }' })),
    ).toBe(true)
    expect(valid(pipelineText({ topic: '  partitions: many' }))).toBe(false)
  })

  test.each([
    ['an unknown field', pipelineText({ rest: 'ownr: x' })],
    ['an unknown connector', pipelineText({ source: '  nosuch: {}' })],
    ['two connectors', pipelineText({ source: '  pulse: {}\n  file: { paths: [a] }' })],
    ['no connector', pipelineText({ source: '  every: 5m' })],
    ['an unknown field of a connector', pipelineText({ source: '  file: { paths: [a], folow: true }' })],
    ['a connector without what it needs', pipelineText({ source: '  file: {}' })],
    ['a duration without unit', pipelineText({ source: '  pulse: {}\n  every: 5' })],
  ])('refuses %s', (_, text) => {
    expect(valid(text)).toBe(false)
  })

  test('every field says what it is', () => {
    const silent: string[] = []
    const visit = (schema: Record<string, unknown>, at: string) => {
      for (const [name, field] of Object.entries(
        (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>,
      )) {
        if (typeof field['description'] !== 'string' && !field['anyOf'] && !field['properties'])
          silent.push(`${at}/${name}`)
        visit(field, `${at}/${name}`)
        if (field['items']) visit(field['items'] as Record<string, unknown>, `${at}/${name}`)
      }
    }
    visit(pipelineJsonSchema({ sources: {}, sinks: {} }), '')
    visit(workspaceJsonSchema(), '')
    expect(silent).toEqual([])
  })

  test('holds none of our own words and is the same each time', () => {
    const text = JSON.stringify(pipelineJsonSchema(fakeCatalogue))
    expect(text).not.toMatch(/"weir[A-Z]?\w*":|"~/)
    expect(JSON.stringify(pipelineJsonSchema(fakeCatalogue))).toBe(text)
  })
})
