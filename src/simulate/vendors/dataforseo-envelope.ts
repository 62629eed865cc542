// DataForSEO answers: an envelope around tasks, each with a status of its own. HTTP says 200 to nearly everything; the codes inside decide.
import { type Answer, json } from './vendor.ts'

export const messages: Readonly<Record<number, string>> = {
  20000: 'Ok.',
  20100: 'Task Created.',
  40000: 'You can set only one task at a time.',
  40006: 'You can set no more than 100 tasks at a time.',
  40100: 'You are not Authorized to Access this Resource.',
  40101: 'Internal SE Server Error.',
  40102: 'No Search Results.',
  40103: 'Task Execution Failed.',
  40200: 'Payment Required.',
  40202: 'The rate-limit per minute has been exceeded.',
  40205: 'Duplicate task limit per hour has been exceeded.',
  40209: 'Too many simultaneous queries.',
  40400: 'Not Found.',
  40401: 'Task Not Found.',
  40403: 'Results Expired.',
  40503: 'POST Data Is Invalid.',
  40601: 'Task Handed.',
  40602: 'Task In Queue.',
  50000: 'Internal Error.',
  50303: 'Update in progress.',
  50401: 'Live request time-out.',
}

export interface Task {
  readonly id: string
  readonly status_code: number
  readonly status_message: string
  readonly time: string
  readonly cost: number
  readonly result_count: number
  readonly path: readonly string[]
  readonly data: Readonly<Record<string, unknown>>
  readonly result: readonly unknown[] | null
}

const version = '0.1.20260821'

export function task(
  id: string,
  code: number,
  path: string,
  data: Readonly<Record<string, unknown>>,
  { message = messages[code] ?? 'Error.', cost = 0, result = null as readonly unknown[] | null } = {},
): Task {
  return {
    id,
    status_code: code,
    status_message: message,
    time: '0.0042 sec.',
    cost,
    result_count: result?.length ?? 0,
    path: path.split('/').slice(1),
    data,
    result,
  }
}

/** The answer to a call that was heard; what became of its tasks is in them. */
export function envelope(tasks: readonly Task[]): Answer {
  const failed = tasks.filter(({ status_code: code }) => code >= 40000).length
  return json(200, {
    version,
    status_code: 20000,
    status_message: 'Ok.',
    time: '0.0731 sec.',
    cost: Math.round(tasks.reduce((sum, { cost }) => sum + cost, 0) * 1e6) / 1e6,
    tasks_count: tasks.length,
    tasks_error: failed,
    tasks,
  })
}

/** Statuses that reach HTTP. */
const httpStatus: Readonly<Record<number, number>> = { 40100: 401, 40200: 402, 40400: 404, 50000: 500 }

/** The answer to a call that was not. */
export function refusal(code: number, status = httpStatus[code] ?? 200): Answer {
  const headers: Record<string, string> =
    code === 40100 ? { 'www-authenticate': 'Basic realm="DataForSEO REST API"' } : {}
  const value = {
    version,
    status_code: code,
    status_message: messages[code] ?? 'Error.',
    time: '0.0731 sec.',
    cost: 0,
    tasks_count: 0,
    tasks_error: 0,
    tasks: code === 40100 || code === 40400 ? null : [],
  }
  return json(status, value, headers)
}
