// One schema often serves several subjects, and what is said of it is then the same: people read it once, with the subjects it holds for.
import type { Review } from '../review.ts'

type Consumers = Review['consumers']

/** A review that holds for each of several subjects, or for one. */
export interface SharedReview {
  /** Of the first subject. All of it but `subject` and `consumers` is the same for each. */
  readonly review: Review
  /** At least one, in the order of the report; `subjects` are theirs. */
  readonly all: readonly Review[]
  readonly subjects: readonly string[]
  /** Who reads the topics, once where it is the same for all subjects. */
  readonly readers: readonly { readonly subjects: readonly string[]; readonly consumers: Consumers }[]
}

/** In the order of the first subject of each. Reviews that differ in anything but subject and consumers stay apart. */
export function sharedReviews(reviews: readonly Review[]): readonly SharedReview[] {
  const same = Map.groupBy(reviews, review => JSON.stringify({ ...review, subject: null, consumers: null }))
  return [...same.values()].map(group => ({
    review: group[0]!,
    all: group,
    subjects: group.map(({ subject }) => subject),
    readers: [...Map.groupBy(group, ({ consumers }) => JSON.stringify(consumers)).values()].map(alike => ({
      subjects: alike.map(({ subject }) => subject),
      consumers: alike[0]!.consumers,
    })),
  }))
}
