import { Visitor } from '@countersign/servers'
import type { Application, ApplicationOptions, Library, Parameters, Tokens } from '../application.ts'
import { answerOf } from '../person.ts'
import { redirectUri, type Setting } from '../setting.ts'

/** A library against a stack. */
export interface World {
  readonly setting: Setting
  /** An application of that client id, with its credentials. */
  application(clientId: string, more?: Omit<ApplicationOptions, 'issuerUrl' | 'clientId'>): Promise<Application>
}

export type Journey = readonly [name: string, go: (world: World) => Promise<void>]

export const worldOf = (setting: Setting, library: Library): World => ({
  setting,
  application(clientId, more = {}) {
    const known: Readonly<Record<string, ApplicationOptions['credentials']>> = setting.credentials
    const credentials = known[clientId]
    return library({ issuerUrl: setting.issuerUrl, clientId, ...(credentials && { credentials }), ...more })
  },
})

export const everything = 'openid profile email offline_access read:reports'

/** What every request here has. */
export const asking = (more: Parameters = {}): Parameters => ({
  redirect_uri: redirectUri,
  scope: everything,
  ...more,
})

/** Signs the person in, and redeems the code. */
export async function signIn(
  { setting }: World,
  application: Application,
  more: Parameters = {},
  visitor = new Visitor(setting.issuerUrl),
): Promise<Tokens> {
  const begun = await application.begin(asking(more))
  return application.redeem(begun, await answerOf(visitor, begun.url))
}

/** What an application sees of an access token that is not good. */
export const refusedToken = { code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE', status: 401 }

/** What a resource server hears of a token. */
export const heardOf = async (world: World, token: string): Promise<Record<string, unknown>> =>
  (await world.application('reports-api')).introspect(token)
