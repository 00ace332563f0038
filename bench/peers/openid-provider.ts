// Somebody else's OpenID provider in a process of its own: RS256 keys, PKCE, and codes that are good once.
import { HostileProvider } from '@countersign/service-login/testing/hostile-provider'

const provider = await new HostileProvider().start()
const { issuer, clientId, clientSecret } = provider
// What it was asked is for tests to look at.
setInterval(() => void (provider.calls.length = 0), 1_000)
process.on('disconnect', () => process.exit())
process.send!({ issuer, clientId, clientSecret })
