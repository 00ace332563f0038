import Bowser from 'bowser'
import { limits } from '../limits.ts'

export interface Device {
  /** Empty where it is not known. */
  browser: string
  system: string
}

const shown = (name: string | undefined): string => (name ?? '').slice(0, limits.deviceCharacters)

/** What a User-Agent says of a browser; what it says may be anything. */
export function deviceOf(userAgent: string): Device {
  if (userAgent === '') return { browser: '', system: '' }
  const { browser, os } = Bowser.parse(userAgent.slice(0, limits.userAgentCharacters))
  return { browser: shown(browser.name), system: shown(os.name) }
}
