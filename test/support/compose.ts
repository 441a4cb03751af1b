// The real docker compose against an engine of the test: `docker compose` where there is a docker client, and the plugin by
// itself otherwise. A project lies in a directory of its own below the engine's.
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { dockerComposeProgram } from "../../tools/docker-compose.ts"
import { CommandLine, type CommandOptions, dockerProgram, type LiveCommand, type Outcome } from "./docker.ts"
import type { TestEngine } from "./engine.ts"

/** Undefined where no compose can be had: tests are skipped then. */
export const composeProgram = dockerComposeProgram(join(import.meta.dir, "../.."))

/** Of a command: `up` starts many containers, on a machine that may be busy. */
const PATIENCE = 45_000

export class Project {
  readonly directory: string
  readonly name: string
  readonly #line: CommandLine
  /** The plugin by itself: docker's client does not hand signals on to it. */
  readonly #plugin: CommandLine

  /** Files by their path below the project's directory, or a directory that is there; `compose.yaml` is among them. */
  constructor(engine: TestEngine, name: string, files: Readonly<Record<string, string>> | string) {
    this.name = name
    this.directory = typeof files === "string" ? files : join(engine.root, "projects", name)
    if (typeof files !== "string") this.write(files)
    const home = join(engine.root, "compose-home")
    const plugin = join(home, "cli-plugins/docker-compose")
    mkdirSync(dirname(plugin), { recursive: true })
    if (!existsSync(plugin)) symlinkSync(composeProgram ?? "", plugin)
    const words = dockerProgram === undefined ? [composeProgram ?? ""] : [dockerProgram, "compose"]
    const flags = ["--project-directory", this.directory, "-p", name, "--ansi", "never"]
    const environment = {
      DOCKER_HOST: `unix://${engine.socket}`,
      DOCKER_CONFIG: home,
      HOME: home,
      DOCKER_CLI_HINTS: "false",
      COMPOSE_PROGRESS: "plain",
      COMPOSE_MENU: "false",
      COMPOSE_FILE: join(this.directory, "compose.yaml"),
    }
    this.#line = new CommandLine([...words, ...flags], environment)
    this.#plugin = new CommandLine([composeProgram ?? "", ...flags], environment)
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      const target = join(this.directory, path)
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, text)
      chmodSync(target, 0o644)
    }
  }

  run(args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
    return this.#line.run(args, { patience: PATIENCE, ...options })
  }

  /** Standard output of a command that must end well, without its final newline. */
  async ok(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(args)
    if (status !== 0) throw new Error(`compose ${args.join(" ")}: status ${status}: ${stderr}${stdout}`)
    return stdout.replace(/\n$/, "")
  }

  /** Everything said, of a command that must fail. */
  async fails(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(args)
    if (status === 0) throw new Error(`compose ${args.join(" ")} ended well: ${stdout}${stderr}`)
    return stderr + stdout
  }

  spawn(args: readonly string[]): LiveCommand {
    return this.#plugin.spawn(args)
  }

  /** `ps -a`, by service and number. */
  async containers(): Promise<readonly ComposeContainer[]> {
    const lines = await this.ok("ps", "-a", "--format", "json")
    return lines.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as ComposeContainer]))
  }
}

export type ComposeContainer = {
  readonly ID: string
  readonly Name: string
  readonly Service: string
  readonly State: string
  readonly Health: string
  readonly ExitCode: number
  readonly Publishers:
    | readonly { readonly URL: string; readonly TargetPort: number; readonly PublishedPort: number }[]
    | null
}

/** Asks until it holds; fails with the last answer when it does not come to. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  patience = 20_000,
): Promise<T> {
  const deadline = Date.now() + patience
  for (;;) {
    const seen = await ask()
    if (holds(seen)) return seen
    if (Date.now() > deadline) throw new Error(`It did not come to be: ${JSON.stringify(seen)}`)
    await Bun.sleep(50)
  }
}
