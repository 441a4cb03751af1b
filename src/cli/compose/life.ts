// start, stop, restart, kill, pause, unpause, rm, wait: one verb over the containers of services.
import {
  killContainer,
  pauseContainer,
  removeContainer,
  restartContainer,
  stopContainer,
  unpauseContainer,
  waitContainer,
} from "../../client/containers.ts"
import { eachInOrder, withDependencies } from "../../compose/order.ts"
import type { ObservedContainer } from "../../compose/plan.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { type AnyCommand, defineCommand } from "../command.ts"
import { boolean, int, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { ask } from "../prompt.ts"
import { runHooks } from "./hooks.ts"
import { containersOf, openTarget, projectOf } from "./project-or-name.ts"
import { startServices, waitForAll } from "./starting.ts"

const services = { usage: "[OPTIONS] [SERVICE...]", args: [0, Number.POSITIVE_INFINITY] as const }
const timeout = int("t", "Seconds to wait for a container to stop")

export const start = defineCommand({
  ...services,
  summary: "Start the containers of services",
  flags: {
    wait: boolean("", "Wait until all run, or are healthy"),
    "wait-timeout": int("", "Seconds after which to wait no longer"),
  } as const,
  async run(context, flags, names) {
    const target = await openTarget(context, names)
    const project = projectOf(target)
    containersOf(target, names)
    const wanted = names.length === 0 ? Object.keys(project.services) : names
    for (const name of wanted)
      if (!target.containers.some(({ service }) => service === name))
        throw new DhowError("not-found", `service "${name}" has no container to start`)
    const session = { client: target.client, project, progress: target.progress }
    await startServices(session, { names: withDependencies(project, wanted) })
    if (flags.wait === true) await waitForAll(session, wanted, flags["wait-timeout"])
    return 0
  },
})

export const stop = defineCommand({
  ...services,
  summary: "Stop the containers of services",
  flags: { timeout } as const,
  async run(context, flags, names) {
    const target = await openTarget(context, names)
    const project = projectOf(target)
    const containers = containersOf(target, names).filter(({ state }) => state !== "exited" && state !== "created")
    const stopOne = async (container: ObservedContainer): Promise<void> => {
      await target.progress.around("Container", container.name, ["Stopping", "Stopped"], async () => {
        if (container.state === "running")
          await runHooks(target, container, project.services[container.service]?.pre_stop ?? [])
        await stopContainer(target.client, container.id, { timeout: flags.timeout })
      })
    }
    const known = Object.keys(project.services)
    await eachInOrder(
      project,
      known,
      async ({ name }) => void (await Promise.all(containers.filter(({ service }) => service === name).map(stopOne))),
      { reverse: true },
    )
    await Promise.all(containers.filter(({ service }) => !known.includes(service)).map(stopOne))
    return 0
  },
})

export const restart = defineCommand({
  ...services,
  summary: "Restart the containers of services",
  flags: { "no-deps": boolean("", "Without those that are to restart with them"), timeout } as const,
  async run(context, flags, names) {
    const target = await openTarget(context, names)
    const project = projectOf(target)
    containersOf(target, names)
    const wanted = new Set(names.length === 0 ? Object.keys(project.services) : names)
    if (flags["no-deps"] !== true)
      for (const service of Object.values(project.services))
        if (
          Object.entries(service.depends_on ?? {}).some(
            ([name, { restart: also }]) => also === true && wanted.has(name),
          )
        )
          wanted.add(service.name)
    const containers = target.containers.filter(({ service, isOneOff }) => !isOneOff && wanted.has(service))
    await eachInOrder(project, [...wanted], async (service) => {
      await Promise.all(
        containers
          .filter((one) => one.service === service.name)
          .map((one) =>
            target.progress.around("Container", one.name, ["Restarting", "Started"], async () => {
              if (one.state === "running") await runHooks(target, one, service.pre_stop ?? [])
              await restartContainer(target.client, one.id, { timeout: flags.timeout })
              await runHooks(target, one, service.post_start ?? [])
            }),
          ),
      )
    })
    return 0
  },
})

export const kill = defineCommand({
  ...services,
  summary: "Kill the containers of services",
  flags: {
    "remove-orphans": boolean("", "Also of services that are no longer there"),
    signal: string("s", "Signal to send", { default: "SIGKILL" }),
  } as const,
  async run(context, flags, names) {
    const target = await openTarget(context, names)
    const known = projectOf(target).services
    const running = containersOf(target, names).filter(
      ({ state, service }) =>
        (state === "running" || state === "paused" || state === "restarting") &&
        (flags["remove-orphans"] === true || Object.hasOwn(known, service)),
    )
    if (running.length === 0) target.progress.warn("no container to kill")
    await Promise.all(
      running.map((one) =>
        target.progress.around("Container", one.name, ["Killing", "Killed"], () =>
          killContainer(target.client, one.id, flags.signal),
        ),
      ),
    )
    return 0
  },
})

function simple(
  summary: string,
  states: readonly string[],
  words: readonly [string, string],
  act: (client: Parameters<typeof pauseContainer>[0], id: string) => Promise<unknown>,
): AnyCommand {
  return defineCommand({
    ...services,
    usage: "[SERVICE...]",
    summary,
    flags: {} as const,
    async run(context, _flags, names) {
      const target = await openTarget(context, names)
      const containers = containersOf(target, names).filter(({ state }) => states.includes(state))
      await Promise.all(
        containers.map((one) => target.progress.around("Container", one.name, words, () => act(target.client, one.id))),
      )
      return 0
    },
  })
}

export const pause = simple("Pause the containers of services", ["running"], ["Pausing", "Paused"], pauseContainer)
export const unpause = simple(
  "Resume the containers of services",
  ["paused"],
  ["Unpausing", "Unpaused"],
  unpauseContainer,
)

export const rm = defineCommand({
  ...services,
  summary: "Remove stopped containers of services",
  flags: {
    force: boolean("f", "Do not ask"),
    stop: boolean("s", "Stop them before"),
    volumes: boolean("v", "Also their anonymous volumes"),
  } as const,
  async run(context, flags, names) {
    const target = await openTarget(context, names)
    const all = containersOf(target, names, { oneOff: true })
    if (flags.stop === true)
      await Promise.all(
        all
          .filter(({ state }) => state !== "exited" && state !== "created")
          .map((one) =>
            target.progress.around("Container", one.name, ["Stopping", "Stopped"], () =>
              stopContainer(target.client, one.id),
            ),
          ),
      )
    const stopped =
      flags.stop === true
        ? all
        : all.filter(({ state }) => state === "exited" || state === "created" || state === "dead")
    if (stopped.length === 0) {
      print("No stopped containers")
      return 0
    }
    if (flags.force !== true) {
      if (!isTerminal(0)) throw new DhowError("invalid", "Nobody can be asked", { hint: "Give --force" })
      const answer = await ask(`Going to remove ${stopped.map(({ name }) => name).join(", ")}. Continue? [y/N] `)
      if (answer !== "y") return 0
    }
    await Promise.all(
      stopped.map((one) =>
        target.progress.around("Container", one.name, ["Removing", "Removed"], () =>
          removeContainer(target.client, one.id, { force: true, volumes: flags.volumes === true }),
        ),
      ),
    )
    return 0
  },
})

export const wait = defineCommand({
  usage: "SERVICE [SERVICE...] [OPTIONS]",
  summary: "Wait until containers of services have ended",
  flags: { "down-project": boolean("", "Take the project down when the first one has ended") } as const,
  args: [1, Number.POSITIVE_INFINITY],
  async run(context, flags, names) {
    const target = await openTarget(context, names)
    const containers = containersOf(target, names)
    if (containers.length === 0) throw new DhowError("not-found", `no containers for project "${target.name}"`)
    const ends = containers.map(async (one) => {
      const { result } = await waitContainer(target.client, one.id)
      const { StatusCode } = await result
      print(`container ${JSON.stringify(one.id)} exited with status code ${StatusCode}`)
      return StatusCode
    })
    if (flags["down-project"] !== true) return (await Promise.all(ends)).at(-1) ?? 0
    const status = await Promise.race(ends)
    const { down } = await import("./down.ts")
    await down.run(context, { volumes: false }, [])
    return status
  },
})
