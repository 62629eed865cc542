// Every sink there is. A new one is a file and a line here.
import { file } from './file.ts'
import { log } from './log.ts'
import { topic } from './topic.ts'

export const sinks = { log, file, topic } as const
