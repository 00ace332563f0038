import { describe, expect, test } from '@jest/globals'
import { cpuSecondsOf, cpuSecondsOfAll, machineCpuSecondsOf, mibOf, resourcesOf } from './resources.ts'

describe('the resources of a process', () => {
  test('are read past a name with spaces and brackets', () => {
    const stat = '42 (a (b) c) S 1 42 42 0 -1 4194560 1007 0 0 0 250 50 0 0 20 0 11 0 123 456 789'
    expect(cpuSecondsOf(stat)).toBe(3)
  })

  test('are compared with all that the machine did, interrupts left out', () => {
    expect(machineCpuSecondsOf('cpu  100 10 40 9000 5 7 9 50 0 0\ncpu0 1 2 3\n')).toBe(2)
  })

  test('are in MiB', () => {
    expect(mibOf('VmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n', 'VmRSS')).toBe(100)
    expect(mibOf('Name:\tnode\n', 'VmRSS')).toBeNaN()
  })

  test('count the time of children with that of their parent', () => {
    const whole = cpuSecondsOfAll([process.ppid])
    const own = cpuSecondsOfAll([process.pid])
    expect(whole === undefined || whole >= own!).toBe(true)
  })

  test('are unknown of a process that is not there', () => {
    expect(resourcesOf(2 ** 30)).toBeUndefined()
  })
})
