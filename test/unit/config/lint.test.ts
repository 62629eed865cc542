import { afterAll, describe, expect, test } from 'vitest'
import { loadPipeline } from '../../../src/config/lint.ts'
import { DefinitionError, problemsOf } from '../../../src/config/problem.ts'
import { redact, Secret } from '../../../src/core/secret.ts'
import { brief, definitionFolder, pipelineText } from '../../support/definition-text.ts'
import { fakeCatalogue } from '../../support/fake-catalogue.ts'

const folder = definitionFolder()
afterAll(() => folder[Symbol.dispose]())

const lint = folder.lint
const http = (rest: string) => pipelineText({ source: `  http:\n    url: https://api.example.com/reviews\n${rest}` })
const configOf = (text: string, env: Record<string, string> = {}) =>
  lint(text, { env }).definition?.source.config as Record<string, never>

describe('a definition', () => {
  test('has every default filled in and every unit parsed', () => {
    const { definition, problems } = lint(pipelineText())
    expect(problems).toEqual([])
    expect(definition).toMatchObject({
      file: `${folder.path}/p.yaml`,
      baseDir: folder.path,
      pipeline: 'reviews',
      description: null,
      owner: null,
      source: {
        connector: 'file',
        config: { paths: ['data/reviews.jsonl'], format: 'ndjson', follow: false },
        schedule: null,
        concurrency: 4,
        provenance: true,
      },
      fetch: {
        timeout: 30_000,
        retry: { attempts: 5, backoff: { min: 4000, max: 10_000 }, retry_after_max: 900_000 },
        breaker: { failure_rate: 0.5, window: 20, open_for: 60_000 },
        rate_limit: { requests: 1, per: 1000 },
        max_body: 16 * 1024 * 1024,
        allow_private: [],
      },
      map: { review_id: 'this.id', rating: 'double(this.rating)' },
      topic: {
        name: 'reviews',
        key: null,
        schemaFile: `${folder.path}/review.avsc`,
        subject: 'reviews-value',
        partitions: 1,
        retentionMs: null,
        retentionBytes: null,
        maxRecordBytes: 1024 * 1024,
      },
      deadLetter: { topic: 'reviews_dlq', stopAfter: null, retentionMs: null },
      raw: null,
      consume: [],
      shutdownTimeoutMs: 8000,
    })
  })

  test('keeps what is written', () => {
    const { definition, problems } = lint(
      pipelineText({
        source:
          '  http: { url: "https://api.example.com/{{ split.asin }}", lookback: 1d }\n  every: 1h30m\n  concurrency: 2',
        topic: '  key: record.review_id\n  partitions: 6\n  retention: { time: 7d, size: 1gb }\n  max_record: 64kb',
        rest: [
          'dead_letter: { topic: bad, stop_after: { records: 1000, per: 1h }, retention: { time: 30d } }',
          'consume:',
          '  - group: low',
          '    start: latest',
          '    process: [{ filter: record.rating <= 2.0 }, { map: { id: record.review_id } }]',
          '    sink: { file: { path: low.jsonl } }',
          '    retry: { attempts: 2, backoff: { min: 1s } }',
          '    batch: { records: 10 }',
          'shutdown_timeout: 2s',
          'on_broker_down: spool',
        ].join('\n'),
      }),
    )
    expect(problems).toEqual([])
    expect(definition).toMatchObject({
      source: { config: { lookback: 86_400_000, records: 'body' }, schedule: { everyMs: 5_400_000 }, concurrency: 2 },
      topic: {
        key: 'record.review_id',
        partitions: 6,
        retentionMs: 604_800_000,
        retentionBytes: 1024 ** 3,
        maxRecordBytes: 65_536,
      },
      deadLetter: { topic: 'bad', stopAfter: { records: 1000, perMs: 3_600_000 }, retentionMs: 2_592_000_000 },
      consume: [
        {
          group: 'low',
          start: 'latest',
          outOfRange: 'stop',
          process: [{ filter: 'record.rating <= 2.0' }, { map: { id: 'record.review_id' } }],
          sink: { connector: 'file', config: { path: 'low.jsonl' } },
          retry: { attempts: 2, minMs: 1000, maxMs: 10_000 },
          batch: { records: 10, bytes: 4 * 1024 * 1024 },
        },
      ],
      shutdownTimeoutMs: 2000,
      onBrokerDown: 'spool',
    })
  })

  test('parts that are left empty mean their defaults', () => {
    const { definition, problems } = lint(pipelineText({ rest: 'fetch:\ndead_letter:\nconsume:' }))
    expect(problems).toEqual([])
    expect(definition?.fetch.timeout).toBe(30_000)
    const { definition: logging } = lint(pipelineText({ rest: 'consume:\n  - group: g\n    sink:\n      log:' }))
    expect(logging?.consume[0]?.sink).toEqual({ connector: 'log', config: {} })
  })

  test('a cron line is a schedule', () => {
    expect(lint(pipelineText({ source: '  pulse: {}\n  cron: "*/5 * * * *"' })).definition?.source.schedule).toEqual({
      cron: '*/5 * * * *',
    })
  })
})

