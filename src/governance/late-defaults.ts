// Defaults once more, for schemas that use a name before its definition: Avro Java checks them again while it puts the definitions in,
// and then a record whose fields are not complete has no defaults.
import type { Fractions } from '../schema/json-text.ts'
import { DefaultFit, isDoubleText } from './default-fit.ts'
import { quoted } from './names.ts'
import type { Report } from './problem.ts'
import type { RecordType, SchemaType } from './schema-tree.ts'

export function checkLateDefaults(root: SchemaType, fractions: Fractions, report: Report): void {
  const open = new Set<SchemaType>()
  const done = new Set<SchemaType>()
  const fit = new DefaultFit(fractions, type => open.has(type))
  const visit = (type: SchemaType): void => {
    if (done.has(type) || open.has(type)) return
    if (type.kind === 'array') visit(type.items)
    if (type.kind === 'map') visit(type.values)
    if (type.kind === 'union') for (const branch of type.branches) visit(branch)
    if (type.kind === 'record') visitRecord(type)
  }
  const visitRecord = (record: RecordType): void => {
    open.add(record)
    for (const field of record.fields.values()) {
      visit(field.type)
      if (!field.hasDefault) continue
      const isNumber = field.type.kind === 'float' || field.type.kind === 'double'
      if (isNumber && typeof field.default === 'string' && isDoubleText(field.default)) continue
      const wrong = fit.wrong(field.json, 'default', field.type)
      if (!wrong) continue
      const pointer = `${field.pointer}/default${wrong.pointer}`
      report({ ...wrong, pointer, message: `Field ${quoted(field.name)}: ${wrong.message}` })
    }
    open.delete(record)
    done.add(record)
  }
  visit(root)
}
