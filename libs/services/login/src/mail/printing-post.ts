import type { Post } from './post.ts'

const frame = '='.repeat(80)
const printable = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')

/**
 * For development, where there is no mail server: shows the links of letters to whoever looks on.
 * @param write takes text for the terminal; never a log
 */
export function createPrintingPost(write: (text: string) => void): Post {
  let sent = 0
  return {
    async send({ to, subject, text }) {
      const links = text.split('\n').filter((line) => /^https?:\/\//.test(line))
      const lines = [
        'DEVELOPMENT ONLY: no mail server is configured, so this letter is shown here and sent to nobody.',
        'Whoever sees this can use the link. Set mail.url in the configuration to send letters.',
        '',
        `To:      ${to}`,
        `Subject: ${subject}`,
        ...links,
      ]
      write(`\n${frame}\n${lines.map(printable).join('\n')}\n${frame}\n\n`)
      sent++
      return true
    },
    stats: () => ({ sent, failed: 0, retried: 0, waiting: 0 }),
    close: async () => undefined,
  }
}
