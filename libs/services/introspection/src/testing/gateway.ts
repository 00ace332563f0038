import { once } from 'node:events'
import { request as send, type IncomingMessage } from 'node:http'
import { createHttpServer, createMetrics, type HttpServer } from '@countersign/chassis'
import { Failure } from '@countersign/contracts'
import type { ForwardAuthOptions } from '../forward-auth/gate.ts'
import type { IntrospectionService, IntrospectionServiceOptions } from '../service.ts'
import { Person, standing } from './person.ts'
import { World } from './world.ts'

type Headers = Readonly<Record<string, string | string[]>>

const plain = { host: 'reports.example', scopes: [], roles: [], attributes: {}, anonymous: false }
const rules = [
  { ...plain, path: '/public', anonymous: true },
  { ...plain, path: '/read', methods: ['GET'], scopes: ['read'] },
  { ...plain, path: '/write', scopes: ['write', 'own'] },
  { ...plain, path: '/edit', roles: ['editor'] },
  { ...plain, path: '/physics', attributes: { unit: ['physics'] } },
  { ...plain, path: '/signed-in' },
]
export const on: ForwardAuthOptions = { authentication: 'on', rules, scopes: () => ['read', 'write'] }

const silent = { warn: () => undefined, error: () => undefined }

/** The door that gateways ask at, and whoever asks, as Traefik does. */
export class Gateway {
  readonly world: World
  readonly service: IntrospectionService
  readonly #server: HttpServer
  isStoreDown = false
  #port = 0

  private constructor(
    world: World,
    forwardAuth: ForwardAuthOptions,
    trustedProxies: string[],
    more: Partial<IntrospectionServiceOptions>,
  ) {
    this.world = world
    const down = () => Promise.reject(new Failure('unavailable', 'the store is down'))
    const follow = (key: string) => (this.isStoreDown ? down() : world.reader.follow(key))
    this.service = world.service({ forwardAuth, reader: { ...world.reader, follow }, ...more })
    this.#server = createHttpServer({
      name: 'test',
      routes: [],
      express: this.service.routers,
      log: silent,
      metrics: createMetrics({ name: 'test' }),
      trustedProxies,
    })
  }

  static async open(
    forwardAuth: ForwardAuthOptions = on,
    trustedProxies = ['loopback'],
    more: Partial<IntrospectionServiceOptions> = {},
  ): Promise<Gateway> {
    const world = new World()
    await world.prepare()
    const gateway = new Gateway(world, forwardAuth, trustedProxies, more)
    ;({ port: gateway.#port } = await gateway.#server.listen({ host: '127.0.0.1', port: 0 }))
    return gateway
  }

  async close(): Promise<void> {
    await this.#server.close(0)
    await this.service.close()
  }

  get port(): number {
    return this.#port
  }

  /** Somebody who is an editor, and in physics. */
  ann(...[fields]: [Parameters<typeof Person.signIn>[1]?]): Promise<Person> {
    return Person.signIn(this.world, { standings: [standing('staff', ['editor'], { unit: ['physics'] })], ...fields })
  }

  async ask(headers: Headers = {}, query = '', method = 'GET') {
    const path = `/forward-auth${query}`
    const outgoing = send({ host: '127.0.0.1', port: this.#port, path, method, headers, agent: false }).end()
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    const body = Buffer.concat(await incoming.toArray()).toString()
    const { statusCode: status, headers: answered } = incoming
    return { status, headers: answered, body, challenge: answered['www-authenticate'] }
  }

  /** Asks about a request. */
  about(path: string, headers: Headers = {}, method = 'GET') {
    const told = { 'x-forwarded-method': method, 'x-forwarded-host': 'reports.example', 'x-forwarded-uri': path }
    return this.ask({ ...told, ...headers })
  }
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** Whom an answer is of. */
export const told = ({ headers }: Awaited<ReturnType<Gateway['ask']>>) => ({
  subject: headers['x-auth-subject'],
  client: headers['x-auth-client'],
  scopes: headers['x-auth-scopes'],
  roles: headers['x-auth-roles'],
  attributes: headers['x-auth-attributes'],
})

export const nobody = { subject: '', client: '', scopes: '', roles: '', attributes: '' }
