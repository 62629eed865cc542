// Every error answer of a vendor has its outcome class: what is passing is tried again, what is gone is passed over, what is refused for good
// ends fetching. None of them makes a record, a dead letter or a cursor that skips something.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { haveSamples, samplesFolder } from '../../support/vendor-expectations.ts'
import { runVendor, type VendorRun, vendorServer } from '../../support/vendor-run.ts'

type Class = 'throttled' | 'retry' | 'blocked' | 'fatal' | 'gone' | 'skip'

const codes = { throttled: 'fetch.throttled', retry: 'fetch.status', blocked: 'fetch.blocked', fatal: 'fetch.fatal' }

function classOf({ failure, notices }: VendorRun): string {
  if (failure) return Object.entries(codes).find(([, code]) => code === failure.code)?.[0] ?? failure.code
  return /Nothing here \((\w+)/.exec(notices.join())?.[1] ?? 'ok'
}

interface Case {
  readonly sample: string
  readonly status: number
  readonly is: Class
  readonly headers?: Readonly<Record<string, string>>
}

const asins = ['B0WEIRTST1']
const key = { api_key: 'secret-of-the-test' }

const vendors: Readonly<Record<string, { config: Record<string, unknown>; schema?: string; cases: Case[] }>> = {
  rainforest: {
    config: { asins, ...key },
    cases: [
      { sample: 'rainforest/error_401.json', status: 401, is: 'fatal' },
      { sample: 'rainforest/error_402.json', status: 402, is: 'fatal' },
      { sample: 'rainforest/error_429.json', status: 429, is: 'throttled' },
      { sample: 'rainforest/error_503.json', status: 503, is: 'retry' },
      { sample: 'rainforest/error_503.json', status: 500, is: 'retry' },
      { sample: 'rainforest/error_503.json', status: 200, is: 'retry' },
    ],
  },
  dataforseo_asin: {
    config: { login: 'me', password: 'secret-of-the-test', asins },
    cases: [
      { sample: 'dataforseo/error_40100_unauthorized.json', status: 401, is: 'fatal' },
      { sample: 'dataforseo/error_40200_payment.json', status: 402, is: 'fatal' },
      { sample: 'dataforseo/error_40200_payment.json', status: 200, is: 'fatal' },
      { sample: 'dataforseo/error_40202_rate_limit.json', status: 200, is: 'throttled' },
      { sample: 'dataforseo/error_40209_concurrency.json', status: 200, is: 'throttled' },
      { sample: 'dataforseo/error_40400_not_found.json', status: 404, is: 'fatal' },
      { sample: 'dataforseo/error_40501_invalid_field.json', status: 200, is: 'fatal' },
      { sample: 'dataforseo/error_50000_internal.json', status: 500, is: 'retry' },
      { sample: 'dataforseo/error_50000_internal.json', status: 200, is: 'retry' },
      { sample: 'dataforseo/task_get_no_results.json', status: 200, is: 'gone' },
      { sample: 'dataforseo/task_get_not_found.json', status: 200, is: 'skip' },
      { sample: 'dataforseo/task_get_se_error.json', status: 200, is: 'skip' },
    ],
  },
  oxylabs: {
    config: { username: 'me', password: 'secret-of-the-test', asins },
    cases: [
      ...[400, 401, 403, 422].map(status => ({
        sample: `oxylabs/error_${status}.json`,
        status,
        is: 'fatal' as const,
      })),
      { sample: 'oxylabs/error_429.json', status: 429, is: 'throttled' },
      { sample: 'oxylabs/error_613.json', status: 613, is: 'retry' },
      { sample: 'oxylabs/error_613.json', status: 612, is: 'retry' },
      { sample: 'oxylabs/error_613.json', status: 524, is: 'retry' },
      { sample: 'oxylabs/product_result_404.json', status: 200, is: 'gone' },
    ],
  },
  outscraper: {
    config: { mode: 'sync', asins, ...key },
    cases: [
      { sample: 'outscraper/error_402.json', status: 402, is: 'fatal' },
      { sample: 'outscraper/error_body.json', status: 200, is: 'fatal' },
      { sample: 'outscraper/request_error.json', status: 200, is: 'retry' },
    ],
  },
  scrapehero: {
    config: { asins, ...key },
    cases: [
      { sample: 'scrapehero/error_401.json', status: 401, is: 'fatal' },
      { sample: 'scrapehero/error_404.json', status: 404, is: 'gone' },
      { sample: 'scrapehero/error_429.json', status: 429, is: 'throttled' },
    ],
  },
  keepa: {
    config: { asins, ...key },
    schema: 'schemas/product-signal.avsc',
    cases: [{ sample: 'keepa/error_429.json', status: 429, is: 'throttled' }],
  },
}

const all = Object.entries(vendors).flatMap(([vendor, { config, schema, cases }]) =>
  cases.map(each => ({ ...each, vendor, config, schema })),
)

describe.skipIf(!haveSamples)(haveSamples ? 'error answers' : 'error answers (skipped: no samples)', () => {
  test.each(all)('$vendor: $sample with status $status is $is', async ({ sample, status, is, headers, ...use }) => {
    const body = readFileSync(join(samplesFolder, sample))
    await using server = await vendorServer(() => ({ status, body, ...(headers ? { headers } : {}) }))
    const run = await runVendor({
      vendor: use.vendor,
      config: { ...use.config, base_url: server.url },
      ...(use.schema ? { schema: join(import.meta.dirname, '../../..', use.schema) } : {}),
    })
    expect({ class: classOf(run), records: run.records, refused: run.refused }).toEqual({
      class: is,
      records: [],
      refused: [],
    })
    expect(run.failure?.message ?? '').not.toContain('secret-of-the-test')
  })

  test('oxylabs: a page that was not parsed is one dead letter with its body', async () => {
    const body = readFileSync(join(samplesFolder, 'oxylabs/product_parse_failed.json'))
    await using server = await vendorServer(() => ({ body }))
    const { records, refused, failure } = await runVendor({
      vendor: 'oxylabs',
      config: { ...vendors['oxylabs']!.config, base_url: server.url },
    })
    expect({ records, failure }).toEqual({ records: [], failure: null })
    expect(refused.map(({ raw, code }) => [code, JSON.parse(raw).content.parse_status_code])).toEqual([
      ['source.item_shape', 12004],
    ])
  })
})
