// RFC 8288: Link: <https://…>; rel="next prev"; title="a, b", <…>; rel=last

/** The target of the first link with this relation, as written; undefined when there is none. */
export function linkWithRel(header: string | undefined, rel: string): string | undefined {
  let rest = (header ?? '').slice(0, 16_384)
  for (;;) {
    const target = /^[\s,]*<([^>]*)>/.exec(rest)
    if (!target) return undefined
    rest = rest.slice(target[0].length)
    let found = false
    let seenRel = false
    for (let parameter = nextParameter(rest); parameter; parameter = nextParameter(rest)) {
      rest = rest.slice(parameter.length)
      // Only the first rel of a link counts.
      if (parameter.name !== 'rel' || seenRel) continue
      seenRel = true
      found = parameter.value.toLowerCase().split(/\s+/).includes(rel)
    }
    if (found) return target[1]
  }
}

function nextParameter(
  text: string,
): { readonly name: string; readonly value: string; readonly length: number } | undefined {
  const match = /^\s*;\s*([^\s=;,"<>]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/.exec(text)
  if (!match) return undefined
  return {
    name: match[1]!.toLowerCase(),
    value: match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '',
    length: match[0].length,
  }
}
