// What Avro Java 1.12 does where one might expect otherwise: checked against weir everywhere, and against Java where Java runs.

const record = (fields: unknown[], more: object = {}) => ({ type: 'record', name: 'R', fields, ...more })
const a = (type: unknown, more: object = {}) => ({ name: 'a', type, ...more })
const E = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'E', symbols, ...more })
const Q = (type: unknown, more: object = {}) => ({ type: 'record', name: 'Q', fields: [{ name: 'x', type }], ...more })
const F = (more: object = {}) => ({ type: 'fixed', name: 'F', size: 2, ...more })

/** Name, reader, writer, and `RULE location` of each reason; none: the reader can read it. */
export const readingQuirks: readonly (readonly [string, unknown, unknown, readonly string[]])[] = [
  ['another namespace does not matter', record([], { namespace: 'n' }), record([], { namespace: 'm' }), []],
  ['another name does', record([]), record([], { name: 'S' }), ['NAME_MISMATCH /name']],
  ['an alias has the full name', record([], { aliases: ['m.S'] }), record([], { name: 'S', namespace: 'm' }), []],
  [
    'an alias without the namespace is completed with the own one',
    record([], { aliases: ['S'], namespace: 'n' }),
    record([], { name: 'S', namespace: 'm' }),
    ['NAME_MISMATCH /name'],
  ],
  ["a writer's alias does not count", record([]), record([], { name: 'S', aliases: ['R'] }), ['NAME_MISMATCH /name']],
  [
    'names of fixed and enums count too',
    F(),
    F({ name: 'G', size: 3 }),
    ['NAME_MISMATCH /name', 'FIXED_SIZE_MISMATCH /size'],
  ],
  ['a field by its alias', record([a('int', { aliases: ['b'] })]), record([{ name: 'b', type: 'int' }]), []],
  [
    'the name comes before nothing: name and alias both written',
    record([a('int', { aliases: ['b'] })]),
    record([a('int'), { name: 'b', type: 'int' }]),
    ['NAME_MISMATCH /fields/0'],
  ],
  [
    'an alias that is the own name',
    record([a('int', { aliases: ['a'] })]),
    record([a('int')]),
    ['NAME_MISMATCH /fields/0'],
  ],
  [
    'and that inside a branch which is not needed',
    record([
      a([Q('int', { fields: [{ name: 'x', type: 'int', aliases: ['y', 'z'] }] }), { type: 'map', values: 'int' }]),
    ]),
    record([
      a(
        Q('int', {
          fields: [
            { name: 'y', type: 'int' },
            { name: 'z', type: 'int' },
          ],
        }),
      ),
    ]),
    ['MISSING_UNION_BRANCH /fields/0/type', 'NAME_MISMATCH /fields/0'],
  ],
  ['an enum default for unknown symbols', E(['A'], { default: 'A' }), E(['A', 'B']), []],
  ['no enum default', E(['A']), E(['A', 'C', 'B']), ['MISSING_ENUM_SYMBOLS /symbols']],
  [
    "the writer's enum default does not help",
    E(['A']),
    E(['A', 'B'], { default: 'A' }),
    ['MISSING_ENUM_SYMBOLS /symbols'],
  ],
  [
    'an enum default is no default of a field',
    record([a(E(['A'], { default: 'A' }))]),
    record([]),
    ['TYPE_MISMATCH /fields/0/type'],
  ],
  ['null as a default is a default', record([a(['null', 'int'], { default: null })]), record([]), []],
  [
    'nullable is no default',
    record([a(['null', 'int'])]),
    record([]),
    ['READER_FIELD_MISSING_DEFAULT_VALUE /fields/0'],
  ],
  ['int to long to float to double', record([a('double')]), record([a('long')]), []],
  ['not back', record([a('int')]), record([a('long')]), ['TYPE_MISMATCH /fields/0/type']],
  [
    'bytes and string both ways',
    record([a('string'), { name: 'b', type: 'bytes' }]),
    record([a('bytes'), { name: 'b', type: 'string' }]),
    [],
  ],
  ['fixed is not bytes', 'bytes', F(), ['TYPE_MISMATCH /']],
  [
    'logical types do not count',
    { type: 'long', logicalType: 'timestamp-millis' },
    { type: 'long', logicalType: 'timestamp-micros' },
    [],
  ],
  [
    'not even the scale of a decimal',
    { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 1 },
    { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 3 },
    [],
  ],
  ["each branch of the writer's union counts", 'long', ['int', 'string', 'long'], ['TYPE_MISMATCH /1']],
  ["an empty writer's union is always readable", 'int', [], []],
  ["an empty reader's union reads nothing", [], 'int', ['MISSING_UNION_BRANCH /']],
  ['promotion into a union', ['null', 'double'], 'int', []],
  [
    "a branch is named by its place in the writer's union",
    ['null', 'int'],
    ['null', 'int', 'string'],
    ['MISSING_UNION_BRANCH /2'],
  ],
  ['why a branch does not fit is dropped', ['null', Q('int')], ['null', Q('string')], ['MISSING_UNION_BRANCH /1']],
  [
    'but comes back where the same type is used outside a union, with its place inside the union',
    record([a(['null', Q('int')]), { name: 'b', type: 'Q' }]),
    record([a(['null', Q('string')]), { name: 'b', type: 'Q' }]),
    ['MISSING_UNION_BRANCH /fields/0/type/1', 'TYPE_MISMATCH /fields/0/type'],
  ],
  [
    'a type that is used twice gives its reasons at the first place',
    record([a(Q('int')), { name: 'b', type: 'Q' }]),
    record([a(Q('string')), { name: 'b', type: 'Q' }]),
    ['TYPE_MISMATCH /fields/0/type/fields/0/type'],
  ],
  ['a record inside itself', Q(['null', 'Q']), Q(['null', 'Q']), []],
  ['an error is a record', { ...Q('int'), type: 'error' }, Q('int'), []],
]

