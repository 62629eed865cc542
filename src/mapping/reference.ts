// The reference page of the mapping language, made from the descriptions of the functions.
import { mappingFunctions } from './functions/catalogue.ts'
import type { Example, MappingFunction } from './functions/function.ts'

const head = `# Mapping language

A mapping gives each field of the Avro schema an expression in [CEL](https://cel.dev). It sees \`this\` (the item as the source gave it),
\`split\` (the variables of the split it came from) and \`now\` (milliseconds since 1970).

\`\`\`yaml
map:
  review_id: default(this.?id, review_hash(this.asin, this.?name, this.?date, this.?title, this.?text))
  product_asin: this.asin
  reviewer_name: blank_to_null(trim(this.?name))
  rating: stars(this.rating)
  helpfulness_votes: votes(this.?helpful)
\`\`\`

## Fields that may be missing

| you write | field is there | field is null | field is missing |
|---|---|---|---|
| \`this.title\` | its value | null | the item becomes a dead letter |
| \`this.?title\` | its value | null | null |
| \`this.?product.?asin\` | its value | null | null, whatever is missing on the way |
| \`default(this.?title, "none")\` | its value | \`"none"\` | \`"none"\` |
| \`has(this.title)\` | true | true | false |

Functions take a missing or null value and give null back, so \`trim(this.?title)\` needs no test. Each can also be written as a method
where its first argument is the value: \`this.?title.strip_html().truncate(100)\`.

## Numbers

JSON numbers are doubles and literals such as \`2\` are ints (64 bits). Arithmetic and comparison mix them: \`this.votes + 1\` is a double.
A double goes into an int or long field only when it is whole; \`weir lint\` refuses an expression that is known to give a double there.
\`string(1401351468000.0)\` is \`"1401351468000"\`. Nothing is rounded, cut or converted in silence.

## Fields without an expression

They get the default of the schema, null where the schema has null, and \`ingestion_timestamp\` the time of ingestion. A required field
without an expression is an error of the definition.

## Limits

An expression has at most 8192 characters and 1000 parts; one evaluation does a bounded amount of work, builds texts of at most 4 MiB and
lists of at most 100000 items. Patterns are those of [RE2](https://github.com/google/re2/wiki/Syntax): linear in the text, without look-around.
Expressions see data only: no methods of the runtime, no inherited members, no files, no clock but \`now\`.
`

const celOwn = `## From CEL itself

Operators \`+ - * / %\`, \`== != < <= > >=\`, \`&& || !\`, \`in\`, \`a ? b : c\`; \`has(...)\`, \`size(...)\`, \`string(...)\`, \`int(...)\`, \`double(...)\`,
\`bool(...)\`, \`bytes(...)\`, \`timestamp(...)\`, \`duration(...)\`, \`type(...)\`; on text \`contains\`, \`startsWith\`, \`endsWith\`, \`indexOf\`,
\`substring\`, \`split\`, \`matches\`; on lists \`map\`, \`filter\`, \`all\`, \`exists\`, \`exists_one\`, \`join\`; \`cel.bind(name, value, expression)\`.
`

/** The text of docs/reference/mapping.md. */
export function mappingReference(): string {
  const groups = [...new Set(mappingFunctions.map(fn => fn.group))]
  const sections = groups.map(group => {
    const members = mappingFunctions.filter(fn => fn.group === group && fn.examples.length > 0)
    return `## ${group}\n\n${members.map(sectionOf).join('\n')}`
  })
  return `${[head, ...sections, celOwn].join('\n').trimEnd()}\n`
}

function sectionOf(fn: MappingFunction): string {
  const examples = fn.examples.map(exampleOf).join('\n')
  return `### \`${signatureOf(fn)}\`\n\n${fn.doc}\n\n\`\`\`\n${examples}\n\`\`\`\n`
}

/** `number(value, locale: string): double`. */
export function signatureOf(fn: MappingFunction): string {
  const parameters = fn.parameters.map(({ name, type }) => (type === 'dyn' ? name : `${name}: ${type}`))
  const returns = fn.returns === 'google.protobuf.Timestamp' ? 'timestamp' : fn.returns
  return `${fn.name}(${parameters.join(', ')})${returns === 'dyn' ? '' : `: ${returns}`}`
}

function exampleOf({ expression, this: item, gives }: Example): string {
  const given = item === undefined ? '' : `    with this = ${JSON.stringify(item)}`
  return `${expression}  ->  ${JSON.stringify(gives)}${given}`
}
