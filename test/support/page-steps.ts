// The blocks of a documentation page that say what they are, so that a test can do what the page says.

export interface PageStep {
  /** As in `<!-- file: a.yaml -->` before the block. */
  readonly what: string
  readonly text: string
}

/** In order. */
export function pageSteps(page: string): readonly PageStep[] {
  return [...page.matchAll(/<!-- ([^\n]+) -->\n```\w+\n([\s\S]*?)```\n/g)].map(([, what, text]) => ({
    what: what!,
    text: text!,
  }))
}
