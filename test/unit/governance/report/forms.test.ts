// Each form of a report: as it is meant to look, and safe whatever a schema says.

import { join } from 'node:path'
import { Ajv } from 'ajv'
import { parseDocument } from 'htmlparser2'
import { describe, expect, test } from 'vitest'
import { reviewJsonSchema } from '../../../../src/governance/report/json-schema.ts'
import { type ReportFormat, renderReport, reportFormats } from '../../../../src/governance/report/render.ts'
import { reportOf } from '../../../../src/governance/report/words.ts'
import type { Report } from '../../../../src/governance/review.ts'
import { rules } from '../../../../src/governance/rules.ts'
import { baseText, changed, plainPolicy, ratingLine, reviewOf } from '../../../support/review-scene.ts'

const plain = (_style: string, text: string) => text
const render = (report: Report, format: ReportFormat) =>
  renderReport(report, format, { paint: plain, width: 100, version: '1.2.3' })

const candidate = changed(
  [
    ratingLine,
    '    {"name": "rating", "type": "int", "doc": "Stars, from 1 to 5."},\n    {"name": "reviewer_email", "type": ["null", "string"], "default": null, "doc": "Mail."},\n',
  ],
  ['"name": "review_text"', '"name": "body_text"'],
  ['"scale": 2', '"scale": 3'],
)

const full = reportOf(
  [
    reviewOf(candidate, [baseText], {
      waivers: [
        {
          index: 0,
          rule: 'silent.decimal-scale',
          subject: '*',
          path: 'Review.price',
          owner: 'anna',
          reason: 'No data yet.',
          until: '2026-12-31',
        },
      ],
      lookup: { found: null, latest: 1, normalized: null },
      policy: { ...plainPolicy, pii: { tags: ['PII'], names: ['*email*'], values: [] } },
      evidence: {
        consumers: [
          {
            pipeline: 'low-ratings',
            file: 'pipelines/low.yaml',
            group: 'low',
            sink: 'log',
            fields: ['rating', 'price'],
            touched: ['rating', 'price'],
            affected: true,
          },
          {
            pipeline: 'archive',
            file: 'pipelines/archive.yaml',
            group: 'archive',
            sink: 'file',
            fields: null,
            touched: [],
            affected: true,
          },
          {
            pipeline: 'ids',
            file: 'pipelines/ids.yaml',
            group: 'ids',
            sink: 'topic',
            fields: ['review_id'],
            touched: [],
            affected: false,
          },
        ],
        data: {
          topic: 'raw_reviews',
          records: 10_000,
          retained: 25_000,
          tombstones: 3,
          failed: 37,
          failures: [
            { partition: 0, offset: '17', message: 'int cannot hold a fraction' },
            { partition: 2, offset: '5', message: 'int cannot hold a fraction' },
          ],
          damaged: { records: 1, first: [{ partition: 1, offset: '9', message: 'the value has 2 bytes' }] },
          lost: [{ field: 'Review.review_text', records: 9_000 }],
          refused: [{ id: 101, version: 1, records: 9000, message: 'cannot read "double" as "int"' }],
          readers: [
            { version: 1, records: 24, failed: 24, message: 'Review.rating: int was written, and string is read' },
            { version: 2, records: 24, failed: 0, message: null },
          ],
          deadLetters: {
            topic: 'raw_reviews_dlq',
            letters: 12,
            records: 2,
            failed: 1,
            failures: [{ partition: 0, offset: '4', message: 'int cannot hold a fraction' }],
          },
          changed: [{ field: 'Review.price', records: 9981, example: { before: '12.34', after: '1.234' } }],
          ids: [
            { id: 101, version: 1, records: 9000 },
            { id: 7, version: null, records: 1000 },
          ],
        },
      },
    }),
    reviewOf(baseText, [baseText]),
  ],
  [
    {
      subject: 'bad-value',
      file: 'schemas/bad.avsc',
      findings: [
        {
          rule: 'schema.invalid',
          severity: 'error',
          message: 'The default does not fit.',
          pointer: '/fields/0',
          field: null,
          place: { file: 'schemas/bad.avsc', line: 3, column: 4 },
          hint: 'Change it.',
          waivedBy: null,
        },
      ],
    },
  ],
)

