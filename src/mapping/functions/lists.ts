// Lists within lists, as in files that hold several products with the reviews of each.
import { Failure, maxListLength, spend } from '../budget.ts'
import { define, type MappingFunction } from './function.ts'

export const listFunctions: readonly MappingFunction[] = [
  define({
    name: 'flatten',
    group: 'Lists',
    parameters: [{ name: 'lists', type: 'list' }],
    returns: 'list',
    doc: 'The items of the lists in a list, one level deep, in order; an item that is no list stays, null ones are left out.',
    nullGivesNull: true,
    examples: [
      { expression: 'flatten([[1, 2], [], [3]])', gives: [1, 2, 3] },
      {
        expression: 'flatten(this.products.map(p, p.reviews.map(r, {"asin": p.asin, "review": r})))',
        this: { products: [{ asin: 'B07FZ8S74R', reviews: [{ id: 'R1' }, { id: 'R2' }] }] },
        gives: [
          { asin: 'B07FZ8S74R', review: { id: 'R1' } },
          { asin: 'B07FZ8S74R', review: { id: 'R2' } },
        ],
      },
    ],
    run: (lists: readonly unknown[]) => {
      const items: unknown[] = []
      for (const list of lists) {
        const part = Array.isArray(list) ? list : list === null ? [] : [list]
        spend(1 + part.length)
        if (items.length + part.length > maxListLength)
          throw new Failure(`the list has more than ${maxListLength} items`, 'Split the input into smaller parts.')
        for (const item of part) items.push(item)
      }
      return items
    },
  }),
]
