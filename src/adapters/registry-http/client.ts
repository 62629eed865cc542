// The questions a registry answers. Paths, encoding and content types are those of @kafkajs/confluent-schema-registry's api client, the
// layer below its SchemaRegistry class. The class itself cannot keep the port's promises: its `register` reads and writes the subject's
// level and needs an answer that not every registry gives, its schemas are avsc types, which not every valid schema becomes, and it drops
// the error codes. One part of the api client is replaced too, through its own `middlewares`: what carries a request. The one it brings
// has no deadline for a whole answer and no cap on its size, never settles when an answer breaks off, and dies of an error without a body.
import api from '@kafkajs/confluent-schema-registry/dist/api/index.js'
import { codeOf } from '../../core/errors.ts'
import { mayPass, type Reply, replyOf } from './answers.ts'
import type { HttpRegistryOptions } from './options.ts'
import { type Answer, openTransport, type RegistryRequest } from './transport.ts'

/** How much one question may cost: the deadline covers all tries. */
export interface Effort {
  readonly timeoutMs: number
  readonly tries: number
}

const resources = {
  schema: ['Schema', 'find'],
  subjects: ['Subject', 'all'],
  versions: ['Subject', 'all', '/subjects/{subject}/versions'],
  allVersions: ['Subject', 'all', '/subjects/{subject}/versions?deleted=true'],
  latest: ['Subject', 'latestVersion'],
  version: ['Subject', 'version'],
  lookup: ['Subject', 'registered'],
  register: ['Subject', 'register'],
  check: ['Subject', 'compatible'],
  level: ['Subject', 'config'],
  globalLevel: ['Subject', 'config', '/config'],
  setLevel: ['Subject', 'updateConfig'],
  setGlobalLevel: ['Subject', 'updateConfig', '/config'],
} as const
export type Question = keyof typeof resources

type Ask = (parameters: object, context: { readonly effort: Effort }) => Promise<Answer>
type Middleware = NonNullable<Parameters<typeof api.default>[0]['middlewares']>[number]
type ApiRequest = Parameters<NonNullable<ReturnType<Middleware>['response']>>[2]

/** A CommonJS module: some loaders give its default export itself, Node what holds it. */
const createApi = (api.default ?? api) as typeof api.default
const tries = 3
const firstWaitMs = 100

export class RegistryClient implements AsyncDisposable {
  /** The address for messages: no credentials, no query. */
  readonly place: string
  /** True after a question that nobody answered, until one is answered. */
  away = false
  /** When the registry was last found back, on the monotonic clock. */
  backAtMs = Number.NEGATIVE_INFINITY
  readonly #options: HttpRegistryOptions
  readonly #transport: ReturnType<typeof openTransport>
  readonly #api: Record<'Schema' | 'Subject', Record<string, Ask>>

  constructor(options: HttpRegistryOptions) {
    const { origin, pathname } = new URL(options.url)
    this.#options = options
    this.place = `${origin}${pathname}`.replace(/\/+$/, '')
    this.#transport = openTransport(options, this.place)
    const carrier = (() => ({
      response: (_next: unknown, _renew: unknown, request: ApiRequest) => this.#carry(request),
    })) as unknown as Middleware
    this.#api = createApi({ clientId: 'weir', host: this.place, middlewares: [carrier] }) as never
  }

  /** Parameters as the api client names them. A refusal is given back, for the caller knows what it means. @throws registry.unavailable, registry.denied */
  async ask(question: Question, parameters: object = {}, effort?: Effort): Promise<Reply> {
    const [resource, method, path] = resources[question]
    try {
      const answer = await this.#api[resource][method]!(path === undefined ? parameters : { ...parameters, path }, {
        effort: effort ?? { timeoutMs: this.#options.timeoutMs, tries },
      })
      const reply = replyOf(answer, this.place)
      if (this.away) this.backAtMs = this.#options.clock.monotonic()
      this.away = false
      return reply
    } catch (error) {
      this.away = true
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  #carry(request: ApiRequest): Promise<Answer> {
    const { effort } = request.context() as { readonly effort: Effort }
    return this.#persist(
      {
        method: request.method(),
        path: request.url().slice(new URL(this.place).origin.length),
        headers: {
          accept: 'application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json',
          ...(request.headers() as Record<string, string>),
        },
        body: (request.body() as unknown as string | undefined) ?? null,
      },
      effort,
    )
  }

  /** Every question may be asked again: registering the same schema twice is registering it once. */
  async #persist(request: RegistryRequest, effort: Effort): Promise<Answer> {
    const { clock, random } = this.#options
    const endMs = clock.monotonic() + effort.timeoutMs
    for (let tried = 1, waitMs = firstWaitMs; ; tried++, waitMs *= 3) {
      const pauseMs = waitMs * (0.5 + random() / 2)
      const again = () => tried < effort.tries && clock.monotonic() + pauseMs < endMs
      try {
        const answer = await this.#transport.send(request, endMs - clock.monotonic())
        if (!mayPass(answer.status) || !again()) return answer
      } catch (error) {
        if (codeOf(error) !== 'registry.unavailable' || !again()) throw error
      }
      await clock.sleep(pauseMs)
    }
  }
}
