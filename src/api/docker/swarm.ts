// Swarm mode's routes as an engine answers them that is in no swarm: what is wrong with a request is said first.
import * as v from "valibot"
import { DhowError } from "../../lib/errors.ts"
import type { Method, Route } from "./call.ts"
import { readJson } from "./json-body.ts"
import { type Check, refusal } from "./refusal.ts"

const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

const filters: Check = ({ query }) => query.filters()
const body: Check = ({ request }) => readJson(request, v.unknown())

/** An update names the version of the object that it changes. */
const update =
  (refusal: (text: string) => string): Check =>
  async (call) => {
    await body(call)
    const text = call.query.text("version")
    if (!/^\d{1,20}$/.test(text)) throw new DhowError("invalid", refusal(text))
  }

const versionOf = (noun: string) =>
  update(
    (text) => `invalid ${noun} version '${text}': strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
const versionOnly = (noun: string) => update(() => `invalid ${noun} version`)

const streams: Check = ({ query }) => {
  if (!query.bool("stdout") && !query.bool("stderr"))
    throw new DhowError("invalid", "Bad parameters: you must choose at least one stream")
}

const ROUTES: readonly (readonly [Method, string, Check?])[] = [
  ["GET", "/swarm"],
  ["GET", "/swarm/unlockkey"],
  ["POST", "/swarm/update", versionOf("swarm")],
  ["POST", "/swarm/unlock", body],
  ["GET", "/services", filters],
  ["GET", "/services/:id"],
  ["POST", "/services/create", body],
  ["POST", "/services/:id/update", versionOf("service")],
  ["DELETE", "/services/:id"],
  ["GET", "/services/:id/logs", streams],
  ["GET", "/nodes", filters],
  ["GET", "/nodes/:id"],
  ["POST", "/nodes/:id/update", versionOf("node")],
  ["DELETE", "/nodes/:id"],
  ["GET", "/tasks", filters],
  ["GET", "/tasks/:id"],
  ["GET", "/tasks/:id/logs", streams],
  ...(["secret", "config"] as const).flatMap(
    (noun) =>
      [
        ["GET", `/${noun}s`, filters],
        ["GET", `/${noun}s/:id`],
        ["POST", `/${noun}s/create`, body],
        ["POST", `/${noun}s/:id/update`, versionOnly(noun)],
        ["DELETE", `/${noun}s/:id`],
      ] as const,
  ),
]

export function swarmRoutes(): Route[] {
  return [
    ...ROUTES.map(([method, pattern, check]) => refusal(method, pattern, notAManager, check)),
    refusal("PUT", "/volumes/*name", () => {
      return new DhowError("unavailable", "volume update only valid for cluster volumes, but swarm is unavailable")
    }),
    refusal("POST", "/swarm/leave", () => new DhowError("unavailable", "This node is not part of a swarm")),
    ...["init", "join"].map((verb) =>
      refusal("POST", `/swarm/${verb}`, () => new DhowError("not-implemented", "Swarm mode is not supported"), body),
    ),
  ]
}

export function notAManager(): DhowError {
  return new DhowError("unavailable", NOT_A_MANAGER)
}