const extension: Record<ReportFormat, string> = {
  text: 'txt',
  markdown: 'md',
  json: 'json',
  junit: 'xml',
  sarif: 'sarif',
  github: 'github.txt',
  gitlab: 'gitlab.json',
  html: 'html',
}

test.each(reportFormats)('%s looks as it is meant to', async format => {
  await expect(render(full, format)).toMatchFileSnapshot(
    join(import.meta.dirname, `../../../data/expected/review.${extension[format]}`),
  )
})

// What an attacker would write into a schema, wherever text is free, and through Avro's names where a lax registry let them pass.
const evil =
  '\u001b[31m\u0000\u202e::error file=x::pwned\n::warning::second\r</code></pre><script>alert(1)</script>" onload=x `code` | cell | **bold** [link](http://evil.example) @everyone ]]> &amp; \ud800'
const evilJson = JSON.stringify(evil)
const evilCandidate = changed(
  ['"doc": "A review."', `"doc": ${evilJson}`],
  [ratingLine, `    {"name": "lang", "type": "string", "doc": ${evilJson}, "x": ${evilJson}, "aliases": ["a"]},\n`],
)
const evilReview = reviewOf(evilCandidate, [baseText], {
  file: `schemas/${evil}.avsc`,
  policy: { ...plainPolicy, subject: evil, owner: evil },
  waivers: [{ index: 0, rule: 'silent.*', subject: '*', path: null, owner: evil, reason: evil, until: '2027-01-01' }],
  lookup: { found: null, latest: 1, normalized: evil },
  evidence: {
    consumers: [
      { pipeline: evil, file: evil, group: evil, sink: evil, fields: [evil], touched: [evil], affected: true },
    ],
    data: {
      topic: evil,
      records: 1,
      retained: 2,
      tombstones: 0,
      failed: 1,
      failures: [{ partition: 0, offset: evil, message: evil }],
      damaged: { records: 1, first: [{ partition: 0, offset: evil, message: evil }] },
      lost: [{ field: evil, records: 1 }],
      refused: [{ id: 1, version: null, records: 1, message: evil }],
      readers: [{ version: 1, records: 1, failed: 1, message: evil }],
      deadLetters: {
        topic: evil,
        letters: 1,
        records: 1,
        failed: 1,
        failures: [{ partition: 0, offset: evil, message: evil }],
      },
      changed: [{ field: evil, records: 1, example: { before: evil, after: evil } }],
      ids: [],
    },
    examples: [
      {
        direction: 'old-by-new',
        from: evil,
        error: evil,
        fields: [{ field: evil, before: evil, after: evil, mark: 'changed' }],
      },
    ],
  },
})
const hostile = reportOf(
  [
    {
      ...evilReview,
      findings: [
        ...evilReview.findings,
        {
          rule: evil,
          severity: 'warning',
          message: evil,
          pointer: evil,
          field: evil,
          place: { file: evil, line: 1, column: 1 },
          hint: evil,
          waivedBy: null,
        },
      ],
    },
  ],
  [
    {
      subject: evil,
      file: evil,
      findings: [
        {
          rule: evil,
          severity: 'error',
          message: evil,
          pointer: '',
          field: evil,
          place: { file: evil, line: 1, column: 1 },
          hint: evil,
          waivedBy: null,
        },
      ],
    },
  ],
)

