// `up` in the foreground: shows what the containers write until all have ended, or until the user stops them.
import { killContainer, stopContainer } from "../../client/containers.ts"
import { serverEvents } from "../../client/system.ts"
import { LABEL } from "../../compose/labels.ts"
import type { ObservedContainer } from "../../compose/plan.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { print, printError } from "../output.ts"
import { type Colour, LogView } from "./log-view.ts"
import { observeContainers, shortName } from "./observed.ts"
import type { Session } from "./session.ts"
import { type StartOptions, startServices } from "./starting.ts"

export type AttachedOptions = {
  readonly isShown: (service: string) => boolean
  readonly abortOn: "exit" | "failure" | undefined
  readonly exitCodeFrom: string | undefined
  readonly timestamps: boolean
  readonly prefix: boolean
  readonly colour: Colour
  readonly timeout: number | undefined
}

export async function runAttached(session: Session, start: StartOptions, options: AttachedOptions): Promise<number> {
  const { client, project } = session
  if (options.exitCodeFrom !== undefined && !Object.hasOwn(project.services, options.exitCodeFrom))
    throw new DhowError("not-found", `no such service: ${options.exitCodeFrom}`)
  const follower = new Follower(session, start.names, options)
  const containers = (await observeContainers(client, project.name)).filter(
    (one) => !one.isOneOff && start.names.includes(one.service),
  )
  const shown = containers.filter(({ service }) => options.isShown(service))
  print(`Attaching to ${shown.map(({ name }) => shortName(project.name, name)).join(", ")}`)
  await follower.begin(containers)
  const stopWatching = follower.stopOnSignals()
  try {
    await startServices(session, start)
    follower.allStarted()
    return await follower.finished()
  } finally {
    stopWatching()
  }
}

/** How long the events of stopped containers may take. */
const LAST_EVENTS = 3000

class Follower {
  readonly #session: Session
  readonly #names: readonly string[]
  readonly #options: AttachedOptions
  readonly #view: LogView
  readonly #streams = new Map<string, Promise<void>>()
  readonly #running = new Set<string>()
  readonly #begun = Date.now()
  readonly #endedAt = new Map<string, number>()
  readonly #done = Promise.withResolvers<void>()
  #isStarted = false
  #stopping: Promise<void> | undefined
  #status = 0
  #signals = 0

  constructor(session: Session, names: readonly string[], options: AttachedOptions) {
    this.#session = session
    this.#names = names
    this.#options = options
    this.#view = new LogView(options)
  }

