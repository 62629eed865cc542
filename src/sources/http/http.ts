// The `http` source: polls an API, one call a page. One engine out of small parts; a definition, and later a vendor's file, is its data.
import { decodeUtf8, parseJson } from '../../core/json-text.ts'
import type { Source } from '../../pipeline/ports.ts'
import { defineSource, type SourceDeps } from '../source.ts'
import { answerExpression } from './answer.ts'
import { createItemizer } from './items.ts'
import { createJudge } from './judge.ts'
import { lintHttp } from './lint.ts'
import { createPaginator } from './paginate.ts'
import { type Engine, readSplit } from './read.ts'
import { createRequestBuilder } from './request.ts'
import { type HttpConfig, httpSpec } from './spec.ts'
import { splitsOf } from './splits.ts'
import { describeState } from './state.ts'

export const http = defineSource({
  name: 'http',
  summary: 'Polls an HTTP API that answers with JSON, page by page.',
  config: httpSpec,
  replayable: true,
  examples: [
    {
      title: 'Newest first, pages by number, one split for each product',
      config: {
        for_each: { asin: ['B07FZ8S74R', 'B08N5WRWNW'] },
        request: {
          url: 'https://api.example.com/reviews',
          query: { asin: '{{ split.asin }}', sort: 'newest' },
          auth: { bearer: '${TOKEN}' },
        },
        records: 'body.reviews',
        paginate: { page: { param: 'page', first: 1, max: 50 } },
        cursor: { id: 'this.id', field: 'this.updated_at', order: 'desc', lookback: '1d' },
        errors: [{ when: 'status == 200 && body.code == 40202', do: 'wait' }],
      },
    },
    {
      title: 'Oldest first since the last poll, a token for the next page',
      config: {
        request: {
          url: 'https://api.example.com/changes',
          query: { since: '{{ cursor }}' },
          auth: { api_key: { header: 'X-API-KEY', value: '${API_KEY}' } },
        },
        records: 'body.items',
        paginate: { token: { param: 'page_token', from: 'body.next_page_token' } },
        cursor: { id: 'this.id', field: 'this.changed', order: 'asc' },
      },
    },
    {
      title: 'A list without order: ids seen are remembered',
      config: {
        request: { url: 'https://api.example.com/top-reviews' },
        records: 'body.top_reviews',
        cursor: { mode: 'membership', id: 'this.id', version: 'this.title + this.text' },
      },
    },
  ],
  lint: lintHttp,
  open: openHttp,
})

function openHttp(config: HttpConfig, deps: SourceDeps): Source {
  const engine: Engine = {
    config,
    pipeline: deps.pipeline,
    clock: deps.clock,
    emit: deps.emit,
    fetch: deps.fetch,
    builder: createRequestBuilder(config),
    paginator: createPaginator(config.paginate),
    judge: createJudge(config.errors),
    records: answerExpression(config.records),
    itemizer: createItemizer(config.cursor, config.max_item),
  }
  return {
    endless: false,
    splits: () => splitsOf(config.for_each, deps.baseDir),
    read: (split, cursor, signal) => readSplit(engine, split, cursor, signal),
    reparse: raw => [parseJson(decodeUtf8(raw))],
    describeCursor: describeState,
    async [Symbol.asyncDispose]() {},
  }
}
