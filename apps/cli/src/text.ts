/** Text that a terminal shows and does not obey: control and invisible characters are written as `\u001b`. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, escaped)

/** As {@link printable}, line by line. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

/** JSON that a terminal does not obey either: what JSON itself leaves as it is, such as C1 and bidi controls, is escaped. */
export const printableJson = (value: unknown, indent = 2): string =>
  JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\p{Cf}\u2028\u2029]/gu, escaped)

const escaped = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

/** Rows of two columns, the first padded to its widest. */
export function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('')
}