/** Name, schema text, and whether a registry takes it. */
export const validityQuirks: readonly (readonly [string, string, boolean])[] = [
  [
    'a default of the second branch',
    '{"type":"record","name":"R","fields":[{"name":"a","type":["null","string"],"default":"x"}]}',
    true,
  ],
  [
    'a default of no branch',
    '{"type":"record","name":"R","fields":[{"name":"a","type":["null","int"],"default":"x"}]}',
    false,
  ],
  ['an empty union', '[]', true],
  [
    'a long default beyond 2^53',
    '{"type":"record","name":"R","fields":[{"name":"a","type":"long","default":9223372036854775807}]}',
    true,
  ],
  [
    'a long default beyond 2^63',
    '{"type":"record","name":"R","fields":[{"name":"a","type":"long","default":9223372036854775808}]}',
    false,
  ],
  [
    'an int default beyond 2^31',
    '{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":2147483648}]}',
    false,
  ],
  ['1.0 as an int', '{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":1.0}]}', false],
  ['1e3 as a long', '{"type":"record","name":"R","fields":[{"name":"a","type":"long","default":1e3}]}', false],
  ['text as a double', '{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":"NaN"}]}', true],
  [
    'text as a double in a union',
    '{"type":"record","name":"R","fields":[{"name":"a","type":["double","null"],"default":"NaN"}]}',
    false,
  ],
  [
    "a default that is none of an enum's symbols",
    '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"enum","name":"E","symbols":["A"]},"default":"Z"}]}',
    true,
  ],
  [
    "an enum's own default that is none of its symbols",
    '{"type":"enum","name":"E","symbols":["A"],"default":"Z"}',
    false,
  ],
  ['an enum default that is no text', '{"type":"enum","name":"E","symbols":["A"],"default":1}', true],
  [
    'a fixed default of another length',
    '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":2},"default":"abc"}]}',
    true,
  ],
  ['no symbols at all', '{"type":"enum","name":"E","symbols":[]}', true],
  [
    'symbols that every JavaScript object has',
    '{"type":"enum","name":"E","symbols":["constructor","__proto__"]}',
    true,
  ],
  [
    'fields that every JavaScript object has',
    '{"type":"record","name":"constructor","fields":[{"name":"__proto__","type":"int"}]}',
    true,
  ],
  [
    'a name before its definition',
    '{"type":"record","name":"R","fields":[{"name":"a","type":"Q"},{"name":"b","type":{"type":"fixed","name":"Q","size":2}}]}',
    true,
  ],
  [
    'a text default before the definition',
    '{"type":"record","name":"R","fields":[{"name":"a","type":"Q","default":"A"},{"name":"b","type":{"type":"enum","name":"Q","symbols":["A"]}}]}',
    false,
  ],
  [
    'a default of the record around',
    '{"type":"record","name":"R","fields":[{"name":"a","type":["R","null"],"default":{}}]}',
    false,
  ],
  ['a name never defined', '{"type":"record","name":"R","fields":[{"name":"a","type":"Nowhere"}]}', false],
  [
    'the same definition twice',
    '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":2}},{"name":"b","type":{"type":"fixed","name":"F","size":2,"doc":"d"}}]}',
    true,
  ],
  [
    'two definitions of one name',
    '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":2}},{"name":"b","type":{"type":"fixed","name":"F","size":3}}]}',
    false,
  ],
  [
    'two definitions that differ in a property',
    '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":2}},{"name":"b","type":{"type":"fixed","name":"F","size":2,"x":1}}]}',
    false,
  ],
  ['a record that holds itself', '{"type":"record","name":"R","fields":[{"name":"a","type":"R"}]}', true],
  ['a type around a type', '{"type":{"type":"int"}}', false],
  ['a union around', '{"type":["null","int"]}', false],
  [
    'a name as a type in a type',
    '{"type":"record","name":"R","fields":[{"name":"a","type":["null",{"type":"R"}]}]}',
    true,
  ],
  ['a primitive named anew', '{"type":"record","name":"int","fields":[]}', false],
  ['and in a namespace', '{"type":"record","name":"int","namespace":"n","fields":[]}', true],
  ['an empty namespace before the dot', '{"type":"record","name":".R","fields":[]}', true],
  ['an empty part of a namespace', '{"type":"record","name":"a..R","fields":[]}', false],
  ['a namespace that is no text', '{"type":"record","name":"R","namespace":1,"fields":[]}', true],
  ['a letter beyond ASCII', '{"type":"record","name":"é","fields":[]}', false],
  [
    'a name in a closed record of no namespace',
    '{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"fixed","name":"Q","namespace":"","size":2}},{"name":"b","type":"Q"}]}',
    true,
  ],
  [
    'but not of an open one',
    '{"type":"record","name":"R","fields":[{"name":"x","type":{"type":"record","name":"Q","namespace":"q","fields":[{"name":"r","type":["null","R"]}]}}]}',
    false,
  ],
  ['logical types do not tell branches apart', '["int",{"type":"int","logicalType":"date"}]', false],
  ['two arrays in a union', '[{"type":"array","items":"int"},{"type":"array","items":"string"}]', false],
  [
    'equal names of two namespaces in a union',
    '[{"type":"record","name":"a.R","fields":[]},{"type":"record","name":"b.R","fields":[]}]',
    true,
  ],
  ['a union in a union', '["int",["null"]]', false],
  ['a decimal without precision', '{"type":"bytes","logicalType":"decimal"}', true],
  ['a fixed of no bytes', '{"type":"fixed","name":"F","size":0}', true],
  ['a fixed of 2^31 bytes', '{"type":"fixed","name":"F","size":2147483648}', false],
  ['a size with a point', '{"type":"fixed","name":"F","size":2.0}', false],
  [
    'any case in an order',
    '{"type":"record","name":"R","fields":[{"name":"a","type":"int","order":"DESCENDING"}]}',
    true,
  ],
  [
    'an alias of a field that is no name',
    '{"type":"record","name":"R","fields":[{"name":"a","type":"int","aliases":["a-b"]}]}',
    true,
  ],
  ['an alias of a type that is no name', '{"type":"record","name":"R","aliases":["a-b"],"fields":[]}', false],
  ['the last of two attributes counts', '{"type":"fixed","type":"string"}', true],
  ['more after the end', '{"type":"int"} {"type":"int"}', false],
]
