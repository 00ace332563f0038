import { commandLine, runProcess } from '@countersign/assembly'

export const main = (options: { config?: string | undefined }): Promise<void> =>
  runProcess({ name: 'token-issuer', services: ['token-issuer'], configFile: options.config })

if (import.meta.main) await main(commandLine('token-issuer'))
