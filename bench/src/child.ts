import { fork, type ChildProcess } from 'node:child_process'
import { limits } from './limits.ts'

export interface Child {
  pid: number
  /** What it announced. */
  ready: unknown
  /** Sends a message and waits for the answer. */
  ask(question: unknown, withinMs: number): Promise<unknown>
  stop(): Promise<void>
}

const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

async function stop(child: ChildProcess): Promise<void> {
  if (ended(child)) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), limits.childEndMs)
  await gone
  clearTimeout(timer)
}

/** The next message of a child; rejects when it ends first or takes too long. */
function nextMessage(child: ChildProcess, path: string, withinMs: number, output: () => string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer)
      child.off('message', onMessage).off('exit', onExit)
      act()
    }
    const onMessage = (message: unknown) => settle(() => resolve(message))
    const onExit = () => settle(() => reject(new Error(`${path} ended:\n${output()}`)))
    const late = () => settle(() => reject(new Error(`${path} said nothing for ${withinMs} ms:\n${output()}`)))
    const timer = setTimeout(late, withinMs)
    child.on('message', onMessage).on('exit', onExit)
    if (ended(child)) onExit()
  })
}

/**
 * Starts one of our scripts as a process of its own. It announces itself with one message, and ends when the channel to
 * us closes, so that nothing is left behind even when we are killed.
 * @throws Error with its output when it ends or stays silent
 */
export async function startChild(
  path: URL,
  args: readonly string[],
  { execArgv = [], readyMs = limits.childReadyMs }: { execArgv?: string[]; readyMs?: number } = {},
): Promise<Child> {
  const child = fork(path, [...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, NODE_ENV: 'production' },
    execArgv,
  })
  let output = ''
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000))
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const next = (withinMs: number) => nextMessage(child, path.pathname, withinMs, () => output)
  try {
    const ready = await next(readyMs)
    return {
      pid: child.pid!,
      ready,
      ask(question, withinMs) {
        const answer = next(withinMs)
        child.send(question as object)
        return answer
      },
      stop: () => stop(child),
    }
  } catch (error) {
    await stop(child)
    throw error
  }
}

/** Starts a server of ours, which announces its port. */
export async function startServer(path: URL, args: readonly string[]): Promise<Child & { port: number }> {
  const child = await startChild(path, args)
  return { ...child, port: (child.ready as { port: number }).port }
}
