// The `fetch:` part of a pipeline: how every call over the network is wrapped. One description gives type, check, docs and editor schema.
import { duration, fields, type Static, share, size, Type } from '../core/spec.ts'

export const fetchSpec = fields(
  {
    timeout: duration({
      description: 'Deadline of one call, from the first byte sent to the last byte read.',
      default: '30s',
      min: 100,
      max: 600_000,
    }),
    retry: fields(
      {
        attempts: Type.Integer({
          description: 'Calls in all, the first included.',
          default: 5,
          minimum: 1,
          maximum: 20,
        }),
        backoff: fields(
          {
            min: duration({ description: 'Longest first wait; later ones double.', default: '4s', min: 1 }),
            max: duration({
              description: 'No wait is longer, unless the source asks for more.',
              default: '10s',
              min: 1,
            }),
          },
          'Exponential waits with full jitter; Retry-After wins.',
        ),
        retry_after_max: duration({ description: 'The longest Retry-After that is honoured.', default: '15m', min: 0 }),
      },
      'Repeats a call that failed in passing.',
    ),
    breaker: fields(
      {
        failure_rate: share({
          description: 'Share of failed calls at which the breaker opens.',
          default: '50%',
          min: 0.01,
        }),
        window: Type.Integer({
          description: 'Calls needed before the share counts.',
          default: 20,
          minimum: 1,
          maximum: 1000,
        }),
        open_for: duration({
          description: 'Time without calls before one probe is let through.',
          default: '60s',
          min: 10,
        }),
      },
      'Stops calling a host that keeps failing.',
    ),
    rate_limit: fields(
      {
        requests: Type.Integer({
          description: 'Calls allowed in each period, per host.',
          default: 1,
          minimum: 1,
          maximum: 100_000,
        }),
        per: duration({ description: 'The period.', default: '1s', min: 1 }),
        budget: Type.Optional(
          fields(
            {
              requests: Type.Integer({
                description: 'Calls allowed in any period of this length, wherever it begins.',
                minimum: 1,
                maximum: 1_000_000_000,
              }),
              per: duration({ description: 'The period.', default: '1d', min: 1000 }),
            },
            'A quota over a longer time, per host: calls go as fast as the line above says until it is used up, then they wait. All pipelines of the process count; a restart begins anew.',
          ),
        ),
        learn: Type.Boolean({
          description:
            'Obeys the limits that answers name in their headers (RateLimit, X-RateLimit-*, x-amzn-RateLimit-Limit): no calls while nothing is left, for `retry_after_max` at most.',
          default: true,
        }),
      },
      'Spaces calls to a host, for all pipelines of the process together.',
    ),
    max_body: size({ description: 'Largest body accepted, after decompression.', default: '16mb', min: 1 }),
    allow_private: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      description: 'Private address ranges (CIDR) that may be called; all others are refused.',
      default: [],
      maxItems: 32,
    }),
  },
  'How every call over the network is wrapped.',
)

/** Durations in milliseconds, sizes in bytes; every default is filled in. */
export type FetchSettings = Static<typeof fetchSpec>
