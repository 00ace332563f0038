import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, freePort, giveTo, ServerProcess, temporaryFolder, unprivilegedUser } from './process.ts'

export interface SlapdOptions {
  /** Distinguished name of the tree's top. Default dc=example,dc=org; its entry is made. */
  suffix?: string
  /** Entries below it, as LDIF; groups get no memberOf from here: add them once it runs. */
  ldif?: string
  /** PEM texts: StartTLS is offered then, and ldaps:// is listened on, too. */
  tls?: { cert: string | Buffer; key: string | Buffer }
  /** More lines for slapd.conf, of the database. */
  config?: string[]
}

export interface Slapd extends ServerProcess {
  url: string
  /** ldaps://; undefined without TLS. */
  secureUrl: string | undefined
  suffix: string
  /** May do everything. */
  manager: { dn: string; password: string }
}

/** An OpenLDAP server with the memberof overlay: whom a group names as `member` has it as `memberOf`. */
export async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  const { suffix = 'dc=example,dc=org', ldif = '', tls } = options
  const manager = { dn: `cn=manager,${suffix}`, password: 'manager-of-the-test' }
  const [port, securePort] = [await freePort(), await freePort()]
  const folder = temporaryFolder('slapd')
  const user = unprivilegedUser('openldap')
  const write = (name: string, text: string | Buffer): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    giveTo(join(folder, name), user)
    return join(folder, name)
  }
  for (const path of [folder, join(folder, 'data')]) {
    mkdirSync(path, { recursive: true })
    giveTo(path, user)
  }
  const secured = tls
    ? [`TLSCertificateFile ${write('cert.pem', tls.cert)}`, `TLSCertificateKeyFile ${write('key.pem', tls.key)}`]
    : []
  const lines = [
    ...['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`),
    ...['modulepath /usr/lib/ldap', 'moduleload back_mdb', 'moduleload memberof'],
    ...secured,
    ...['database mdb', `directory ${join(folder, 'data')}`, 'maxsize 67108864', 'dbnosync'],
    ...[`suffix "${suffix}"`, `rootdn "${manager.dn}"`, `rootpw ${manager.password}`],
    ...(options.config ?? []),
    'overlay memberof',
  ]
  const config = write('slapd.conf', `${lines.join('\n')}\n`)
  const program = confinedProgram(folder)
  const [kind = '', name = ''] = /^(\w+)=([^,]*)/.exec(suffix)?.slice(1) ?? []
  const top = `dn: ${suffix}\nobjectClass: organization\nobjectClass: dcObject\no: ${name}\n${kind}: ${name}\n\n`
  const data = write('data.ldif', top + ldif)
  const added = spawnSync(program, ['-T', 'add', '-q', '-f', config, '-l', data], { encoding: 'utf8', ...user })
  if (added.status !== 0) throw new Error(`slapadd failed:\n${added.stdout}${added.stderr}${added.error ?? ''}`)
  const urls = [`ldap://127.0.0.1:${port}`, ...(tls ? [`ldaps://127.0.0.1:${securePort}`] : [])]
  const args = ['-f', config, '-h', urls.join(' '), '-d', '0']
  const server = await new ServerProcess({ program, args, port, folder, user }).start()
  return Object.assign(server, { url: urls[0]!, secureUrl: urls[1], suffix, manager })
}

/** Ubuntu confines the installed program, by its path, to the folders of the system's own directory. */
function confinedProgram(folder: string): string {
  const installed = findProgram('slapd', 'slapd')
  if (!existsSync('/etc/apparmor.d/usr.sbin.slapd')) return installed
  copyFileSync(installed, join(folder, 'slapd'))
  return join(folder, 'slapd')
}
