// The real docker client, made to tell what it sends: a server that answers just enough, and keeps what was asked.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ENVIRONMENT, FILES } from "../../src/cli/create/docker-cases.ts"

export type Recorded =
  | { readonly body: unknown; readonly query: string }
  | { readonly error: string; readonly status: number }

export function dockerMajorVersion(): number {
  if (Bun.which("docker") === null) return 0
  const { stdout } = Bun.spawnSync(["docker", "--version"])
  return Number(/version (\d+)/.exec(stdout.toString())?.[1] ?? 0)
}

/** What `docker create` with each command line sends, or says. */
export async function recordCreate(cases: readonly (readonly string[])[]): Promise<Recorded[]> {
  const directory = mkdtempSync(join(tmpdir(), "dhow-recorder-"))
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text)
  let seen: { body: unknown; query: string } | undefined
  const server = Bun.serve({
    unix: join(directory, "docker.sock"),
    async fetch(request) {
      const url = new URL(request.url)
      const headers = { "Api-Version": "1.51", Ostype: "linux" }
      if (!url.pathname.endsWith("/containers/create")) return new Response("OK", { headers })
      seen = { body: await request.json(), query: url.search }
      return Response.json({ Id: "0123", Warnings: [] }, { status: 201, headers })
    },
  })
  const environment = {
    ...ENVIRONMENT,
    PATH: process.env["PATH"] ?? "",
    HOME: directory,
    DOCKER_HOST: `unix://${join(directory, "docker.sock")}`,
  }
  try {
    const found: Recorded[] = []
    for (const argv of cases) {
      seen = undefined
      const given = argv.map((word) => word.replace("@/", `${directory}/`))
      const child = Bun.spawn(["docker", "create", ...given], { cwd: directory, env: environment, stderr: "pipe" })
      const [status, errors] = await Promise.all([child.exited, new Response(child.stderr).text()])
      found.push(seen === undefined ? { error: firstLine(errors), status } : portable(seen, directory))
    }
    return found
  } finally {
    await server.stop(true)
    rmSync(directory, { recursive: true, force: true })
  }
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").replace(/^docker: /, "")
}

function portable(seen: { body: unknown; query: string }, directory: string): Recorded {
  return JSON.parse(JSON.stringify(seen).replaceAll(directory, "@")) as Recorded
}
