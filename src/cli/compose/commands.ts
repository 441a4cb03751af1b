// The subcommands of `compose`, as data; loading one evaluates its file and no other.
import type { AnyCommand, CommandEntry } from "../command.ts"

const entry = (summary: string, load: () => Promise<AnyCommand>): CommandEntry => ({ summary, load })

export const composeCommands: Readonly<Record<string, CommandEntry>> = {
  build: entry("Build the images of services", async () => (await import("./build.ts")).build),
  config: entry("Show the project in canonical form", async () => (await import("./config.ts")).config),
  cp: entry("Copy files between a service's container and this host", async () => (await import("./cp.ts")).cp),
  create: entry("Create the containers of services", async () => (await import("./scale.ts")).create),
  down: entry("Stop and remove containers and networks", async () => (await import("./down.ts")).down),
  events: entry("Show what happens to containers, as it happens", async () => (await import("./events.ts")).events),
  exec: entry("Execute a command in a running container", async () => (await import("./exec.ts")).exec),
  images: entry("List the images of the project's containers", async () => (await import("./look.ts")).images),
  kill: entry("Kill the containers of services", async () => (await import("./life.ts")).kill),
  logs: entry("Show what containers wrote", async () => (await import("./logs.ts")).logs),
  ls: entry("List running projects", async () => (await import("./ls.ts")).ls),
  pause: entry("Pause the containers of services", async () => (await import("./life.ts")).pause),
  plan: entry("Show what `up` would change, and why", async () => (await import("./plan.ts")).plan),
  port: entry("Print where a port of a service is published", async () => (await import("./look.ts")).port),
  ps: entry("List the project's containers", async () => (await import("./ps.ts")).ps),
  pull: entry("Pull the images of services", async () => (await import("./pull.ts")).pull),
  restart: entry("Restart the containers of services", async () => (await import("./life.ts")).restart),
  rm: entry("Remove stopped containers of services", async () => (await import("./life.ts")).rm),
  run: entry("Run a command in a container of its own", async () => (await import("./run.ts")).run),
  scale: entry("Set how many containers services have", async () => (await import("./scale.ts")).scale),
  start: entry("Start the containers of services", async () => (await import("./life.ts")).start),
  stop: entry("Stop the containers of services", async () => (await import("./life.ts")).stop),
  top: entry("Show the processes of containers", async () => (await import("./look.ts")).top),
  unpause: entry("Resume the containers of services", async () => (await import("./life.ts")).unpause),
  up: entry("Create and start containers", async () => (await import("./up.ts")).up),
  version: entry("Show the version", async () => (await import("./version.ts")).version),
  wait: entry("Wait until containers of services have ended", async () => (await import("./life.ts")).wait),
}
