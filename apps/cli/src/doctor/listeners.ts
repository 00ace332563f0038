import { once } from 'node:events'
import { createServer } from 'node:net'
import { writeHostPort, type Config, type ListenAddress } from '@countersign/chassis/config'
import { fail, ok, warn, type Check, type Finding } from './finding.ts'
import { speaksOurHttp, speaksOurRpc } from './ourselves.ts'
import { isOf, presentedCertificate } from './tls.ts'

const check = 'listen'

export const listeners: Check = {
  name: check,
  mend: 'give an address of this machine, and a port that is free',
  async run({ loaded: { config }, signal }) {
    const names = ['http', 'grpc', 'management'] as const
    return Promise.all(names.map((name) => inspectListener(name, config, signal)))
  },
}

type Listener = keyof Config['listen']

const reasons: Record<string, readonly [what: string, mend: string]> = {
  EADDRNOTAVAIL: ['is no address of this machine', 'give one of its addresses, or 0.0.0.0 for all of them'],
  EACCES: ['may not be listened on by this user', 'take a port from 1024 on, or grant CAP_NET_BIND_SERVICE'],
  ENOTFOUND: ['is no host that is known here', listeners.mend],
}

async function inspectListener(name: Listener, config: Config, signal: AbortSignal): Promise<Finding> {
  const address = config.listen[name]
  const what = `${name} ${writeHostPort(address)}`
  const code = await tryToListen(address)
  if (code === undefined) return ok(check, `${what} is free: nothing is served there now`)
  if (code !== 'EADDRINUSE') {
    const [why, mend] = reasons[code] ?? [`cannot be listened on (${code})`, listeners.mend]
    return fail(check, `${what} ${why}`, mend)
  }
  const served = await whoServes(name, config, signal)
  if (served === 'us') return ok(check, `${what} is served by Countersign`)
  if (served === 'stale')
    return warn(check, `${what} still shows another certificate than the file has`, 'restart the service')
  return fail(
    check,
    `${what} is taken by another program`,
    `see which: ss -ltnp 'sport = :${address.port}'; end it, or take another port`,
  )
}

/** The code of why not; undefined when it worked. */
async function tryToListen({ host, port }: ListenAddress): Promise<string | undefined> {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
    return undefined
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? 'unknown'
  } finally {
    server.close()
  }
}

async function whoServes(name: Listener, config: Config, signal: AbortSignal): Promise<'us' | 'stale' | 'others'> {
  const { host, port } = config.listen[name]
  const near = { host: /^(0\.0\.0\.0|::)$/.test(host) ? 'localhost' : host, port }
  const certificate = name === 'management' ? undefined : config[name].cert
  try {
    if (certificate !== undefined) {
      const presented = await presentedCertificate(near, signal)
      return isOf(presented, certificate) ? 'us' : 'stale'
    }
    const isOurs = name === 'grpc' ? await speaksOurRpc(near) : await speaksOurHttp(near, signal)
    return isOurs ? 'us' : 'others'
  } catch {
    return 'others'
  }
}
