/** A loopback address written as such, with or without a port. `localhost` is a name, and may lead elsewhere. */
const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?=[/?]|$)/

const withoutPort = (uri: string): string => uri.replace(loopback, 'http://$1')

/**
 * Whether an authorization code may be sent there: letter by letter as it is registered (RFC 9700 section 4.1.3), but
 * for the port of a loopback address, which an app is given when it starts (RFC 8252 section 7.3).
 */
export function isRegisteredRedirect(registered: readonly string[], given: string): boolean {
  if (registered.includes(given)) return true
  if (!loopback.test(given)) return false
  const bare = withoutPort(given)
  return registered.some((uri) => loopback.test(uri) && withoutPort(uri) === bare)
}
