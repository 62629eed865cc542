// The thread in which pages are parsed: what they can do to a parser, they do here. It gets bytes and gives back what was taken out of them.
import { parentPort, workerData } from 'node:worker_threads'
import { weirErrorOf } from '../../core/errors.ts'
import { htmlText } from './charset.ts'
import { createExtractor } from './extract.ts'
import type { PageAnswer, PageQuestion, WorkerData } from './reader.ts'

const { config, robot } = workerData as WorkerData
const extractor = createExtractor(config, robot)

function answerTo({ bytes, contentType }: PageQuestion): PageAnswer {
  try {
    return { page: extractor.page(htmlText(bytes, contentType)) }
  } catch (error) {
    const { code, message, hint } = weirErrorOf(error) ?? {}
    return { refused: { code: code ?? 'internal', message: message ?? String(error), hint } }
  }
}

parentPort!.on('message', (question: PageQuestion) => parentPort!.postMessage(answerTo(question)))
parentPort!.postMessage('ready')
