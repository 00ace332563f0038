import { readdirSync, readFileSync } from 'node:fs'

/** What a process takes. */
export interface Resources {
  residentMib: number
  /** The most that was resident since it started. */
  peakMib: number
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Reads `/proc/<pid>/stat`: fields 14 and 15, counted after the name, which may hold spaces and brackets. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Reads a line such as `VmRSS:   120732 kB` of `/proc/<pid>/status`. */
export function mibOf(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN) / 1_024
}

/** Reads field 4 of `/proc/<pid>/stat`. */
const parentOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])

function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
}

/** Seconds of processor time of some processes and their children, e.g. PostgreSQL's; undefined where the system does not tell. */
export function cpuSecondsOfAll(pids: readonly number[]): number | undefined {
  if (statOf(process.pid) === undefined) return undefined
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = statOf(Number(name))
      return stat === undefined ? [] : [{ pid: Number(name), stat }]
    })
  const ours = stats.filter(({ pid, stat }) => pids.includes(pid) || pids.includes(parentOf(stat)))
  return ours.reduce((sum, { stat }) => sum + cpuSecondsOf(stat), 0)
}

/**
 * Reads the first line of `/proc/stat`: seconds of processor time of all processes, and those that the host took.
 * Interrupts are left out: nobody's.
 */
export function machineCpuSecondsOf(stat: string): number {
  const [user, nice, system, , , , , steal] = stat.slice(0, stat.indexOf('\n')).trim().split(/ +/).slice(1).map(Number)
  return (user! + nice! + system! + (steal ?? 0)) / ticksPerSecond
}

export function machineCpuSeconds(): number | undefined {
  try {
    return machineCpuSecondsOf(readFileSync('/proc/stat', 'utf8'))
  } catch {
    return undefined
  }
}

/** Undefined where the system does not tell: only Linux does. */
export function resourcesOf(pid: number): Resources | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return { residentMib: mibOf(status, 'VmRSS'), peakMib: mibOf(status, 'VmHWM') }
  } catch {
    return undefined
  }
}
