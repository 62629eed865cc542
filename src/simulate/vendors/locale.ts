// How the pages of the shop speak: stars, the line with country and day, votes and badges, by the language of the view.
// The strings of sv, pl, tr, zh and some others nobody has confirmed; a reader must not rely on them, nor break on them.

export interface Locale {
  readonly tag: string
  /** Of the site whose first language it is: amazon.de. */
  readonly domain: string
  /** Country whose reviews are the local ones there. */
  readonly country: string
  stars(stars: number): string
  /** @param day yyyy-mm-dd */
  dated(country: string, day: string): string
  helpful(votes: number): string
  readonly verified: string
  readonly readMore: string
  readonly continueShopping: string
}

interface Words {
  readonly domain: string
  readonly country: string
  /** `#` stands for the stars. */
  readonly stars: string
  readonly comma?: true
  /** `@` is the country with its preposition, `#` the day. */
  readonly dated: string
  readonly places: Readonly<Record<string, string>>
  /** Preposition before a country that `places` does not name. */
  readonly at: string
  readonly one: string
  /** `#` stands for the votes. */
  readonly many: string
  readonly verified: string
  readonly readMore: string
  readonly continueShopping: string
}

const english = {
  stars: '# out of 5 stars',
  dated: 'Reviewed @ on #',
  places: { US: 'in the United States', GB: 'in the United Kingdom', NL: 'in the Netherlands' },
  at: 'in ',
  one: 'One person found this helpful',
  many: '# people found this helpful',
  verified: 'Verified Purchase',
  readMore: 'Read more',
  continueShopping: 'Click the button below to continue shopping',
}
const spanish = {
  stars: '# de 5 estrellas',
  comma: true,
  places: {},
  at: 'en ',
  one: 'A una persona le resultó útil',
  many: 'A # personas les resultó útil',
  verified: 'Compra verificada',
  readMore: 'Leer más',
  continueShopping: 'Haz clic en el botón de abajo para seguir comprando',
} as const

const words: Readonly<Record<string, Words>> = {
  'en-US': { ...english, domain: 'amazon.com', country: 'US' },
  'en-CA': { ...english, domain: 'amazon.ca', country: 'CA' },
  'en-GB': { ...english, domain: 'amazon.co.uk', country: 'GB' },
  'en-IN': { ...english, domain: 'amazon.in', country: 'IN' },
  'en-AU': { ...english, domain: 'amazon.com.au', country: 'AU' },
  'de-DE': {
    domain: 'amazon.de',
    country: 'DE',
    stars: '# von 5 Sternen',
    comma: true,
    dated: 'Rezension @ vom #',
    places: {
      US: 'aus den USA',
      GB: 'aus dem Vereinigten Königreich',
      NL: 'aus den Niederlanden',
      TR: 'aus der Türkei',
    },
    at: 'aus ',
    one: 'Eine Person fand diese Informationen hilfreich',
    many: '# Personen fanden diese Informationen hilfreich',
    verified: 'Verifizierter Kauf',
    readMore: 'Mehr lesen',
    continueShopping: 'Klicke auf die Schaltfläche unten, um mit dem Einkaufen fortzufahren',
  },
  'fr-FR': {
    domain: 'amazon.fr',
    country: 'FR',
    stars: '# sur 5 étoiles',
    comma: true,
    dated: 'Commenté @ le #',
    places: {
      US: 'aux États-Unis',
      CA: 'au Canada',
      GB: 'au Royaume-Uni',
      NL: 'aux Pays-Bas',
      MX: 'au Mexique',
      BR: 'au Brésil',
      JP: 'au Japon',
    },
    at: 'en ',
    one: 'Une personne a trouvé cela utile',
    many: '# personnes ont trouvé cela utile',
    verified: 'Achat vérifié',
    readMore: 'Lire la suite',
    continueShopping: 'Cliquez sur le bouton ci-dessous pour continuer vos achats',
  },
  'es-ES': { ...spanish, domain: 'amazon.es', country: 'ES', dated: 'Revisado @ el #' },
  'es-MX': { ...spanish, domain: 'amazon.com.mx', country: 'MX', dated: 'Calificado @ el #' },
  'it-IT': {
    domain: 'amazon.it',
    country: 'IT',
    stars: '# su 5 stelle',
    comma: true,
    dated: 'Recensito @ il #',
    places: { US: 'negli Stati Uniti', GB: 'nel Regno Unito', NL: 'nei Paesi Bassi' },
    at: 'in ',
    one: "Una persona l'ha trovato utile",
    many: "# persone l'hanno trovato utile",
    verified: 'Acquisto verificato',
    readMore: 'Leggi di più',
    continueShopping: 'Fai clic sul pulsante qui sotto per continuare a fare acquisti',
  },
  'nl-NL': {
    domain: 'amazon.nl',
    country: 'NL',
    stars: '# van 5 sterren',
    comma: true,
    dated: 'Beoordeeld @ op #',
    places: { US: 'in de Verenigde Staten', GB: 'in het Verenigd Koninkrijk' },
    at: 'in ',
    one: 'Eén persoon vond dit nuttig',
    many: '# mensen vonden dit nuttig',
    verified: 'Geverifieerde aankoop',
    readMore: 'Meer lezen',
    continueShopping: 'Klik op de onderstaande knop om verder te winkelen',
  },
  'pt-BR': {
    domain: 'amazon.com.br',
    country: 'BR',
    stars: '# de 5 estrelas',
    comma: true,
    dated: 'Avaliado @ em #',
    places: {
      US: 'nos Estados Unidos',
      CA: 'no Canadá',
      GB: 'no Reino Unido',
      BR: 'no Brasil',
      MX: 'no México',
      JP: 'no Japão',
      NL: 'nos Países Baixos',
    },
    at: 'na ',
    one: 'Uma pessoa achou isso útil',
    many: '# pessoas acharam isso útil',
    verified: 'Compra verificada',
    readMore: 'Leia mais',
    continueShopping: 'Clique no botão abaixo para continuar comprando',
  },
  'sv-SE': {
    domain: 'amazon.se',
    country: 'SE',
    stars: '# av 5 stjärnor',
    comma: true,
    dated: 'Recenserad @ den #',
    places: {},
    at: 'i ',
    one: 'En person tyckte att detta var till hjälp',
    many: '# personer tyckte att detta var till hjälp',
    verified: 'Verifierat köp',
    readMore: 'Läs mer',
    continueShopping: 'Klicka på knappen nedan för att fortsätta handla',
  },
  'pl-PL': {
    domain: 'amazon.pl',
    country: 'PL',
    stars: '# z 5 gwiazdek',
    comma: true,
    dated: 'Recenzja @ z dnia #',
    places: {
      US: 'ze Stanów Zjednoczonych',
      GB: 'z Wielkiej Brytanii',
      PL: 'z Polski',
      DE: 'z Niemiec',
      CA: 'z Kanady',
    },
    at: 'z: ',
    one: 'Jedna osoba uznała to za przydatne',
    many: 'Liczba osób, które uznały to za przydatne: #',
    verified: 'Zweryfikowany zakup',
    readMore: 'Czytaj więcej',
    continueShopping: 'Kliknij poniższy przycisk, aby kontynuować zakupy',
  },
  'tr-TR': {
    domain: 'amazon.com.tr',
    country: 'TR',
    stars: '5 yıldız üzerinden #',
    comma: true,
    dated: '@ # tarihinde değerlendirildi',
    places: { TR: "Türkiye'de", US: "Amerika Birleşik Devletleri'nde" },
    at: '',
    one: 'Bir kişi bunu faydalı buldu',
    many: '# kişi bunu faydalı buldu',
    verified: 'Doğrulanmış Alışveriş',
    readMore: 'Devamını oku',
    continueShopping: 'Alışverişe devam etmek için aşağıdaki düğmeyi tıklayın',
  },
  'ja-JP': {
    domain: 'amazon.co.jp',
    country: 'JP',
    stars: '5つ星のうち#',
    dated: '#に@でレビュー済み',
    places: { US: 'アメリカ合衆国' },
    at: '',
    one: '1人のお客様がこれが役に立ったと考えています',
    many: '#人のお客様がこれが役に立ったと考えています',
    verified: 'Amazonで購入',
    readMore: '続きを読む',
    continueShopping: '下のボタンをクリックしてショッピングを続けてください',
  },
  'zh-CN': {
    domain: 'amazon.com',
    country: 'US',
    stars: '# 颗星，最多 5 颗星',
    dated: '# 在@审核',
    places: {},
    at: '',
    one: '有 1 人认为有帮助',
    many: '有 # 人认为有帮助',
    verified: '已确认购买',
    readMore: '阅读更多',
    continueShopping: '点击下面的按钮继续购物',
  },
}

