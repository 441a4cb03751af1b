// examples/compose-stack, shown by driving it: docker's client and docker compose against an engine of its own. Each line
// that comes out was seen to be so; the first thing that does not hold ends it with status 1.
import { join } from "node:path"
import { composeProgram, Project } from "../../test/support/compose.ts"
import { dockerProgram } from "../../test/support/docker.ts"
import { TestEngine } from "../../test/support/engine.ts"
import { dockerCliDirectory } from "../docker-cli.ts"
import { StackClient } from "./client.ts"
import { killedDuringUp, killedWhileServing, orderByHealth, resolution, scaling, survival } from "./scenes.ts"

const root = join(import.meta.dir, "../..")
const example = join(root, "examples/compose-stack")

async function show(engine: TestEngine): Promise<void> {
  await engine.start()
  await makeImages(engine)
  const port = await freePort()
  process.env["STACK_PORT"] = String(port)
  const stack = {
    engine,
    project: new Project(engine, "compose-stack", example),
    client: new StackClient(`http://127.0.0.1:${port}`),
  }
  for (const scene of [orderByHealth, resolution, scaling, survival, killedWhileServing, killedDuringUp]) {
    console.log(`\n${scene.title}`)
    const began = performance.now()
    await scene.play(stack, (line) => console.log(`  ${line}`))
    console.log(`  (${((performance.now() - began) / 1000).toFixed(1)} s)`)
  }
  await stack.project.ok("down", "-v")
}

async function makeImages(engine: TestEngine): Promise<void> {
  console.log("images, from Debian packages")
  const child = Bun.spawn([join(example, "images.sh")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      DOCKER: dockerProgram,
      DOCKER_HOST: `unix://${engine.socket}`,
      DOCKER_CONFIG: join(engine.root, "home"),
      TMPDIR: engine.root,
    },
  })
  for await (const chunk of child.stdout) process.stdout.write(`  ${new TextDecoder().decode(chunk)}`)
  if ((await child.exited) !== 0) throw new Error("images.sh failed")
}

async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() })
  const port = server.port
  await server.stop(true)
  return port ?? 8080
}

if (dockerCliDirectory(root) === undefined || composeProgram === undefined) {
  console.error("Neither docker's client nor docker compose can be had from this machine's package mirror")
  process.exit(1)
}
const engine = new TestEngine()
let status = 0
try {
  await show(engine)
  console.log("\nall of it holds")
} catch (error) {
  console.error(error)
  status = 1
} finally {
  await engine.destroy()
}
process.exit(status)
