import { expect, test } from "bun:test"
import type { ContainerConfig, HostConfig } from "../../../wire/container.ts"
import type { ContainerUpdateRequest } from "../../../wire/update.ts"
import type { ContainerRecord } from "../record.ts"
import { changesBetween, planUpdate } from "./plan.ts"

const record = {
  id: "a".repeat(64),
  name: "web",
  config: { Env: ["A=1", "B=2"], Cmd: ["sh"], Labels: { one: "1" }, Volumes: { "/data": {} } },
  hostConfig: { Binds: ["/srv:/srv:ro"], Tmpfs: { "/t": "" }, NetworkMode: "bridge" },
  mounts: [{ Destination: "/srv" }, { Destination: "/data" }],
} as unknown as ContainerRecord

const plan = (asked: ContainerUpdateRequest) => planUpdate(record, asked, [])
const effects = (config: ContainerConfig, hostConfig: HostConfig, isRunning = true): Record<string, string> =>
  Object.fromEntries(
    changesBetween(
      record,
      {
        config: { ...record.config, ...config },
        hostConfig: { ...record.hostConfig, ...hostConfig },
        mounts: record.mounts,
      },
      isRunning,
    ).map(({ Field, Effect }) => [Field, Effect]),
  )

test("planUpdate() keeps the order of the environment, and the value that is set last", () => {
  expect(plan({ EnvAdd: ["B=3", "C=4", "B=5"], EnvRm: ["A"] }).config.Env).toEqual(["B=5", "C=4"])
  expect(() => plan({ EnvAdd: ["NAME"] })).toThrow("invalid environment variable: NAME")
  expect(() => plan({ EnvAdd: ["=x"] })).toThrow("invalid environment variable: =x")
})

test("planUpdate() takes a mount out of wherever it was asked for", () => {
  const { config, hostConfig } = plan({ MountRm: ["/srv/", "/t", "/data"] })
  expect(hostConfig.Binds).toEqual([])
  expect(hostConfig.Tmpfs).toEqual({})
  expect(config.Volumes).toEqual({})
})

test("planUpdate() refuses mounts that are not there, that are there twice, and those with others below", () => {
  expect(() => plan({ MountRm: ["/none"] })).toThrow('Nothing is mounted at "/none" in container "web"')
  expect(() => plan({ MountAdd: [{ Type: "tmpfs", Target: "/srv/." }] })).toThrow("Duplicate mount point: /srv")
  expect(() => plan({ MountAdd: [{ Type: "tmpfs", Target: "/proc/sys" }] })).toThrow("it is inside /proc")
  expect(() => plan({ MountAdd: [{ Type: "tmpfs", Target: "/srv/x" }], MountRm: ["/srv"] })).toThrow(
    'Cannot take away the mount at "/srv": "/srv/x" lies below it',
  )
  expect(plan({ MountAdd: [{ Type: "tmpfs", Target: "/srv" }], MountRm: ["/srv"] }).hostConfig.Mounts).toHaveLength(1)
})

test("planUpdate() changes a check field by field, and ends it", () => {
  const checked = { ...record, config: { ...record.config, Healthcheck: { Test: ["CMD", "true"], Retries: 2 } } }
  expect(planUpdate(checked, { Healthcheck: { Retries: 5 } }, []).config.Healthcheck).toEqual({
    Test: ["CMD", "true"],
    Retries: 5,
  })
  expect(planUpdate(checked, { Healthcheck: { Test: ["NONE"] } }, []).config.Healthcheck).toEqual({ Test: ["NONE"] })
  expect(() => plan({ Healthcheck: { Retries: 5 } })).toThrow("A health check needs a command")
})

test("changesBetween() says what is live, what a restart needs, and what is nothing at all", () => {
  expect(effects({ Env: ["A=2"], Labels: {}, Image: "other" }, { Memory: 5, PortBindings: {}, CapAdd: null })).toEqual({
    Env: "restart",
    Labels: "live",
    Image: "recreate",
    Memory: "live",
  })
  expect(effects({ Env: ["A=2"], Labels: {} }, { Memory: 5 }, false)).toEqual({
    Env: "start",
    Labels: "live",
    Memory: "start",
  })
})
