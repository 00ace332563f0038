/** The middle value; of an even number, the mean of the middle two. @throws RangeError of none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values to take the median of')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Half of the way from the least to the most, as per cent of the median: the `x` of ± x %. */
export function spreadPercent(values: readonly number[]): number {
  const middle = median(values)
  if (middle === 0) return 0
  return ((Math.max(...values) - Math.min(...values)) / 2 / Math.abs(middle)) * 100
}

/** The nearest-rank percentile of values in ascending order. @throws RangeError of none. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  if (sorted.length === 0) throw new RangeError('no values to take a percentile of')
  const rank = Math.ceil((percent / 100) * sorted.length)
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1]!
}
