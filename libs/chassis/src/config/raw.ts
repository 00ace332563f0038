/** What was given, before it is known to be right: looked at without trusting its shape. */
export type Raw = Readonly<Record<string, unknown>>

export const mapAt = (raw: Raw, key: string): Raw => {
  const value = raw[key]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : {}
}

export const listAt = (raw: Raw, key: string): readonly unknown[] => {
  const value = raw[key]
  return Array.isArray(value) ? value : []
}

/** The maps in a list, each with its index. */
export const mapsAt = (raw: Raw, key: string): readonly (readonly [Raw, number])[] =>
  listAt(raw, key).map((item, index) => [mapAt({ item }, 'item'), index] as const)

export const textAt = (raw: Raw, key: string): string | undefined => {
  const value = raw[key]
  return typeof value === 'string' ? value : undefined
}
