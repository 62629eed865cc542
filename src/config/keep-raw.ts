// `keep_raw`: which sources can keep their pages, and what a definition must leave room for.
import { isObject } from '../core/json-text.ts'
import { formatBytes } from '../core/units.ts'
import type { Problems } from './problem.ts'
import { deadLetterTopic, type PartlyFields } from './rules.ts'
import type { ChosenSource } from './source-slot.ts'

/** A page must fit into one record, and that into one request to a broker. */
const maxBodyBytes = 32 * 1024 * 1024
/** Room for address and headers. */
const envelopeBytes = 1024 * 1024

export const rawTopic = (topic: string) => `${topic}_raw`

/** The largest raw page as a record: its body, and beside it a short name for each of its items. */
export const rawRecordBytes = (maxBody: number) => 2 * maxBody + envelopeBytes

export function checkKeepRaw(fields: PartlyFields, source: ChosenSource | undefined, problems: Problems): void {
  if (fields.source?.keep_raw === undefined) return
  const pointer = '/source/keep_raw'
  const conflict = (message: string, at: string, hint: string) =>
    problems.add({ code: 'config.conflict', message, pointer: at, hint })
  if (source) {
    const name = source.vendor ?? source.name
    if (!source.connector.keepsRaw)
      conflict(
        `\`${name}\` keeps no raw pages: \`keep_raw\` is for http and the vendors that are built on it.`,
        pointer,
        'Remove it. What a file or another topic holds can be read again from there: `weir cursor reset`.',
      )
    else if (source.usable) {
      const why = source.connector.keepsRaw(source.config as never)
      if (why !== null) conflict(`\`${name}\` can keep no raw pages: ${why}.`, pointer, 'Add a `cursor`, or remove it.')
    }
  }
  if (fields.source.provenance === false)
    conflict(
      '`keep_raw` needs `provenance`: by it a record is known to come from a page.',
      '/source/provenance',
      'Remove `provenance: false`, or `keep_raw`.',
    )
  const maxBody = fields.fetch?.max_body
  if (maxBody !== undefined && maxBody > maxBodyBytes)
    conflict(
      `\`keep_raw\` takes pages of at most ${formatBytes(maxBodyBytes)}, \`max_body\` allows ${formatBytes(maxBody)}: a page is one record.`,
      '/fetch/max_body',
      'Lower it, and ask for smaller pages.',
    )
  checkName(fields, problems)
}

function checkName({ topic, dead_letter: dead, consume }: PartlyFields, problems: Problems): void {
  if (topic?.name === undefined) return
  const name = rawTopic(topic.name)
  if (name.length > 249)
    problems.add({
      code: 'config.invalid',
      message: 'The name of the topic leaves no room for that of its raw pages (249 characters).',
      pointer: '/topic/name',
      hint: 'Shorten it.',
    })
  if ((dead?.topic ?? deadLetterTopic(topic.name)) === name)
    problems.add({
      code: 'config.conflict',
      message: 'The dead letters would go into the topic of the raw pages.',
      pointer: '/dead_letter/topic',
      hint: `Use another name, such as ${deadLetterTopic(topic.name)}.`,
    })
  consume?.forEach((consumer, i) => {
    const config = isObject(consumer?.sink) ? consumer.sink['topic'] : undefined
    if (isObject(config) && config['topic'] === name)
      problems.add({
        code: 'config.conflict',
        message: 'The sink writes into the topic of the raw pages.',
        pointer: `/consume/${i}/sink/topic/topic`,
        hint: 'Name another topic.',
      })
  })
}
