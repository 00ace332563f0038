import { jetstreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node'
import type { Config } from '@countersign/chassis/config'
import { limits } from '../limits.ts'
import { fail, ok, sentenceOf, warn, type Check, type Finding } from './finding.ts'

const check = 'bus'
const streamName = 'COUNTERSIGN_EVENTS'

export const bus: Check = {
  name: check,
  mend: 'see that nats-server runs, and that bus.url and bus.credentials are right; events wait in the store until then',
  async run({ loaded: { config }, signal }) {
    if (config.bus.url === 'in-process') return [ok(check, 'in-process: nothing to reach')]
    const found = await Promise.all(serversOf(config.bus.url).map((server) => inspectServer(server, config, signal)))
    const isAnyWell = found.some((findings) => findings.every(({ level }) => level !== 'fail'))
    // One server is enough; the others are for when it fails.
    return found
      .flat()
      .map((finding) => (isAnyWell && finding.level === 'fail' ? { ...finding, level: 'warn' } : finding))
  },
}

function serversOf(url: string): URL[] {
  const scheme = /^(nats|tls):\/\//.exec(url)?.[0] ?? ''
  return url.split(',').map((server) => new URL(server.includes('://') ? server : scheme + server))
}

async function inspectServer(server: URL, config: Config, signal: AbortSignal): Promise<Finding[]> {
  let connection: NatsConnection
  try {
    connection = await connect(optionsFor(server, config.bus))
  } catch (thrown) {
    return [fail(check, `${server.host}: ${sentenceOf(thrown)}`, bus.mend)]
  }
  const cut = () => void connection.close()
  signal.addEventListener('abort', cut, { once: true })
  try {
    return [describeServer(server.host, connection), ...(await inspectStream(server.host, connection, config.bus))]
  } finally {
    signal.removeEventListener('abort', cut)
    await connection.close()
  }
}

function optionsFor(
  { host, username, password, protocol }: URL,
  { tls, credentials }: Config['bus'],
): ConnectionOptions {
  const options: ConnectionOptions = {
    servers: host,
    name: 'countersign-doctor',
    reconnect: false,
    timeout: limits.checkMs / 2,
    ignoreClusterUpdates: true,
  }
  if (tls !== undefined || protocol === 'tls:') {
    options.tls = Object.fromEntries(Object.entries(tls ?? {}).map(([name, path]) => [`${name}File`, path]))
  }
  if (credentials !== undefined)
    return { ...options, authenticator: credsAuthenticator(new TextEncoder().encode(credentials.reveal())) }
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)]
  if (user === '') return options
  return pass === '' ? { ...options, token: user } : { ...options, user, pass }
}

/** `sync_interval: always` came with nats-server 2.10. */
function describeServer(host: string, { info }: NatsConnection): Finding {
  const version = info?.version ?? ''
  const what = `${host}: nats-server ${version}, JetStream ${info?.jetstream ? 'on' : 'off'}`
  if (!info?.jetstream)
    return fail(check, what, 'start it with -js, or put jetstream { store_dir: … } in its configuration')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const canSync = major > 2 || (major === 2 && minor >= 10)
  const hint = canSync
    ? 'jetstream { sync_interval: always } lets what it has taken outlive a power cut; without it events are sent again'
    : 'from 2.10 on jetstream { sync_interval: always } lets what it has taken outlive a power cut; here events are sent again'
  return ok(check, what, hint)
}

async function inspectStream(
  host: string,
  connection: NatsConnection,
  { replicas }: Config['bus'],
): Promise<Finding[]> {
  if (!connection.info?.jetstream) return []
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: limits.checkMs / 2 })
  const streams = await manager.streams.list().next()
  const stream = streams.find(({ config }) => config.name === streamName)
  if (stream === undefined)
    return [ok(check, `${host}: the stream ${streamName} is not there yet: the first start makes it`)]
  const consumers = await manager.consumers.list(streamName).next()
  const waiting = consumers.map(
    ({ name, num_pending, num_ack_pending }) => `${name}: ${num_pending + num_ack_pending} waiting`,
  )
  const what = [`${host}: the stream ${streamName} has ${stream.state.messages} events`, ...waiting].join(', ')
  const copies = stream.config.num_replicas
  if (copies === replicas) return [ok(check, what)]
  return [
    warn(
      check,
      `${what}; ${copies} copies where bus.replicas is ${replicas}`,
      'restart a service: it sets the stream up',
    ),
  ]
}