  /** Events from before the first start on, so that no end is missed. */
  async begin(containers: readonly ObservedContainer[]): Promise<void> {
    const { client, project } = this.#session
    for (const container of containers) {
      if (this.#options.isShown(container.service)) this.#view.know(shortName(project.name, container.name))
      if (container.state !== "running") continue
      this.#running.add(container.id)
      this.#follow(container.id, container.name, container.service)
    }
    const events = await serverEvents(client, {
      filters: { type: ["container"], event: ["start", "die"], label: [`${LABEL.project}=${project.name}`] },
    })
    this.#read(events).catch((error: unknown) => this.#done.reject(error))
  }

  async #read(events: Awaited<ReturnType<typeof serverEvents>>): Promise<void> {
    for await (const { Action, Actor } of events) {
      const { ID: id, Attributes: attributes } = Actor
      const service = attributes[LABEL.service] ?? ""
      if (!this.#names.includes(service) || attributes[LABEL.oneOff] === "True") continue
      const name = attributes["name"] ?? id
      if (Action === "start") {
        this.#running.add(id)
        this.#follow(id, name, service)
      } else await this.#ended(id, name, service, Number(attributes["exitCode"] ?? 0))
    }
  }

  #follow(id: string, name: string, service: string): void {
    const { client, project } = this.#session
    if (!this.#options.isShown(service)) return
    const shown = shortName(project.name, name)
    this.#view.know(shown)
    const before = this.#streams.get(id) ?? Promise.resolve()
    // A container logs before its start is told: what counts is when we began, or when it last ended.
    const since = ((this.#endedAt.get(id) ?? this.#begun) / 1000).toFixed(3)
    const query = { follow: true, since, timestamps: this.#options.timestamps }
    // A container that was removed has nothing more to say.
    const show = before
      .then(() => this.#view.show(client, { id, shown }, query))
      .catch((error: unknown) => {
        if (!isKind(error, "not-found")) printError(`${shown}: ${error instanceof Error ? error.message : error}`)
      })
    this.#streams.set(id, show)
  }

  async #ended(id: string, name: string, service: string, exitCode: number): Promise<void> {
    this.#running.delete(id)
    await this.#streams.get(id)
    this.#endedAt.set(id, Date.now())
    const shown = shortName(this.#session.project.name, name)
    if (this.#options.isShown(service)) print(`${shown} exited with code ${exitCode}`)
    if (this.#options.exitCodeFrom === service) this.#status = exitCode
    const isCause = this.#options.abortOn === "exit" || (this.#options.abortOn === "failure" && exitCode !== 0)
    if (isCause && this.#stopping === undefined) {
      if (this.#options.exitCodeFrom === undefined) this.#status = exitCode
      printError("Aborting on container exit...")
      this.#stop()
    }
    await this.#look()
  }

  allStarted(): void {
    this.#isStarted = true
    // What started while everything else was being stopped is stopped as well.
    if (this.#stopping !== undefined) this.#stop()
    this.#look().catch((error: unknown) => this.#done.reject(error))
  }

  /** Done once nothing runs, and nothing is to be restarted. */
  async #look(): Promise<void> {
    if (!this.#isStarted || this.#running.size > 0) return
    const containers = await observeContainers(this.#session.client, this.#session.project.name)
    const live = containers.filter(
      (one) =>
        !one.isOneOff && this.#names.includes(one.service) && ["running", "restarting", "paused"].includes(one.state),
    )
    if (live.length > 0 && this.#stopping === undefined) return
    this.#done.resolve()
  }

  #stop(): void {
    const before = this.#stopping ?? Promise.resolve()
    this.#stopping = before.then(() => this.#stopAll())
    this.#stopping.then(
      () => this.#isStarted && this.#settle(),
      (error: unknown) => this.#done.reject(error),
    )
  }

  async #stopAll(): Promise<void> {
    const { client, project, progress } = this.#session
    const containers = await observeContainers(client, project.name)
    await Promise.all(
      containers
        .filter((one) => !one.isOneOff && this.#names.includes(one.service))
        .filter(({ state }) => state === "running" || state === "restarting" || state === "paused")
        .map((one) =>
          progress.around("Container", one.name, ["Stopping", "Stopped"], () =>
            stopContainer(client, one.id, { timeout: this.#options.timeout }),
          ),
        ),
    )
  }

  /** The events of what was stopped are shown too, if they come soon. */
  #settle(): void {
    const patience = setTimeout(() => this.#done.resolve(), LAST_EVENTS)
    this.#look().catch(this.#done.reject)
    this.#done.promise.then(
      () => clearTimeout(patience),
      () => clearTimeout(patience),
    )
  }

  stopOnSignals(): () => void {
    const onSignal = (): void => {
      this.#signals++
      if (this.#signals === 1) {
        print("Gracefully Stopping... press Ctrl+C again to force")
        this.#status = 130
        this.#stop()
      } else this.#kill().catch(this.#done.reject)
    }
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal)
    return () => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal)
    }
  }

  async #kill(): Promise<void> {
    const { client, project } = this.#session
    const containers = await observeContainers(client, project.name)
    const live = containers.filter((one) => !one.isOneOff && one.state === "running")
    // One that ends by itself meanwhile is as dead as any.
    await Promise.allSettled(live.map((one) => killContainer(client, one.id)))
  }

  async finished(): Promise<number> {
    await this.#done.promise
    await this.#stopping
    await Promise.all(this.#streams.values())
    return this.#status
  }
}
