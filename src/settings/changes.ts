// What another reading of the configuration changes, key by key, and what cannot change now: pure.
import type { ConfigChange } from "../wire/config.ts"
import { KEYS } from "./keys.ts"
import type { Setting, Settings } from "./sources.ts"

export type Planned = {
  readonly changes: readonly ConfigChange[]
  /** What holds from now on: as wanted, but for the keys that stay. */
  readonly effective: Settings
  /** Why a key is not as wanted. */
  readonly pending: ReadonlyMap<string, string>
}

const EFFECT = { now: "now", idle: "now", containers: "new containers" } as const

/** Why a key cannot change while the daemon runs, with what does it. */
export function whyItStays(key: string, from: unknown, to: unknown): string {
  return key === "data-root"
    ? `what is stored would have to move with it: stop the containers and the daemon, mv ${String(from)} ${String(to)}, then start the daemon with the new path`
    : "what runs has its files there: stop the containers and the daemon, change it, start the daemon"
}

/** `bridgeUsers`: containers on the default bridge. */
export function planChanges(before: Settings, wanted: Settings, { bridgeUsers }: { bridgeUsers: number }): Planned {
  const changes: ConfigChange[] = []
  const pending = new Map<string, string>()
  const effective = new Map<string, Setting>(wanted)
  for (const [key, { takes }] of Object.entries(KEYS)) {
    const [old, next] = [before.get(key), wanted.get(key)]
    if (same(old?.value, next?.value)) continue
    const change = { Key: key, From: old?.value ?? null, To: next?.value ?? null, Origins: next?.origins ?? [] }
    const reason =
      takes === "move"
        ? whyItStays(key, old?.value, next?.value)
        : takes === "restart"
          ? "it is read when the daemon starts; containers go on meanwhile"
          : takes === "idle" && bridgeUsers > 0
            ? `${bridgeUsers} container${bridgeUsers === 1 ? " is" : "s are"} on the default bridge`
            : undefined
    if (reason === undefined) {
      changes.push({ ...change, Effect: EFFECT[takes as keyof typeof EFFECT] })
      continue
    }
    changes.push({ ...change, Effect: takes === "move" ? "refused" : "after a restart", Reason: reason })
    pending.set(key, reason)
    if (old === undefined) effective.delete(key)
    else effective.set(key, old)
  }
  return { changes, effective, pending }
}

export function same(one: unknown, other: unknown): boolean {
  return Bun.deepEquals(one ?? null, other ?? null)
}
