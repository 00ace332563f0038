type Property<Key> = Key extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Property<Tail>>}` : Key

/** What the file calls `logo_uri` is `logoUri` in the configuration; inner maps keep their names. */
export const asProperties = <Given extends object>(given: Given) =>
  Object.fromEntries(
    Object.entries(given).map(([key, value]) => [
      key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  ) as { [Key in keyof Given as Property<Key> & string]: Given[Key] }