describe('hostile text', () => {
  test.each(reportFormats)('%s has no character that acts', format => {
    expect(render(hostile, format)).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Cs}/u,
    )
  })

  test('in annotations: one command a line, and nothing else', () => {
    const lines = render(hostile, 'github').trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines) {
      expect(line).toMatch(/^::(error|warning|notice) /)
      const [, properties] = /^::\w+ (.*?)::/.exec(line)!
      expect(properties!.split(',').map(each => each.split('=')[0])).toEqual(['file', 'line', 'col', 'title'])
    }
  })

  test('in HTML: no element and no attribute that is not ours', () => {
    const page = render(hostile, 'html')
    expect(page).not.toMatch(/<script|onload=x(?!&| )|<\/code><\/pre><script/i)
    const names = new Set<string>()
    const attributes = new Set<string>()
    const visit = (node: { name?: string; attribs?: Record<string, string>; children?: unknown[] }) => {
      if (node.name) names.add(node.name)
      for (const name of Object.keys(node.attribs ?? {})) attributes.add(name)
      for (const child of node.children ?? []) visit(child as typeof node)
    }
    visit(parseDocument(page) as unknown as Parameters<typeof visit>[0])
    expect([...names].filter(name => /script|img|iframe|link|object|form|base/.test(name))).toEqual([])
    expect([...attributes].filter(name => name.startsWith('on') || name === 'src' || name === 'style')).toEqual([])
  })

  test('in Markdown: no HTML but ours, no link, no mention, no cell that was not there', () => {
    const text = render(hostile, 'markdown')
    const outside = text.replace(/(`+)(?:(?!\1).)*\1/g, '')
    expect(outside.match(/<(?!\/?(?:details|summary|br)\b)/g)).toBeNull()
    expect(outside).not.toMatch(/(?<!\\)\]\(|@everyone|:\/\//)
    for (const rows of text.matchAll(/(?:^\|.*\|\n)+/gm)) {
      const widths = rows[0]
        .trimEnd()
        .split('\n')
        .map(row => row.replaceAll('\\|', '').split('|').length)
      expect(new Set(widths).size).toBe(1)
    }
  })

  test('in XML: well-formed', () => {
    const xml = render(hostile, 'junit')
    expect(xml).not.toMatch(/<script|]]>(?!&)/)
    expect(xml.match(/&(?!amp;|lt;|gt;|quot;|apos;)/g)).toBeNull()
  })

  test('in JSON and SARIF: JSON', () => {
    for (const format of ['json', 'sarif', 'gitlab'] as const)
      expect(() => JSON.parse(render(hostile, format))).not.toThrow()
  })
})

test('JUnit counts its suites, cases and failures', () => {
  const document = parseDocument(render(full, 'junit'), { xmlMode: true })
  const all = (name: string, node: unknown = document): { attribs: Record<string, string> }[] => {
    const { children = [], name: own } = node as { children?: unknown[]; name?: string }
    return [
      ...(own === name ? [node as { attribs: Record<string, string> }] : []),
      ...children.flatMap(child => all(name, child)),
    ]
  }
  const [root] = all('testsuites')
  expect(root!.attribs).toMatchObject({
    tests: String(all('testcase').length),
    failures: String(all('failure').length),
    errors: '0',
  })
  expect(all('testsuite').map(each => each.attribs['name'])).toEqual(['bad-value', 'reviews-value', 'reviews-value'])
  expect(all('testcase').every(each => each.attribs['classname'] && each.attribs['name'])).toBe(true)
  expect(all('failure')).toHaveLength(2)
})

test.each([
  ['a full report', full],
  ['a hostile one', hostile],
  ['an empty one', reportOf([], [])],
])('the JSON form of %s is as schemas/weir/review.schema.json says', (_name, report) => {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(reviewJsonSchema())
  expect(validate(JSON.parse(render(report, 'json'))) ? [] : validate.errors).toEqual([])
})

/** The parts of the SARIF 2.1.0 schema that are used, as the standard requires them. */
const sarifShape = {
  type: 'object',
  required: ['version', 'runs'],
  properties: {
    version: { const: '2.1.0' },
    $schema: { type: 'string' },
    runs: {
      type: 'array',
      items: {
        type: 'object',
        required: ['tool'],
        additionalProperties: false,
        properties: {
          columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
          tool: {
            type: 'object',
            required: ['driver'],
            properties: {
              driver: {
                type: 'object',
                required: ['name'],
                properties: {
                  rules: {
                    type: 'array',
                    uniqueItems: true,
                    items: {
                      type: 'object',
                      required: ['id'],
                      properties: { id: { type: 'string' }, shortDescription: { type: 'object', required: ['text'] } },
                    },
                  },
                },
              },
            },
          },
          results: {
            type: 'array',
            items: {
              type: 'object',
              required: ['message'],
              additionalProperties: false,
              properties: {
                ruleId: { type: 'string' },
                ruleIndex: { type: 'integer', minimum: 0 },
                level: { enum: ['none', 'note', 'warning', 'error'] },
                message: { type: 'object', required: ['text'], properties: { text: { type: 'string', minLength: 1 } } },
                locations: {
                  type: 'array',
                  items: {
                    type: 'object',
                    properties: {
                      physicalLocation: {
                        type: 'object',
                        properties: {
                          artifactLocation: {
                            type: 'object',
                            properties: { uri: { type: 'string', pattern: "^[A-Za-z0-9._~%!$&'()*+,;=:@/-]*$" } },
                          },
                          region: {
                            type: 'object',
                            properties: {
                              startLine: { type: 'integer', minimum: 1 },
                              startColumn: { type: 'integer', minimum: 1 },
                            },
                          },
                        },
                      },
                      logicalLocations: { type: 'array' },
                    },
                  },
                },
                partialFingerprints: { type: 'object', additionalProperties: { type: 'string' } },
                suppressions: {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['kind'],
                    properties: {
                      kind: { enum: ['inSource', 'external'] },
                      status: { enum: ['accepted', 'underReview', 'rejected'] },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
}

test.each([
  ['of a full report', full],
  ['of a hostile one', hostile],
])('SARIF %s has the shape of the standard, and each result its rule', (_name, report) => {
  const log = JSON.parse(render(report, 'sarif'))
  const validate = new Ajv({ allErrors: true }).compile(sarifShape)
  expect(validate(log) ? [] : validate.errors).toEqual([])
  const [{ tool, results }] = log.runs
  for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex].id).toBe(ruleId)
})

test('what SARIF calls two issues are two, and each rule is one that is known', () => {
  const [{ results }] = JSON.parse(render(full, 'sarif')).runs
  expect(
    new Set(results.map((each: { partialFingerprints: object }) => JSON.stringify(each.partialFingerprints))).size,
  ).toBe(results.length)
  expect(results.map((each: { ruleId: string }) => each.ruleId).filter((rule: string) => !(rule in rules))).toEqual([])
})

test('a waived issue is suppressed in SARIF, told in JUnit and no annotation', () => {
  const suppressed = JSON.parse(render(full, 'sarif')).runs[0].results.filter(
    (each: { suppressions?: unknown }) => each.suppressions,
  )
  expect(suppressed).toMatchObject([
    { ruleId: 'silent.decimal-scale', suppressions: [{ justification: 'No data yet. (anna, until 2026-12-31)' }] },
  ])
  expect(render(full, 'junit')).toContain('waived: silent.decimal-scale')
  expect(render(full, 'github')).not.toContain('silent.decimal-scale')
})

test('Code Quality of GitLab: what it must have, of each issue that is not waived', () => {
  const issues = JSON.parse(render(full, 'gitlab'))
  expect(issues).toHaveLength(6)
  for (const issue of issues)
    expect(issue).toEqual({
      description: expect.stringMatching(/./),
      check_name: expect.stringMatching(/^[a-z]+\.\S+$/),
      fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      severity: expect.stringMatching(/^(info|minor|critical)$/),
      location: { path: expect.stringMatching(/^schemas\//), lines: { begin: expect.any(Number) } },
    })
})

test('what is the same for several subjects of one file is told once', () => {
  const under = (subject: string) => reviewOf(candidate, [baseText], { policy: { ...plainPolicy, subject } })
  const lines = (...subjects: string[]) =>
    render(reportOf(subjects.map(under), []), 'github')
      .trimEnd()
      .split('\n')
  expect(lines('a', 'b', 'c', 'd', 'e')).toHaveLength(lines('a').length)
  expect(lines('a', 'b')[0]).toContain('title=a%2C b%3A compatibility.TYPE_MISMATCH')
  expect(lines('a', 'b', 'c', 'd', 'e')[0]).toContain('title=a%2C b%2C c and 2 more%3A')
})

test('a Markdown report fits a comment, whatever it says', () => {
  const many = reportOf(
    Array.from({ length: 40 }, (_, i) => reviewOf(candidate, [baseText], { file: `schemas/review-${i}.avsc` })),
    [],
  )
  const text = render(many, 'markdown')
  expect(text.length).toBeLessThan(65_536)
  expect(text).toContain('longer than a comment takes')
  expect(text.split('<details>').length).toBe(text.split('</details>').length)
})

test('the page needs nothing from anywhere', () => {
  const page = render(full, 'html')
  expect(page).not.toMatch(/<(script|link|img|iframe)\b|@import|url\(/)
  expect(page).toContain("default-src 'none'")
})