export const localeTags = Object.keys(words)

/** @param tag one of `localeTags`, or as Amazon writes it: de_DE. null: none of ours. */
export function localeOf(tag: string): Locale | null {
  const known = localeTags.find(each => each.toLowerCase() === tag.replace('_', '-').toLowerCase())
  return known === undefined ? null : localeFrom(known, words[known]!)
}

/** The first language of a site: `amazon.de`, or the `de` of it. English of the US for what is unknown. */
export function localeOfDomain(domain: string): Locale {
  const full = domain.startsWith('amazon.') ? domain : `amazon.${domain}`
  return localeOf(localeTags.find(tag => words[tag]!.domain === full) ?? 'en-US')!
}

function localeFrom(tag: string, own: Words): Locale {
  const names = new Intl.DisplayNames([tag], { type: 'region' })
  const days = new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeZone: 'UTC' })
  return {
    tag,
    domain: own.domain,
    country: own.country,
    stars: stars => own.stars.replace('#', own.comma ? stars.toFixed(1).replace('.', ',') : stars.toFixed(1)),
    dated(country, day) {
      const text = days.format(Date.parse(`${day}T00:00:00Z`))
      return own.dated
        .replace('@', own.places[country] ?? `${own.at}${names.of(country)}`)
        .replace('#', tag === 'fr-FR' ? text.replace(/^1 /, '1er ') : text)
    },
    helpful: votes => (votes === 1 ? own.one : own.many.replace('#', grouped(votes, tag))),
    verified: own.verified,
    readMore: own.readMore,
    continueShopping: own.continueShopping,
  }
}

/** Thousands apart, also where the language leaves four digits together: the shop does so everywhere. */
const grouped = (votes: number, tag: string) =>
  votes.toLocaleString(tag, { useGrouping: 'always' } as Intl.NumberFormatOptions)

/** The flag that may follow the country: 🇺🇸. */
export const flagOf = (country: string) =>
  String.fromCodePoint(...[...country].map(letter => 0x1f1e6 + letter.charCodeAt(0) - 65))
