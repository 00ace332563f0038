export { ManualClock } from './manual-clock.ts'
export { TestLog } from './test-log.ts'
