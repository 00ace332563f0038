/** Red, green and blue, from 0 to 255. */
export type Rgb = readonly [number, number, number]

/** @throws RangeError unless it is `#rrggbb` */
export function rgbOf(hex: string): Rgb {
  if (!/^#[\da-f]{6}$/i.test(hex)) throw new RangeError('a colour is written as #rrggbb')
  const [red, green, blue] = Buffer.from(hex.slice(1), 'hex')
  return [red!, green!, blue!]
}

export const inHex = (colour: Rgb): string => `#${Buffer.from(colour).toString('hex')}`

/** @param share of `other`, from 0 to 1 */
export function mixed(colour: Rgb, other: Rgb, share: number): Rgb {
  const between = (n: 0 | 1 | 2) => Math.round(colour[n] + (other[n] - colour[n]) * share)
  return [between(0), between(1), between(2)]
}

/** WCAG 2.2, "relative luminance". */
function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

/** WCAG 2.2, "contrast ratio": from 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high! + 0.05) / (low! + 0.05)
}

/** What text needs (WCAG 2.2 section 1.4.3). */
const least = 4.5

/** The colour itself, or the nearest to it that text may have on this ground. */
export function readableOn(colour: Rgb, ground: Rgb): Rgb {
  const goal: Rgb = luminance(ground) > 0.18 ? [0, 0, 0] : [255, 255, 255]
  for (let share = 0; share < 1; share += 0.05) {
    const candidate = mixed(colour, goal, share)
    if (contrast(candidate, ground) >= least) return candidate
  }
  return goal
}
