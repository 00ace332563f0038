import { ok, warn, type Check } from './finding.ts'

export const configuration: Check = {
  name: 'configuration',
  mend: 'countersign config check',
  async run({ loaded: { config, file, warnings } }) {
    const from = file ?? 'no file: the defaults and the environment'
    const parties = config.demo ? 'a resource and clients to try it with' : `${config.clients.length} clients`
    const found = ok('configuration', `${from}; ${parties}`)
    return [found, ...warnings.map((warning) => warn('configuration', warning))]
  },
}
