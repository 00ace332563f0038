import { commandLine, runProcess } from '@countersign/assembly'

export const main = (options: { config?: string | undefined }): Promise<void> =>
  runProcess({ name: 'login', services: ['login'], configFile: options.config })

if (import.meta.main) await main(commandLine('login'))
