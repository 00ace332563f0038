export { AccountDirectory, type Account, type AccountDirectoryOptions } from './account-directory.ts'
export type { FailureThrottle } from './ports.ts'
export { createLoginService, type LoginService, type LoginServiceOptions } from './service.ts'
