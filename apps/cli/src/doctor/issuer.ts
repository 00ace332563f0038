import { ok, fail, warn, sentenceOf, type Check, type Finding } from './finding.ts'
import { describeDates } from './certificates.ts'
import { presentedCertificate } from './tls.ts'

const check = 'issuer'

export const issuer: Check = {
  name: check,
  mend: 'set issuer to the URL under which clients reach this server',
  async run({ loaded: { config }, now, signal }) {
    const url = new URL(config.issuer)
    const found = await inspectMetadata(config.issuer, signal)
    if (found.level === 'warn' || url.protocol !== 'https:') return [found]
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const shown = await presentedCertificate({ host, port: Number(url.port || 443) }, signal)
    const name = `the certificate of ${url.host}`
    return [found, describeDates(check, name, shown.validFromDate.getTime(), shown.validToDate.getTime(), now())]
  },
}

/** The metadata that clients find names the issuer letter by letter (RFC 8414 section 3.3). */
async function inspectMetadata(issuer: string, signal: AbortSignal): Promise<Finding> {
  let response: Response
  try {
    response = await fetch(metadataUrl(issuer), { redirect: 'manual', signal })
  } catch (thrown) {
    return warn(
      check,
      `${issuer} does not answer: ${sentenceOf(thrown)}`,
      'start the services, or see to the gateway and its name',
    )
  }
  const named = response.ok ? await issuerIn(response) : undefined
  if (named === issuer) return ok(check, `${issuer} answers`)
  if (named === undefined) {
    return fail(
      check,
      `${issuer} answers, and not as an issuer (status ${response.status})`,
      'send it to the token-issuer',
    )
  }
  return fail(check, `${issuer} answers as ${named}`, 'give all services the same issuer, and restart them')
}

/** Beside the issuer's path, as all our URLs are. */
const metadataUrl = (issuer: string): string => `${issuer}/.well-known/oauth-authorization-server`

async function issuerIn(response: Response): Promise<string | undefined> {
  try {
    const { issuer } = (await response.json()) as { issuer?: unknown }
    return typeof issuer === 'string' ? issuer : undefined
  } catch {
    return undefined
  }
}
