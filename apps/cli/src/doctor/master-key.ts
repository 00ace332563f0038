import { accessSync, constants, statSync } from 'node:fs'
import { Secret } from '@countersign/chassis/config'
import { fail, ok, warn, type Check, type Finding } from './finding.ts'

const check = 'master key'

export const masterKey: Check = {
  name: check,
  mend: 'see that the file is there and may be read by the user who runs the services',
  async run({ loaded: { config } }) {
    const { masterKey, bus } = config
    if (masterKey instanceof Secret) return [ok(check, 'given by value')]
    return [inspectFile(masterKey.file, bus.url === 'in-process')]
  },
}

function inspectFile(file: string, isEmbedded: boolean): Finding {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) {
    if (isEmbedded) return ok(check, `${file} is not there yet: the first start makes it`)
    return fail(
      check,
      `${file} does not exist`,
      `make it once, and give it to every service: (umask 077; openssl rand -base64 48 > ${file})`,
    )
  }
  accessSync(file, constants.R_OK)
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    return warn(check, `${file} may be read by others (mode ${mode})`, `chmod 600 ${file}`)
  }
  return ok(check, `${file}, mode ${mode}`)
}
