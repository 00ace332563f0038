import { html, type Markup } from '@countersign/chassis'
import { encode } from 'uqr'

/** Modules of quiet around it (ISO/IEC 18004 section 9.1), and pixels of a module. */
const quiet = 4
const pixels = 4

/** As a picture within the page, dark on light whatever the page is: scanners want it so. */
export function qrCode(content: string, label: string): Markup {
  const { size, data } = encode(content, { border: quiet, ecc: 'M' })
  const runs = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
  const side = size * pixels
  return html`<p>
    <svg role="img" aria-label="${label}" width="${side}" height="${side}" viewbox="0 0 ${size} ${size}">
      <rect width="${size}" height="${size}" fill="#fff"></rect>
      <path d="${runs.join('')}" fill="#000"></path>
    </svg>
  </p>`
}
