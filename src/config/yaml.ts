// YAML text to plain values with the place of each. Caps are checked on the tokens, before any work that grows faster than the text.
// Every mistake of the text is reported with its place; whatever the parser throws becomes one too.
import { CST, type Document, Lexer, parseDocument, visit, type YAMLError } from 'yaml'
import type { Problems } from './problem.ts'
import { limits, readTree } from './tree.ts'

const maxSyntaxProblems = 10

/** The plain value of the text, its places in `problems.places`; undefined when it is no usable definition. */
export function parseYaml(text: string, problems: Problems): Record<string, unknown> | undefined {
  try {
    if (!withinLimits(text, problems)) return undefined
    const document = parseDocument(text, {
      schema: 'core',
      version: '1.2',
      merge: false,
      resolveKnownTags: false,
      customTags: null,
      uniqueKeys: false,
      prettyErrors: false,
      // With `silent` a second document would be dropped without a word.
      logLevel: 'error',
      stringKeys: false,
    })
    if (document.errors.length > 0) {
      for (const error of document.errors.slice(0, maxSyntaxProblems)) addSyntax(error, document, problems)
      return undefined
    }
    return refuseDirectives(document, problems) ? readTree(document, problems) : undefined
  } catch (error) {
    const deep = error instanceof RangeError
    problems.add({
      code: deep ? 'config.too_large' : 'config.syntax',
      message: deep ? `The text is nested deeper than ${limits.depth} levels.` : 'The text cannot be read as YAML.',
      pointer: '',
      hint: deep ? 'Flatten it.' : 'Check brackets, quotes and indentation.',
    })
    return undefined
  }
}

/** Counts on the tokens: linear, and before anything is built. */
function withinLimits(text: string, problems: Problems): boolean {
  let offset = 0
  let depth = 0
  let keys = 0
  let aliases = 0
  const refuse = (message: string, hint: string, length: number): false => {
    problems.add({
      code: 'config.too_large',
      message,
      pointer: '',
      hint,
      span: { start: offset, end: offset + length },
    })
    return false
  }
  for (const token of new Lexer().lex(text)) {
    switch (CST.tokenType(token)) {
      case 'flow-map-start':
      case 'flow-seq-start':
        if (++depth > limits.depth)
          return refuse(`More than ${limits.depth} brackets are open here.`, 'Close brackets, or flatten it.', 1)
        break
      case 'flow-map-end':
      case 'flow-seq-end':
        depth--
        break
      case 'map-value-ind':
        if (++keys > limits.keys)
          return refuse(`More than ${limits.keys} keys.`, 'Split the definition into several files.', 1)
        break
      case 'alias':
        if (++aliases > limits.aliases)
          return refuse(`More than ${limits.aliases} aliases.`, 'Write the values out.', token.length)
        break
    }
    if (token !== CST.DOCUMENT && token !== CST.FLOW_END && token !== CST.SCALAR && token !== CST.BOM)
      offset += token.length
  }
  return true
}

/** `%YAML 1.1` would change what values mean, `%TAG` what tags mean. */
function refuseDirectives(document: Document.Parsed, problems: Problems): boolean {
  const { directives } = document
  const other = document.warnings.find(warning => warning.code === 'BAD_DIRECTIVE')
  if (!other && directives.yaml.explicit !== true && Object.keys(directives.tags).every(tag => tag === '!!'))
    return true
  problems.add({
    code: 'config.syntax',
    message: 'A YAML directive (a line that starts with %) has no place here.',
    pointer: '',
    hint: 'Remove the line; definitions are YAML 1.2.',
  })
  return false
}

// What the parser says, said for people. Nothing of the text is quoted: it may be a password.
const said: Partial<Record<YAMLError['code'], readonly [message: string, hint: string]>> = {
  TAB_AS_INDENT: ['A tab is used to indent.', 'Indent with spaces.'],
  MULTIPLE_DOCS: ['A second document starts here (`---`).', 'Put each pipeline into its own file.'],
  MULTILINE_IMPLICIT_KEY: [
    'This line is neither `key: value` nor part of the value above.',
    'Add a colon, or fix the indentation.',
  ],
  BLOCK_AS_IMPLICIT_KEY: [
    'A second `key:` on one line, or a line indented deeper than its neighbours.',
    'Put the text in quotes, or fix the indentation.',
  ],
  BAD_INDENT: [
    'The indentation does not fit, or a bracket above is not closed.',
    'Align it with its neighbours; close [ with ] and { with }.',
  ],
  BAD_ALIAS: ['An alias (*) that cannot be read.', 'If this is text, put it in quotes.'],
  BAD_DQ_ESCAPE: ['A backslash in double quotes that starts no known escape.', 'Use single quotes, or write \\\\.'],
  BAD_SCALAR_START: ['Text cannot start with this character.', 'Put the text in quotes.'],
  KEY_OVER_1024_CHARS: ['A key longer than 1024 characters.', 'Shorten it.'],
  MULTIPLE_ANCHORS: ['More than one anchor (&) on one value.', 'Keep one.'],
  MULTIPLE_TAGS: ['More than one tag (!) on one value.', 'If this is text, put it in quotes.'],
  UNEXPECTED_TOKEN: [
    'Something stands here that YAML does not expect.',
    'Check quotes, commas and brackets; put text with special characters in quotes.',
  ],
  MISSING_CHAR: [
    'Something is missing here: a closing quote, a comma, a colon or a bracket.',
    'Close what was opened.',
  ],
  RESOURCE_EXHAUSTION: [`The text is nested deeper than ${limits.depth} levels.`, 'Flatten it.'],
}

function addSyntax(error: YAMLError, document: Document.Parsed, problems: Problems): void {
  const [message, hint] = said[error.code] ?? [
    'The text cannot be read as YAML.',
    'Check brackets, quotes and indentation.',
  ]
  const missing = /^Missing closing (["'])/.exec(error.message)?.[1]
  const bracket = /must .*end with a ([\]}])/.exec(error.message)?.[1]
  problems.add({
    code: error.code === 'RESOURCE_EXHAUSTION' ? 'config.too_large' : 'config.syntax',
    message: missing ? `A closing ${missing} is missing.` : bracket ? `A closing ${bracket} is missing.` : message,
    pointer: '',
    hint: missing ? 'Close the quote on the line where it was opened.' : hint,
    span: missing ? quoteSpan(document, error.pos[0]) : { start: error.pos[0], end: error.pos[1] },
  })
}

/** Where the quote was opened that is still open at `offset`. */
function quoteSpan(document: Document.Parsed, offset: number): { start: number; end: number } {
  let start = offset
  visit(document, {
    Scalar: (_, node) => {
      const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
      if (quoted && node.range && node.range[0] < offset && node.range[1] >= offset) start = node.range[0]
    },
  })
  return { start, end: start + 1 }
}
