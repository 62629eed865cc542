// A review vendor that costs nothing: pages of 1,000 reviews, newest first, made before the first request. Tells its parent the port.
// Usage (forked): serve-pages.ts COUNT
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { review, seeded } from '../data.ts'

const pageItems = 1000
const count = Number(process.argv[2])
const random = seeded(42)
const reviews = Array.from({ length: count }, (_, index) => review(random, index)).reverse()
const pages: Buffer[] = []
while (reviews.length > 0) pages.push(Buffer.from(JSON.stringify({ reviews: reviews.splice(0, pageItems) })))
const empty = Buffer.from('{"reviews":[]}')

const server = createServer((request, response) => {
  const page = Number(new URL(request.url!, 'http://vendor').searchParams.get('page'))
  response.setHeader('content-type', 'application/json').end(pages[page - 1] ?? empty)
})
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit())
