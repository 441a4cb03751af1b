// dhow's own command line, run from source as a user runs the program.
import { join } from "node:path"

export const MAIN = join(import.meta.dir, "../../src/main.ts")

export type Outcome = { readonly status: number; readonly stdout: string; readonly stderr: string }

export type CliOptions = {
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
}

export async function dhow(args: readonly string[], options: CliOptions = {}): Promise<Outcome> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    env: { ...process.env, ...options.environment },
    stdin: options.input === undefined ? "ignore" : Buffer.from(options.input),
    stdout: "pipe",
    stderr: "pipe",
  })
  const [status, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { status, stdout, stderr }
}