describe('mistakes', () => {
  test('all of a file are reported at once, in its order', () => {
    const text = pipelineText({
      source: '  http: { url: ftp://x, lookback: soon }\n  evry: 5m',
      topic: '  partitions: 0',
      rest: 'ownr: me',
    })
    expect(brief(lint(text))).toEqual([
      'config.invalid 3:16',
      'config.invalid 3:35',
      'config.unknown_field 4:3',
      'config.invalid 8:15',
      'config.unknown_field 12:1',
    ])
  })

  test.each([
    ['a fifth level', { rest: 'fetch: { retry: { backoff: { mn: 1s } } }' }, 'Did you mean min?'],
    ['beside a connector', { source: '  file: { paths: [a] }\n  evrey: 5m' }, 'Did you mean every?'],
    ['a connector', { source: '  flie: { paths: [a] }' }, 'Did you mean file?'],
    ['a sink', { rest: 'consume:\n  - group: g\n    sink: { lag: {} }' }, 'Did you mean log?'],
    [
      'a choice',
      { rest: 'consume:\n  - group: g\n    start: earlyest\n    sink: { log: {} }' },
      'Did you mean earliest?',
    ],
    [
      'a field of a union',
      { source: '  http: { url: "https://x.example", paginate: { pgae: {} } }' },
      'Did you mean page?',
    ],
    [
      'a field below a union',
      { source: '  http: { url: "https://x.example", paginate: { page: { parm: a, param: b } } }' },
      'Did you mean param?',
    ],
  ])('%s is met with a suggestion', (_, parts, hint) => {
    const { problems } = lint(pipelineText(parts))
    expect(problems.map(p => p.hint)).toEqual([hint])
  })

  test('in a union only the branch that was meant is complained about', () => {
    const { problems } = lint(http('    auth: { basic: { username: bob } }'))
    expect(problems.map(p => p.message)).toEqual(['`basic` needs `password`: the password.'])
    expect(brief(lint(http('    auth: 5')))).toEqual(['config.invalid 5:11'])
    expect(lint(http('    auth: { bearer: "${A:-x}", basic: 1 }')).problems.map(p => p.code)).toContain(
      'config.unknown_field',
    )
  })

  test.each([
    ['no connector', '  every: 5m', 'config.missing_field 2:1'],
    ['two groups of the same name', undefined, 'config.conflict 13:12'],
    ['cron and every', '  file: { paths: [a] }\n  every: 5m\n  cron: "* * * * *"', 'config.conflict 5:3'],
    ['a cron that never comes', '  file: { paths: [a] }\n  cron: "0 0 30 2 *"', 'config.invalid 4:9'],
  ])('%s', (name, source, expected) => {
    const consumers = 'consume:\n  - group: g\n    sink: { log: {} }\n  - group: g\n    sink: { log: {} }'
    expect(brief(lint(pipelineText(source ? { source } : { rest: consumers }))), name).toEqual([expected])
  })

  test('a mapping is checked against the schema, with the place of the field', () => {
    const { problems } = lint(pipelineText({ map: '  review_id: this.id\n  rating: "\'good\'"\n  titel: this.t' }))
    expect(problems.map(p => [p.code, p.line])).toEqual([
      ['config.mapping', 9],
      ['config.mapping', 10],
    ])
    expect(lint(pipelineText({ map: '  review_id: this.id' })).problems.map(p => p.code)).toEqual(['config.mapping'])
  })

  test("a connector's own mapping is checked too, and the problem stands at the connector", () => {
    const { problems } = lint(pipelineText({ source: '  pulse: {}', map: '' }))
    expect(problems.filter(p => p.severity === 'error').map(p => [p.code, p.line, p.column])).toEqual([
      ['config.mapping', 3, 3],
    ])
  })

  test('an expression is compiled where it stands, with the variables it may use, and the caret stands in it', () => {
    expect(brief(lint(pipelineText({ topic: '  key: recrod.review_id' })))).toEqual(['config.expression 7:8'])
    const { problems } = lint(http('    records: body.items.nosuch(1)'))
    expect(problems.map(p => p.code)).toEqual(['config.expression'])
    expect(problems[0]!.column).toBeGreaterThan(13)
  })

  test('an error and a warning of a connector stand under its key', () => {
    const fussy = {
      ...fakeCatalogue,
      sources: {
        file: {
          ...fakeCatalogue.sources['file']!,
          lint: () => [{ severity: 'error', code: 'config.invalid', message: 'no', pointer: '/paths/0' } as const],
        },
      },
    }
    expect(brief(lint(pipelineText(), { catalogue: fussy }))).toEqual(['config.invalid 3:19'])
  })

  test('a connector whose lint throws is reported, never thrown', () => {
    const broken = {
      ...fakeCatalogue,
      sources: {
        file: {
          ...fakeCatalogue.sources['file']!,
          lint: () => {
            throw new Error('oops')
          },
        },
      },
    }
    expect(lint(pipelineText(), { catalogue: broken }).problems.map(p => p.code)).toEqual(['internal'])
  })

  test('names of the prototype are no connectors', () => {
    for (const name of ['toString', 'valueOf', 'hasOwnProperty'])
      expect(lint(pipelineText({ source: `  ${name}: {}` })).problems.map(p => p.message)).toEqual([
        `There is no connector \`${name}\`.`,
      ])
  })
})

