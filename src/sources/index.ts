// The sources there are, as a plain map: a new one is one new file and one line here.
import { file } from './file.ts'
import { generate } from './generate.ts'
import { http } from './http/http.ts'

export const sources = { file, generate, http } as const
