// Record batches of the Kafka protocol, in and out. The layout is in record-batch-layout.ts.
export { decodeBatches, maxParts, type OpenBatch, openBatches } from './record-batch-decode.ts'
export { encodeBatch, isWritableTime } from './record-batch-encode.ts'
export { batchBytes, splitBatches } from './record-batch-size.ts'
