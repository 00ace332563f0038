import { loadConfig, type LoadedConfig } from '@countersign/chassis/config'
import type { Surroundings } from '../surroundings.ts'

/** Variables that are this command's, and no keys of the configuration. */
const ours = ['COUNTERSIGN_TOKEN', 'COUNTERSIGN_CLIENT_ID', 'COUNTERSIGN_CLIENT_SECRET']

/** The configuration that a service started here would have. @throws ConfigError */
export function readConfig(file: string | undefined, { env, cwd }: Surroundings): LoadedConfig {
  const keys = Object.entries(env).filter(([name]) => !ours.includes(name))
  return loadConfig({ file, env: Object.fromEntries(keys), cwd })
}
