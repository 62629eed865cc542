// Mistakes in what a definition takes out of pages.
import { toWeirError } from '../../core/errors.ts'
import type { Problem } from '../../core/spec.ts'
import { compileSelector } from './selector.ts'
import type { FieldConfig, HtmlConfig } from './spec.ts'

type Add = (
  pointer: string,
  message: string,
  hint: string,
  severity?: Problem['severity'],
  code?: Problem['code'],
) => void

type Taking = Exclude<FieldConfig, string | readonly string[]>

export function lintHtml(html: HtmlConfig, add: Add): void {
  lintCss(html.require, '/html/require', add)
  lintCss(html.item, '/html/item', add)
  for (const [name, field] of Object.entries(html.fields)) lintField(field, `/html/fields/${name}`, true, add)
  for (const [name, field] of Object.entries(html.page ?? {})) lintField(field, `/html/page/${name}`, false, add)
}

function lintField(written: FieldConfig, pointer: string, isInItem: boolean, add: Add): void {
  if (typeof written === 'string' || Array.isArray(written)) {
    lintCss(written, pointer, add)
    return
  }
  const field = written as Taking
  lintTaking(field, pointer, isInItem, add)
  field.or?.forEach((other, i) => {
    lintField(other, `${pointer}/or/${i}`, isInItem, add)
  })
  for (const [name, inner] of Object.entries(field.fields ?? {}))
    lintField(inner, `${pointer}/fields/${name}`, true, add)
}

function lintTaking(field: Taking, pointer: string, isInItem: boolean, add: Add): void {
  const { css, exclude, attr, exists, html, fields, all } = field
  const ways = Object.entries({ attr, exists, html, fields }).filter(
    ([, value]) => value !== undefined && value !== false,
  )
  if (ways.length > 1)
    add(
      pointer,
      `${ways.map(([name]) => name).join(' and ')} cannot both be taken.`,
      'Keep one of them.',
      'error',
      'config.conflict',
    )
  if (exclude !== undefined && ways.length > 0)
    add(
      `${pointer}/exclude`,
      `\`exclude\` is for text, not for ${ways[0]![0]}.`,
      'Remove it.',
      'error',
      'config.conflict',
    )
  if (exists === true && all === true)
    add(`${pointer}/all`, '`exists` gives one answer, not a list.', 'Remove one of them.', 'error', 'config.conflict')
  if (css === undefined && !isInItem)
    add(
      pointer,
      'A value of the page needs a selector.',
      'Write css: title, or whatever the element is.',
      'error',
      'config.missing_field',
    )
  if (css !== undefined) lintCss(css, `${pointer}/css`, add)
  if (exclude !== undefined) lintCss(exclude, `${pointer}/exclude`, add)
  if (field.breaks !== undefined) lintCss(field.breaks, `${pointer}/breaks`, add)
}

function lintCss(css: string | readonly string[], pointer: string, add: Add): void {
  const list = typeof css === 'string' ? [css] : css
  list.forEach((selector, i) => {
    try {
      compileSelector(selector)
    } catch (error) {
      const { message, hint } = toWeirError(error)
      add(
        typeof css === 'string' ? pointer : `${pointer}/${i}`,
        `${message}.`.replace(/\.\.$/, '.'),
        hint ?? 'Write a CSS selector.',
      )
    }
  })
}
