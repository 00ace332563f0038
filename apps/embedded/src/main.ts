import { commandLine, runProcess } from '@countersign/assembly'

export const main = (options: { config?: string | undefined }): Promise<void> =>
  runProcess({
    name: 'countersign',
    services: ['login', 'token-issuer', 'introspection', 'audit'],
    configFile: options.config,
  })

if (import.meta.main) await main(commandLine('embedded'))
