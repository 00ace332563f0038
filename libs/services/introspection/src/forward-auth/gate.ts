import { inAscii, type HttpAnswer } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import { createIdentifier, type CredentialsOptions } from './credentials.ts'
import { identityHeaders } from './identity.ts'
import { originalOf, type HeaderValues } from './original.ts'
import { createRules, lacking, requirementOf, type ForwardAuthRule, type Requirement } from './rules.ts'

export interface ForwardAuthOptions {
  /** `off`: everything is let through as anonymous. */
  authentication: 'on' | 'off'
  rules: readonly ForwardAuthRule[]
  /** Every scope that there is. */
  scopes: () => Iterable<string>
}

export interface GateOptions extends ForwardAuthOptions, CredentialsOptions {
  log: { warn(fields: object, message: string): void }
}

/** A gateway's question about a request that it holds. */
export interface Asked {
  /** Of the question, not of the request. */
  readonly query: string
  readonly valuesOf: HeaderValues
  /** What it says of the request may be believed. */
  readonly isFromTrustedProxy: boolean
  /** Whoever made the request. */
  readonly address: string
}

export interface Gate {
  /** @throws Failure where there is no verdict, and that is no permission */
  decide(asked: Asked): Promise<HttpAnswer>
  /** Let through because authentication is off. */
  readonly anonymous: number
}

/** Lets everything through, and says so. */
function openGate({ log, scopes }: GateOptions): Gate {
  log.warn({}, 'AUTHENTICATION IS OFF: forward-auth lets every request through as anonymous until it is configured')
  const headers = {
    'cache-control': 'no-store',
    'countersign-authentication': 'off',
    ...identityHeaders(undefined, scopes),
  }
  let anonymous = 0
  return {
    async decide() {
      if (++anonymous === 1)
        log.warn({}, 'AUTHENTICATION IS OFF: forward-auth is letting requests through as anonymous')
      return { status: 200, headers }
    },
    get anonymous() {
      return anonymous
    },
  }
}

/** Decides whether a request may pass, and tells who made it. */
export function createGate(options: GateOptions): Gate {
  if (options.authentication === 'off') return openGate(options)
  const { rules, scopes } = options
  const ruleFor = createRules(rules)
  const identify = createIdentifier(options)

  /** @throws Failure `access_denied` where nothing allows the request, whoever makes it */
  function required({ query, valuesOf, isFromTrustedProxy }: Asked): Requirement {
    const asked = requirementOf(query)
    if (asked) return asked
    if (!isFromTrustedProxy)
      throw new Failure(
        'access_denied',
        'this is for gateways that trusted_proxies names, which say what was asked for',
      )
    const rule = ruleFor(originalOf(valuesOf))
    if (!rule) throw new Failure('access_denied', 'no rule is for this request')
    return rule
  }

  return {
    anonymous: 0,
    async decide(asked) {
      const requirement = required(asked)
      const identified = await identify(asked.valuesOf, asked.address)
      if (!identified) {
        if (requirement.anonymous) return { status: 200, headers: passing(undefined) }
        return identified === false
          ? refusal(401, {
              error: 'invalid_token',
              error_description: 'the token is unknown, expired or revoked, or bound',
            })
          : refusal(401, {})
      }
      const lack = requirement.anonymous ? undefined : lacking(requirement, identified)
      if (lack !== undefined) {
        const scope = requirement.scopes.join(' ')
        return refusal(403, {
          error: 'insufficient_scope',
          error_description: inAscii(lack),
          ...(scope !== '' && { scope }),
        })
      }
      return { status: 200, headers: passing(identified) }
    },
  }

  function passing(identity: Parameters<typeof identityHeaders>[0]) {
    return { 'cache-control': 'no-store', ...identityHeaders(identity, scopes) }
  }
}

/** RFC 6750 section 3. */
function refusal(status: 401 | 403, said: Readonly<Record<string, string>>): HttpAnswer {
  const parameters = Object.entries({ realm: 'countersign', ...said }).map(([name, value]) => `${name}="${value}"`)
  const { error = 'token_required', error_description } = said
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'www-authenticate': `Bearer ${parameters.join(', ')}`,
    },
    body: JSON.stringify({ error, ...(error_description !== undefined && { error_description }) }),
  }
}
