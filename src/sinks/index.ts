// Every sink there is. A new one is a file and a line here.
import { file } from './file.ts'
import { kinesis } from './kinesis.ts'
import { log } from './log.ts'
import { sqs } from './sqs.ts'
import { topic } from './topic.ts'

export const sinks = { log, file, topic, sqs, kinesis } as const
