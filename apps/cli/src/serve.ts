import { Failure } from '@countersign/contracts'

/** The folders of the apps, by what is served. */
const folders = {
  all: 'embedded',
  login: 'login',
  'token-issuer': 'token-issuer',
  introspection: 'introspection',
  audit: 'audit',
} as const

type Service = keyof typeof folders

const isService = (name: string): name is Service => Object.hasOwn(folders, name)

/** Starts an app, as its `main.ts` would be by hand; it runs until it is told to stop. @throws when it cannot start */
export async function serve(service: string, { config }: { config?: string }): Promise<void> {
  if (!isService(service)) {
    throw new Failure('invalid_request', `there is no service of this name: serve ${Object.keys(folders).join(', ')}`)
  }
  const file = new URL(`../../${folders[service]}/src/main.ts`, import.meta.url)
  const app = (await import(file.href)) as { main(options: { config?: string }): Promise<void> }
  await app.main(config === undefined ? {} : { config })
}