describe('variables', () => {
  const env = { TOKEN: 'tok-en-value', PARTS: '6', FOLLOW: 'true', EVERY: '90s', NAME: 'from-env', WORD: 'free-text' }

  test('I9: a secret field gives a Secret, and its value is redacted from then on', () => {
    const config = configOf(http('    auth: { bearer: "${TOKEN}" }'), env)
    const { bearer } = config['auth'] as unknown as { bearer: Secret }
    expect(bearer).toBeInstanceOf(Secret)
    expect(bearer.reveal()).toBe('tok-en-value')
    expect(`${JSON.stringify(config)} ${String(bearer)}`).not.toContain('tok-en')
    expect(redact('Authorization: tok-en-value')).toBe('Authorization: ***')
  })

  test('a template with a variable is a Secret, one without is text; both parts are redacted', () => {
    const config = configOf(
      pipelineText({ source: '  http: { url: "https://x.example/{{ split.a }}?k=${TOKEN}" }' }),
      env,
    )
    expect((config['url'] as unknown as Secret).reveal()).toBe('https://x.example/{{ split.a }}?k=tok-en-value')
    expect(configOf(http(''))['url']).toBe('https://api.example.com/reviews')
  })

  test('numbers, booleans and units are read from the text of a variable', () => {
    const text = pipelineText({
      source: '  file: { paths: ["${NAME}.jsonl"], follow: "${FOLLOW}" }\n  every: ${EVERY}',
      topic: '  partitions: ${PARTS}\n  max_record: ${SIZE:-2mb}',
    })
    const { definition, problems } = lint(text, { env })
    expect(problems).toEqual([])
    expect(definition).toMatchObject({
      source: { config: { paths: ['from-env.jsonl'], follow: true }, schedule: { everyMs: 90_000 } },
      topic: { partitions: 6, maxRecordBytes: 2 * 1024 * 1024 },
    })
    expect(redact('90s true from-env')).toBe('90s true from-env')
  })

  test('free text from a variable is redacted; a default written in the file is not', () => {
    lint(pipelineText({ rest: 'description: ${WORD}\nowner: ${NOBODY:-plain-default}' }), { env })
    expect(redact('free-text plain-default')).toBe('*** plain-default')
  })

  test('I9: a wrong value from a variable is not shown', () => {
    const { problems } = lint(pipelineText({ topic: '  partitions: ${BAD}' }), { env: { BAD: 'canary-value' } })
    expect(problems.map(p => p.code)).toEqual(['config.invalid'])
    expect(JSON.stringify(problems)).not.toContain('canary-value')
  })

  test('an expression takes no variable, a template none inside {{ }}, and no value may bring {{', () => {
    expect(brief(lint(pipelineText({ topic: '  key: "record.${A}"' }), { env: { A: 'x' } }))).toEqual([
      'config.variable 7:8',
    ])
    for (const [url, A] of [
      ['https://x.example/{{ ${A} }}', 'x'],
      ['https://x.example/${A}', '{{ now }}'],
    ])
      expect(
        lint(pipelineText({ source: `  http: { url: "${url}" }` }), { env: { A: A! } }).problems.map(p => p.code),
      ).toEqual(['config.variable'])
  })

  test('a variable that is not set is one error and nothing follows from it; it can be a warning', () => {
    const text = pipelineText({ source: '  http: { url: "${URL}", lookback: "${LOOK}" }', topic: '  partitions: ${N}' })
    expect(lint(text).problems.map(p => p.message)).toEqual(
      ['URL', 'LOOK', 'N'].map(name => `The variable ${name} is not set.`),
    )
    const lenient = lint(text, { unsetVariables: 'warning' })
    expect(lenient.problems.map(p => p.severity)).toEqual(['warning', 'warning', 'warning'])
    expect(lenient.definition).toBeUndefined()
  })

  test('I9: a literal secret is a warning, an error when strict, hidden in every line shown', () => {
    const text = http(
      '    auth: { basic: { username: bob, password: hunter-two } }\n    headers: { X-Key: "also-literal", x: 5 }',
    )
    const { problems } = lint(text)
    expect(problems.map(p => [p.code, p.severity, p.line])).toEqual([
      ['config.warning', 'warning', 5],
      ['config.warning', 'warning', 6],
      ['config.invalid', 'error', 6],
    ])
    expect(JSON.stringify(problems)).not.toMatch(/hunter-two|also-literal/)
    expect(lint(text, { strict: true }).problems.every(p => p.severity === 'error')).toBe(true)
    expect(lint(http('    auth: { bearer: "literal-token" }')).definition).toBeDefined()
    expect(lint(http('    auth: { bearer: "literal-token" }'), { strict: true }).definition).toBeUndefined()
  })

  test('I9: a secret under a mistyped key is hidden', () => {
    const { problems } = lint(http('    auth: { basic: { username: bob, pasword: hunter-three } }'))
    expect(problems.length).toBe(2)
    expect(JSON.stringify(problems)).not.toContain('hunter-three')
  })
})

describe('loading', () => {
  const options = { catalogue: fakeCatalogue, env: {} }

  test('I12: a definition with an error is thrown with all that is wrong in it', () => {
    const file = folder.write('bad.yaml', pipelineText({ topic: '  partitions: 0', rest: 'ownr: x' }))
    try {
      loadPipeline(file, options)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(DefinitionError)
      expect(error).toMatchObject({ code: 'config.invalid', at: `${file}:7:15` })
      expect((error as Error).message).toContain('(and 1 more)')
      expect(problemsOf(new Error('x', { cause: error }))?.length).toBe(2)
    }
  })

  test('a good one is returned, its warnings told', () => {
    const file = folder.write('good.yaml', pipelineText({ source: '  pulse: {}' }))
    const warnings: string[] = []
    expect(loadPipeline(file, { ...options, warn: p => warnings.push(p.code) }).pipeline).toBe('reviews')
    expect(warnings).toEqual(['config.warning'])
  })

  test('a file that is not there is a problem with its name', () => {
    expect(() => loadPipeline(`${folder.path}/none.yaml`, options)).toThrow(
      expect.objectContaining({ code: 'config.unreadable', at: `${folder.path}/none.yaml:1:1` }),
    )
  })
})
