// dhow compose up: makes the project run as its files say; attached to it, unless it is to be in the background.
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, int, list, string } from "../flags/flags.ts"
import { bringUp, createFlags, scaled } from "./bring-up.ts"
import { globalsOf } from "./globals.ts"
import { colourOf } from "./log-view.ts"
import { openSession } from "./session.ts"
import { startServices, waitForAll } from "./starting.ts"

export const up = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Create and start containers",
  flags: {
    ...createFlags,
    "abort-on-container-exit": boolean("", "Stop all when one container has ended"),
    "abort-on-container-failure": boolean("", "Stop all when one container has failed"),
    attach: list("", "Show the output of these services only"),
    detach: boolean("d", "Leave the containers in the background"),
    "exit-code-from": string("", "End with the exit code of this service's container", { value: "service" }),
    "no-attach": list("", "Do not show the output of these services"),
    "no-color": boolean("", "Without colours"),
    "no-deps": boolean("", "Without the services that these need"),
    "no-log-prefix": boolean("", "Without the names before lines"),
    "no-start": boolean("", "Only create"),
    "renew-anon-volumes": boolean("V", "Give new containers new anonymous volumes"),
    rolling: boolean("", "Start new containers, wait until they are healthy, then stop the old ones"),
    timestamps: boolean("", "Show when each line was written"),
    wait: boolean("", "Wait until all run, or are healthy; in the background"),
    "wait-timeout": int("", "Seconds after which to wait no longer"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow compose up -d", "dhow compose up -d --wait --scale web=3", "dhow compose up -d --rolling web"],
  async run(context, flags, names) {
    const cascade =
      flags["abort-on-container-exit"] === true ||
      flags["abort-on-container-failure"] === true ||
      flags["exit-code-from"] !== undefined
    if (flags.detach === true && cascade)
      throw new DhowError(
        "invalid",
        "--abort-on-container-exit, --abort-on-container-failure and --exit-code-from cannot be combined with --detach",
      )
    if (flags.wait === true && cascade)
      throw new DhowError(
        "invalid",
        "--wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure or --exit-code-from",
      )
    const opened = openSession(context, { named: names })
    const session = { ...opened, project: scaled(opened.project, flags.scale) }
    const brought = await bringUp(session, flags, {
      asked: names,
      noDependencies: flags["no-deps"] === true,
      inherit: flags["renew-anon-volumes"] !== true,
      rolling: flags.rolling === true,
    })
    if (flags["no-start"] === true) return 0
    const start = { ...brought, timeout: flags.timeout }
    if (flags.detach === true || flags.wait === true) {
      await startServices(session, start)
      if (flags.wait === true) await waitForAll(session, brought.names, flags["wait-timeout"])
      return 0
    }
    const { runAttached } = await import("./attached.ts")
    const isShown = (service: string): boolean =>
      (flags.attach.length === 0 ? names.length === 0 || names.includes(service) : flags.attach.includes(service)) &&
      !flags["no-attach"].includes(service) &&
      session.project.services[service]?.attach !== false
    return runAttached(session, start, {
      isShown,
      abortOn: flags["abort-on-container-failure"] === true ? "failure" : cascade ? "exit" : undefined,
      exitCodeFrom: flags["exit-code-from"],
      timestamps: flags.timestamps === true,
      prefix: flags["no-log-prefix"] !== true,
      colour: colourOf(globalsOf(context).ansi, flags["no-color"]),
      timeout: flags.timeout,
    })
  },
})
