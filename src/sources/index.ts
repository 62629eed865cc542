// The sources there are, as a plain map: a new one is one new file and one line here.
import { http } from './http/http.ts'

export const sources = { http } as const
