// The fields of `job`, and of splits that come from a request: both hold requests, whose shape is given by the spec they stand in.
import { duration, expression, fields, type TSchema, Type } from '../../core/spec.ts'
import { answerVars } from './vars.ts'

const kept = (what: string) =>
  Type.Optional(
    Type.Record(
      Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
      expression({ description: `A text, number, boolean or null out of ${what}.`, vars: answerVars }),
      {
        description: `Values of ${what} that later calls need, seen as \`job.<name>\`.`,
        additionalProperties: false,
        maxProperties: 20,
      },
    ),
  )

/** A job: a first call submits it, later ones ask whether it is ready, then `request` gives its result. */
export const jobSpec = <R extends TSchema>(request: R) =>
  fields(
    {
      submit: request,
      id: expression({ description: 'The id of the job in the answer to `submit`.', vars: answerVars }),
      keep: kept('the answer to `submit`'),
      poll: fields(
        {
          request: Type.Optional(request),
          ready: Type.Optional(
            expression({
              description:
                'True: the result is there. Seen over the answer to `request` here, or, without one, over the result. Omitted: ready unless an error rule says `do: pending`.',
              vars: answerVars,
            }),
          ),
          failed: Type.Optional(
            expression({ description: 'True: the job has failed, and another one is needed.', vars: answerVars }),
          ),
          keep: kept('the answer that says ready'),
          every: duration({ description: 'Time between two polls.', default: '10s', min: 1 }),
          give_up_after: duration({
            description: 'A job that is not ready so long after it was submitted is forgotten, and told as a failure.',
            default: '10m',
            min: 1,
          }),
        },
        'How it is known that the job is ready.',
      ),
      find: Type.Optional(
        fields(
          {
            request,
            id: expression({
              description:
                'The id of the job whose tag is `job.tag`; null, or an empty list, where there is none; of several in a list the first counts.',
              vars: answerVars,
            }),
            keep: kept('the answer to this request'),
            settle: duration({
              description: 'A job that is not listed so long after it was submitted was not taken by the source.',
              default: '10s',
              min: 0,
            }),
          },
          'Looks a job up by the tag that weir put into `submit`, where it is not known whether it was taken. Without it such a job is submitted again.',
        ),
      ),
      pause: duration({
        description: 'Time from a job that failed to the next one, doubled with each that fails in a row, up to a day.',
        default: '1m',
        min: 0,
      }),
    },
    'The source answers later: a job is submitted, asked for until it is ready, and `request` gives its result.',
  )

/** The values of a list in `for_each`, asked for from the source. */
export const listedSpec = <R extends TSchema, P extends TSchema>(request: R, paginate: P) =>
  fields(
    {
      request,
      values: expression({ description: 'The list of values in the answer: texts or numbers.', vars: answerVars }),
      paginate: Type.Optional(paginate),
      every: duration({ description: 'How long a list is used before it is asked for again.', default: '1m', min: 0 }),
    },
    'The values come from a request; it may use the `split` values of the lists written before it.',
  )
