// weir connectors new: what a vendor file begins as. It lints as it is written, so that each change shows what it breaks.
import { existsSync } from 'node:fs'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { WeirError } from '../core/errors.ts'
import type { CliContext } from './context.ts'
import { printable } from './terminal.ts'

/** Writes the files that are not there yet. @throws usage.invalid, usage.refused when the vendor file is there */
export async function writeNewVendor({ output, terminal }: CliContext, name: string, into: string): Promise<void> {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(name))
    throw new WeirError('usage.invalid', `${printable(name, 80)} cannot be the name of a vendor`, {
      hint: 'Use small letters, digits and _, and begin with a letter: my_vendor.',
    })
  const root = resolve(terminal.cwd, into)
  const files = { [`${name}.yaml`]: vendorText(name), [`cassettes/${name}/reviews.yaml`]: cassetteText(name) }
  const vendorFile = join(root, `${name}.yaml`)
  if (existsSync(vendorFile))
    throw new WeirError('usage.refused', `${printable(relative(terminal.cwd, vendorFile))} is there already`, {
      hint: 'Remove it, choose another name, or another folder with --into.',
    })
  const written: string[] = []
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path)
    if (existsSync(file)) continue
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    written.push(relative(terminal.cwd, file))
  }
  const readme = join(root, 'README.md')
  await appendFile(readme, readmeText(name, existsSync(readme)))
  written.push(relative(terminal.cwd, readme))
  if (output.json) return output.document({ vendor: name, files: written })
  for (const file of written) output.line(`wrote ${printable(file)}`)
  output.note(
    `\nNext: weir lint ${printable(relative(terminal.cwd, vendorFile))}, weir test ${printable(relative(terminal.cwd, vendorFile))}, then change it until it is your vendor.`,
  )
}

const readmeText = (name: string, isThere: boolean) =>
  `${isThere ? '\n' : ''}- \`${name}.yaml\`: a vendor of our own. Check it with \`weir lint ${name}.yaml\`; a pipeline beside it uses it as \`source: { ./${name}.yaml: {…} }\`; recorded answers are in \`cassettes/${name}/\`; \`weir test ${name}.yaml\` replays them.\n`

const vendorText = (
  name: string,
) => `# A vendor: a source as data over a connector. Change it to what your vendor has, and let \`weir lint ${name}.yaml\` tell what is wrong.
# A pipeline in this folder or above uses it by its path:   source: { ./${name}.yaml: { token: "\${TOKEN}", products: [A1] } }
vendor: ${name}
summary: Reviews of products through ${name}.
status: experimental                     # stable, experimental, retired
notes:                                   # what one must know before choosing it; weir connectors show prints these for vendors that come with weir
  cost: What a call costs.
  freshness: How old what it gives may be.
  limits: How often it may be called.
  legal: What its terms allow.

# What a user fills in. Types: secret, text, number, boolean, list, choice, duration, address.
parameters:
  token: { type: secret, description: Your API token. }
  products: { type: list, description: "The products to watch, or { file: watchlist.txt }." }
  language: { type: text, required: false, description: Language of the reviews. }      # left out: what uses it is left out too
  page_size: { type: number, default: 50, min: 1, max: 100, description: Reviews on a page. }
  base_url: { type: address, default: "https://api.example.com", description: Where the API is. }

# Defaults for \`fetch\`; what a pipeline says wins, field by field.
fetch:
  timeout: 30s
  rate_limit: { requests: 2, per: 1s }

# The connector that does the work: http or file. \${params.x} puts a parameter in; {{ }} is filled in with each call.
source:
  http:
    for_each: { product: "\${params.products}" }             # one split with a cursor of its own for each
    request:
      url: "\${params.base_url}/v1/reviews"
      query: { product: "{{ split.product }}", lang: "\${params.language}", sort: newest }
      auth: { bearer: "\${params.token}" }
    records: body.reviews                                    # CEL over status, headers, body: the list of items
    paginate: { page: { param: page, size: { param: per_page, value: "\${params.page_size}" }, max: 20 } }
    cursor: { id: this.id, field: this.updated_at, order: desc, lookback: 2d }
    # Without an order: cursor: { mode: membership, id: this.id, version: "fallback_id([this.title, this.text])" }
    errors:                                                  # the first that holds counts; after them the status decides
      - { when: "status == 404", do: gone }
      - { when: "status == 200 && has(body.error)", do: fail }

# The mapping used when a pipeline has none: fields of schemas/raw-review.avsc in CEL over \`this\`, the item.
map:
  review_id: string(this.id)
  product_asin: split.product
  reviewer_name: blank_to_null(trim(this.?author))
  review_text: blank_to_null(trim(this.?text))
  review_title: blank_to_null(trim(this.?title))
  rating: double(this.stars)
  review_date: this.?updated_at
  helpfulness_votes: default(votes(this.?helpful), 0)

# Each is linted with the file.
examples:
  - title: Two products
    config: { token: "\${TOKEN}", products: [A1, B2] }
`

const cassetteText = (
  name: string,
) => `# A cassette: what is asked, what is answered, and what must come of it. \`weir test ${name}.yaml\` replays it; --update writes \`expect\` anew.
vendor: ${name}
parameters: { token: secret-of-the-test, products: [A1] }
exchanges:
  - request: { method: GET, path: /v1/reviews, query: { product: A1, page: "1" } }
    response:
      status: 200
      body:
        reviews:
          - { id: r1, updated_at: "2024-01-05T10:00:00Z", author: Ann, title: Good, text: Works., stars: 5, helpful: 2 }
  - request: { method: GET, path: /v1/reviews, query: { product: A1, page: "2" } }
    response: { status: 200, body: { reviews: [] } }
expect:
  records:
    - { review_id: r1, product_asin: A1, reviewer_name: Ann, review_title: Good, review_text: Works., rating: 5.0, helpfulness_votes: 2 }
`
