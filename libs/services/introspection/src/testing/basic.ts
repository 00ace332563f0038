/** For ids and secrets without anything to be encoded. */
export const basicAuthorization = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
