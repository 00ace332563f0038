import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

/** Python's standard library has pseudo-terminals, Node.js has none. Types each answer when its question has come. */
const program = `
import json, os, pty, sys
argv, answers = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(argv[0], argv)
shown = b''
while True:
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    shown += chunk
    if answers and answers[0][0].encode() in shown:
        os.write(terminal, answers.pop(0)[1].encode())
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({'code': code, 'shown': shown.decode()}))
`

export interface Shown {
  code: number
  /** All that was on the screen. */
  shown: string
}

/** Runs the command on a terminal of its own. @param answers what to type, each after its question */
export async function runOnTerminal(
  args: readonly string[],
  answers: readonly (readonly [question: string, keys: string])[],
  env: Record<string, string> = {},
): Promise<Shown> {
  const argv = JSON.stringify([process.execPath, main, ...args])
  const { PATH = '' } = process.env
  const given = { env: { PATH, TERM: 'xterm', ...env }, timeout: 25_000 }
  const { stdout } = await promisify(execFile)('python3', ['-c', program, argv, JSON.stringify(answers)], given)
  return JSON.parse(stdout) as Shown
}
