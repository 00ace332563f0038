import { limits } from '../limits.ts'
import { ok, warn, type Finding } from './finding.ts'

/**
 * Compares a server's clock with ours.
 * @param askServer gives the server's time, in milliseconds since the Unix epoch
 */
export async function compareClocks(
  server: string,
  now: () => number,
  askServer: () => Promise<number>,
): Promise<Finding> {
  const before = now()
  const theirs = await askServer()
  const after = now()
  // It read its clock at some moment between the two; what is left is certain.
  const aheadMs = theirs > after ? theirs - after : theirs < before ? theirs - before : 0
  const seconds = (Math.abs(aheadMs) / 1_000).toFixed(1)
  if (Math.abs(aheadMs) <= limits.clockSkewMs)
    return ok('clock', `${server} and this machine agree within ${limits.clockSkewMs / 1_000} s`)
  const what = `${server} is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine`
  return warn('clock', what, 'run chrony or another NTP client on both')
}
