// The `http` source: polls an API, one call a page. One engine out of small parts; a definition, and later a vendor's file, is its data.
import type { Source } from '../../pipeline/ports.ts'
import { defineSource, type SourceDeps } from '../source.ts'
import { claimOf } from './claim.ts'
import { createEngine } from './engine.ts'
import { lintHttp } from './lint.ts'
import { createLists } from './list.ts'
import { reread } from './raw.ts'
import { readSplit } from './read.ts'
import { type HttpConfig, httpSpec } from './spec.ts'
import { splitsOf } from './splits.ts'
import { describeState } from './state.ts'

export const http = defineSource({
  name: 'http',
  summary: 'Polls an HTTP API or a site, page by page: JSON, rows of CSV or TSV, or HTML by CSS selectors.',
  config: httpSpec,
  replayable: true,
  claim: claimOf,
  keepsRaw: ({ cursor }) =>
    cursor === undefined ? 'it has no `cursor`, so its items have no identity to know them again by' : null,
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
    {
      title: 'The items of a page, by CSS selectors, as its robots.txt allows',
      config: {
        for_each: { product: ['kettle', 'lamp'] },
        request: { url: 'https://shop.example.com/p/{{ split.product }}/reviews' },
        robots: { agent: 'my-company-reviews (ops@example.com)' },
        decode: 'html',
        html: {
          require: ['#reviews', '.no-reviews'],
          item: 'article.review',
          fields: {
            id: { attr: 'id' },
            stars: { css: '.stars', attr: 'title' },
            title: { css: ['h3', '.title'], exclude: '.badge' },
            text: '.body',
            verified: { css: '.verified', exists: true },
            pictures: { css: 'img.picture', attr: 'src', all: true },
          },
          page: { wall: { css: 'form[action*="captcha"]', exists: true } },
        },
        errors: [{ when: 'body.page.wall', do: 'blocked' }],
        cursor: { mode: 'membership', id: 'this.id' },
      },
    },
    {
      title: 'A vendor that answers later: a job is submitted, asked for until it is ready, and never paid for twice',
      config: {
        for_each: { asin: ['B07FZ8S74R'] },
        job: {
          submit: {
            method: 'POST',
            url: 'https://api.example.com/jobs',
            body: { asin: '{{ split.asin }}', tag: '{{ job.tag }}' },
            auth: { bearer: '${TOKEN}' },
          },
          id: 'body.id',
          poll: {
            request: { url: 'https://api.example.com/jobs/{{ job.id }}', auth: { bearer: '${TOKEN}' } },
            ready: 'body.status == "done"',
            failed: 'body.status == "failed"',
            every: '10s',
            give_up_after: '10m',
          },
          find: {
            request: {
              url: 'https://api.example.com/jobs',
              query: { tag: '{{ job.tag }}' },
              auth: { bearer: '${TOKEN}' },
            },
            id: 'body.jobs.map(j, j.id)',
          },
        },
        request: { url: 'https://api.example.com/jobs/{{ job.id }}/result', auth: { bearer: '${TOKEN}' } },
        records: 'body.reviews',
        cursor: { mode: 'membership', id: 'this.id' },
        errors: [{ when: 'status == 202 && job.id != null', do: 'pending' }],
      },
    },
    {
      title: 'Splits from another request, and only what has changed',
      config: {
        for_each: {
          asin: {
            request: { url: 'https://api.example.com/watchlist' },
            values: 'body.products.map(p, p.asin)',
            every: '10m',
          },
        },
        request: { url: 'https://api.example.com/products/{{ split.asin }}/reviews' },
        records: 'body.reviews',
        conditional: true,
        cursor: { mode: 'membership', id: 'this.id' },
      },
    },
    {
      title: "An OAuth2 token in a header of the vendor's own form, and limits told in the answer",
      config: {
        request: {
          method: 'POST',
          url: 'https://api.example.com/catalog/items',
          body: { itemIds: ['B07FZ8S74R'] },
          auth: {
            oauth2: {
              token_url: 'https://auth.example.com/oauth2/token',
              client_id: '${CLIENT_ID}',
              client_secret: '${CLIENT_SECRET}',
              scope: 'catalog/default',
              authorization: 'Bearer {{ token }}, Version 2.1',
            },
          },
        },
        records: 'body.items',
        cursor: { mode: 'membership', id: 'this.id', version: 'string(this.count)' },
        limits: { wait: 'body.tokensLeft <= 0 ? body.refillIn : 0' },
      },
    },
    {
      title: 'An API of AWS, signed with Signature Version 4',
      config: {
        request: {
          method: 'POST',
          url: 'https://webservices.example.com/paapi5/getitems',
          headers: { 'content-encoding': 'amz-1.0', 'x-amz-target': 'com.example.v1.GetItems' },
          body: { ItemIds: ['B07FZ8S74R'] },
          auth: {
            sigv4: {
              access_key: '${AWS_ACCESS_KEY_ID}',
              secret_key: '${AWS_SECRET_ACCESS_KEY}',
              region: 'us-east-1',
              service: 'ProductAdvertisingAPI',
            },
          },
        },
        records: 'body.ItemsResult.Items',
        cursor: { mode: 'membership', id: 'this.ASIN' },
      },
    },
    {
      title: 'Requests signed with a shared secret',
      config: {
        request: {
          url: 'https://api.example.com/reviews',
          auth: {
            hmac: {
              secret: '${SIGNING_SECRET}',
              header: 'x-signature',
              timestamp_header: 'x-timestamp',
              sign: '{{ timestamp }}.{{ method }}.{{ path }}?{{ query }}',
            },
          },
        },
        records: 'body.reviews',
        cursor: { id: 'this.id', field: 'this.updated_at', order: 'desc' },
      },
    },
  ],
  lint: lintHttp,
  deletedId: ({ cursor }) => (cursor?.deletes === 'tombstone' ? cursor.id : undefined),
  open: openHttp,
})

function openHttp(config: HttpConfig, deps: SourceDeps): Source {
  const engine = createEngine(config, deps)
  const listed = createLists(engine)
  return {
    endless: false,
    splits: signal => splitsOf(config.for_each, deps.baseDir, (name, vars) => listed(name, vars, signal)),
    read: (split, cursor, signal) => readSplit(engine, split, cursor, signal),
    reparse: (raw, context) => [engine.decoder.reparse(raw, context)],
    reread: (page, split) => reread(engine, page, split),
    describeCursor: describeState,
    [Symbol.asyncDispose]: () => engine.decoder[Symbol.asyncDispose](),
  }
}
