export { commandLine } from './command-line.ts'
export { demoClients, demoSecret } from './demo.ts'
export { MasterKeyError, readMasterKey } from './master-key.ts'
export { runProcess, type ProcessOptions } from './run.ts'
