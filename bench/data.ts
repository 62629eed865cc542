// The input of the bars: 200,000 reviews in the shape of McAuley 2023, about 560 bytes a line, the same on every machine.

import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'

export const records = 200_000
const folder = join(import.meta.dirname, '..', '.cache', 'bench')

const words =
  'great product bought this for my daughter and she loves it works as described would buy again the quality could be better but fine price shipping was fast battery lasts long enough not what expected returned after a week five stars'.split(
    ' ',
  )

/** A small, fast, seeded generator (mulberry32): the data must not depend on the machine. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export function review(random: () => number, index: number): Record<string, unknown> {
  const sentence = (count: number) =>
    Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join(' ')
  const asin = `B0${String(Math.floor(random() * 5000)).padStart(8, '0')}`
  return {
    rating: 1 + Math.floor(random() * 5),
    title: sentence(4),
    text: sentence(20 + Math.floor(random() * 80)),
    images: [],
    asin,
    parent_asin: asin,
    user_id: `AE${String(index).padStart(26, 'X')}`,
    timestamp: 1_400_000_000_000 + index * 1000,
    helpful_vote: Math.floor(random() * 20),
    verified_purchase: random() < 0.9,
  }
}

/** Path of the NDJSON file with `count` reviews, made on first use. */
export async function reviewsFile(count = records): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `reviews-${count}.ndjson`)
  if (existsSync(path)) return path
  const out = createWriteStream(`${path}.part`)
  const random = seeded(42)
  for (let i = 0; i < count; i++) if (!out.write(`${JSON.stringify(review(random, i))}\n`)) await once(out, 'drain')
  out.end()
  await once(out, 'finish')
  renameSync(`${path}.part`, path)
  return path
}

export { seeded }

/** The n-th product of a shop. */
export const asinOf = (n: number): string => `B0${String(n).padStart(8, '0')}`
