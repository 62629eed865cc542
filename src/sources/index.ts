// The sources there are, as a plain map: a new one is one new file and one line here.
import { file } from './file.ts'
import { generate } from './generate.ts'
import { http } from './http/http.ts'
import { kafka } from './kafka.ts'
import { kinesis } from './kinesis.ts'
import { sqs } from './sqs.ts'
import { webhook } from './webhook.ts'

export const sources = { file, generate, http, kafka, kinesis, sqs, webhook } as const
