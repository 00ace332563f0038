import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from '@countersign/chassis/config'
import { limits } from '../limits.ts'
import { fail, ok, sentenceOf, warn, type Check, type Finding } from './finding.ts'

const check = 'certificates'

export const certificates: Check = {
  name: check,
  mend: 'put a PEM certificate there',
  async run({ loaded: { config }, now }) {
    const files = filesIn(config)
    if (files.length === 0) return [ok(check, 'none in the configuration')]
    return files.flatMap((file) => inspectFile(file, now()))
  },
}

interface CertificateFile {
  readonly setting: string
  readonly path: string
  readonly keyPath: string | undefined
}

function filesIn({ grpc, http, store, bus, audit }: Config): CertificateFile[] {
  const sections = { grpc, http, 'store.tls': store.tls, 'bus.tls': bus.tls, 'audit.tls': audit.tls }
  return Object.entries(sections).flatMap(([section, files]) => {
    const { cert, key, ca, clientCa } = { ...files } as Record<string, string | undefined>
    const settings = { cert, ca, client_ca: clientCa }
    return Object.entries(settings).flatMap(([name, path]) =>
      path === undefined ? [] : [{ setting: `${section}.${name}`, path, keyPath: name === 'cert' ? key : undefined }],
    )
  })
}

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function inspectFile({ setting, path, keyPath }: CertificateFile, now: number): Finding[] {
  try {
    const found = readFileSync(path, 'utf8').match(pem) ?? []
    if (found.length === 0) return [fail(check, `${setting}: ${path} holds no certificate`, certificates.mend)]
    const [first, ...others] = found.map((text) => new X509Certificate(text))
    const fits = keyPath === undefined || first!.checkPrivateKey(createPrivateKey(readFileSync(keyPath)))
    if (!fits)
      return [fail(check, `${setting}: its key belongs to another certificate`, 'give the pair that was made together')]
    return [first!, ...others].map((certificate) => inspectDates(setting, certificate, now))
  } catch (thrown) {
    return [fail(check, `${setting}: ${sentenceOf(thrown)}`, certificates.mend)]
  }
}

function inspectDates(setting: string, { subject, validFromDate, validToDate }: X509Certificate, now: number): Finding {
  const name = `${setting}: ${subject.replace(/\n/g, ', ') || 'without a name'}`
  return describeDates(check, name, validFromDate.getTime(), validToDate.getTime(), now)
}

/** What the dates of a certificate mean now. */
export function describeDates(check: string, name: string, from: number, to: number, now: number): Finding {
  const day = (time: number) => new Date(time).toISOString().slice(0, 10)
  if (now < from)
    return fail(check, `${name} is not valid before ${day(from)}`, 'wait, or see whether the clock is right')
  if (now >= to) return fail(check, `${name} ended on ${day(to)}`, 'renew it')
  if (to - now < limits.certificateMs) return warn(check, `${name} ends on ${day(to)}`, 'renew it')
  return ok(check, `${name} is valid until ${day(to)}`)
}
