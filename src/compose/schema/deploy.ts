// services.*.deploy
import { bytes, decimal, oneOf, text, time, whole } from "../leaves.ts"
import { keep, list, object } from "../shape.ts"
import { device, pairs, texts } from "./common.ts"

const update = object({
  parallelism: keep(whole),
  delay: time,
  failure_action: text,
  monitor: time,
  max_failure_ratio: decimal,
  order: oneOf("start-first", "stop-first"),
})

const amount = {
  cpus: decimal,
  memory: bytes,
  pids: whole,
}

const reserved = object({
  ...amount,
  devices: list(
    object(device.fields, {
      required: ["capabilities"],
    }),
  ),
  generic_resources: list(object({ discrete_resource_spec: object({ kind: text, value: whole }) })),
})

export const deploy = object({
  mode: text,
  replicas: keep(whole),
  labels: pairs,
  update_config: update,
  rollback_config: update,
  resources: object({ limits: object(amount), reservations: reserved }, { prune: true }),
  restart_policy: object({ condition: text, delay: keep(time), max_attempts: keep(whole), window: keep(time) }),
  placement: object(
    { constraints: texts, preferences: list(object({ spread: text })), max_replicas_per_node: whole },
    { prune: true },
  ),
  endpoint_mode: text,
})
