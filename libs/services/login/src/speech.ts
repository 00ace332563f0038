import { html, type Markup, type Shown } from '@countersign/chassis'
import { Failure, type Millis } from '@countersign/contracts'
import { limits } from './limits.ts'
import accountDe from './words/account.de.json' with { type: 'json' }
import accountEn from './words/account.en.json' with { type: 'json' }
import accountEs from './words/account.es.json' with { type: 'json' }
import accountFr from './words/account.fr.json' with { type: 'json' }
import mailDe from './words/mail.de.json' with { type: 'json' }
import mailEn from './words/mail.en.json' with { type: 'json' }
import mailEs from './words/mail.es.json' with { type: 'json' }
import mailFr from './words/mail.fr.json' with { type: 'json' }
import signInDe from './words/sign-in.de.json' with { type: 'json' }
import signInEn from './words/sign-in.en.json' with { type: 'json' }
import signInEs from './words/sign-in.es.json' with { type: 'json' }
import signInFr from './words/sign-in.fr.json' with { type: 'json' }

export const languages = ['en', 'de', 'fr', 'es'] as const
export type Language = (typeof languages)[number]

const english = { ...signInEn, ...accountEn, ...mailEn }

export type WordKey = keyof typeof english

const words: Readonly<Record<Language, Readonly<Record<WordKey, string>>>> = {
  en: english,
  de: { ...signInDe, ...accountDe, ...mailDe },
  fr: { ...signInFr, ...accountFr, ...mailFr },
  es: { ...signInEs, ...accountEs, ...mailEs },
}

/** What is said in one language. Times are told in UTC: a server does not know where a browser is. */
export interface Speech {
  readonly language: Language
  /** @param values of the text's {placeholders}; numbers are written as the language does */
  say(key: WordKey, values?: Readonly<Record<string, string | number>>): string
  /** As `say`, where there may be markup in the values; everything else is escaped. */
  tell(key: WordKey, values?: Readonly<Record<string, Shown>>): Markup
  /** "30 seconds", "2 hours": rounded up, so that whoever waits for so long has waited long enough. */
  duration(milliseconds: number): string
  /** "3 hours ago", "now" */
  ago(time: Millis, now: Millis): string
  /** "12 March 2026 at 14:03 UTC" */
  date(time: Millis): string
}

const units = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
  { unit: 'second', ms: 1_000 },
] as const

/** The largest unit that it has one of at least. */
const unitOf = (milliseconds: number) => units.find(({ ms }) => milliseconds >= ms) ?? units.at(-1)!

export function speechIn(language: Language): Speech {
  const numbers = new Intl.NumberFormat(language)
  const times = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const dates = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  })

  /** Between the texts of even places stand the values of their placeholders. */
  function partsOf<T>(key: WordKey, values: Readonly<Record<string, T>>): (string | T)[] {
    return words[language][key].split(/\{(\w+)\}/).map((part, n) => {
      if (n % 2 === 0) return part
      if (values[part] === undefined) throw new Failure('internal', `the words ${key} need a value of ${part}`)
      return values[part]
    })
  }
  const written = (value: unknown) => (typeof value === 'number' ? numbers.format(value) : String(value))

  return {
    language,
    say: (key, values = {}) => partsOf(key, values).map(written).join(''),
    tell: (key, values = {}) =>
      html`${partsOf(key, values).map((part) => (typeof part === 'number' ? numbers.format(part) : part))}`,
    duration(milliseconds) {
      const { unit, ms } = unitOf(Math.ceil(milliseconds / 1_000) * 1_000)
      const style = { style: 'unit', unit, unitDisplay: 'long' } as const
      return new Intl.NumberFormat(language, style).format(Math.max(1, Math.ceil(milliseconds / ms)))
    },
    ago(time, now) {
      const passed = Math.max(0, now - time)
      if (passed < 60_000) return times.format(0, 'second')
      const { unit, ms } = unitOf(passed)
      return times.format(-Math.floor(passed / ms), unit)
    },
    date: (time) => `${dates.format(time)} UTC`,
  }
}

/** Language ranges in order of preference (RFC 9110 section 12.5.4); what is malformed or refused is not there. */
function rangesIn(acceptLanguage: string): string[] {
  return acceptLanguage
    .slice(0, limits.acceptLanguageCharacters)
    .split(',')
    .flatMap((item) => {
      const match = /^\s*([a-z\d-]+|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(item)
      const weight = Number(match?.[2] ?? 1)
      return match && weight > 0 && weight <= 1 ? [{ range: match[1]!, weight }] : []
    })
    .sort((a, b) => b.weight - a.weight)
    .map(({ range }) => range)
}

/** RFC 4647 section 3.4, to its end: all that we speak are languages as such, not those of a country or script. */
const lookUp = (range: string): Language | undefined => {
  const [primary] = range.toLowerCase().split('-', 1)
  return languages.find((language) => language === primary)
}

/**
 * In what language to speak: as the application asks, else as the browser does.
 * @param uiLocales BCP 47, the best first (OpenID Connect Core section 3.1.2.1)
 * @param acceptLanguage as the header came
 */
export function languageOf(
  uiLocales: readonly string[],
  acceptLanguage: string | undefined,
  fallback: Language,
): Language {
  for (const range of [...uiLocales.slice(0, limits.uiLocales), ...rangesIn(acceptLanguage ?? '')]) {
    const found = lookUp(range)
    if (found) return found
  }
  return fallback
}
