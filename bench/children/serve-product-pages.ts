// A shop with product pages: the two pages of test/data in turn, each with ids of reviews of its own, made before the first request; a
// robots.txt that allows all. Tells its parent the port.
// Usage (forked): serve-product-pages.ts COUNT
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { asinOf } from '../data.ts'

const data = join(import.meta.dirname, '../../test/data')
const shown = ['product-es-robot.html', 'product-uk-book.html'].map(file => readFileSync(join(data, file), 'utf8'))
const pages = new Map<string, Buffer>()
for (let n = 0; n < Number(process.argv[2]); n++) {
  const mark = n.toString(36).toUpperCase().padStart(4, '0')
  const html = shown[n % shown.length]!.replace(/\bR[A-Z0-9]{4}([A-Z0-9]{8,9})\b/g, `R${mark}$1`)
  pages.set(`/dp/${asinOf(n)}`, Buffer.from(html))
}

const server = createServer((request, response) => {
  if (request.url === '/robots.txt') {
    response.setHeader('content-type', 'text/plain').end('User-agent: *\nAllow: /\n')
    return
  }
  const page = pages.get(request.url!)
  response.statusCode = page ? 200 : 404
  response.setHeader('content-type', 'text/html; charset=utf-8').end(page ?? '')
})
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit())
