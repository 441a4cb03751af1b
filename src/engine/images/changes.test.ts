import { expect, test } from "bun:test"
import { applyChanges } from "./changes.ts"

test("applyChanges() reads commands in both forms", () => {
  expect(applyChanges({}, ['CMD ["a", "b c"]', "entrypoint run it"])).toEqual({
    Cmd: ["a", "b c"],
    Entrypoint: ["/bin/sh", "-c", "run it"],
  })
})

test("applyChanges() merges environment, labels, ports and volumes", () => {
  const config = { Env: ["PATH=/bin", "A=old"], Labels: { a: "1" } }
  const lines = ['ENV A=new B=\'x y\' C="q \\" r"', "ENV D rest of it", "LABEL b=2", "EXPOSE 80 53/udp 8000-8001"]
  expect(applyChanges(config, [...lines, 'VOLUME ["/data"]', "VOLUME /a /b"])).toEqual({
    Env: ["PATH=/bin", "A=new", "B=x y", 'C=q " r', "D=rest of it"],
    Labels: { a: "1", b: "2" },
    ExposedPorts: { "80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {} },
    Volumes: { "/data": {}, "/a": {}, "/b": {} },
  })
})

test("applyChanges() reads the rest", () => {
  const lines = ["USER 1000:1000", "WORKDIR /srv", "WORKDIR ../app", "STOPSIGNAL SIGINT", "ONBUILD RUN make"]
  const health = ["HEALTHCHECK --interval=1m30s --retries=2 CMD curl -f http://localhost/"]
  expect(applyChanges({}, [...lines, ...health])).toEqual({
    User: "1000:1000",
    WorkingDir: "/app",
    StopSignal: "SIGINT",
    OnBuild: ["RUN make"],
    Healthcheck: { Interval: 90e9, Retries: 2, Test: ["CMD-SHELL", "curl -f http://localhost/"] },
  })
  expect(applyChanges({}, ["HEALTHCHECK NONE"]).Healthcheck).toEqual({ Test: ["NONE"] })
})

test("applyChanges() refuses what needs a build, and nonsense", () => {
  expect(() => applyChanges({}, ["RUN true"])).toThrow("RUN is not a valid change command")
  expect(() => applyChanges({}, ["USER"])).toThrow("USER requires at least one argument")
  expect(() => applyChanges({}, ["EXPOSE 99999"])).toThrow("invalid containerPort: 99999")
  expect(() => applyChanges({}, ["ENV A=1 B"])).toThrow("Must be of the form: name=value")
})

test("applyChanges() replaces variables by what the environment says before the line", () => {
  const config = applyChanges({ Env: ["PATH=/usr/bin", "EMPTY="] }, [
    `ENV PATH=/opt/bin:$PATH HOME=\${HOME:-/root} SAME=$HOME`,
    `ENV QUOTED='$PATH' ESCAPED=\\$PATH BOTH="\${PATH:+set} \${EMPTY:-none}$"`,
    "LABEL path=$PATH",
    "WORKDIR $HOME/work",
    `USER \${USER:-1000}`,
    'CMD echo "$PATH"',
  ])
  expect(config.Env).toEqual([
    "PATH=/opt/bin:/usr/bin",
    "EMPTY=",
    "HOME=/root",
    "SAME=",
    "QUOTED=$PATH",
    "ESCAPED=$PATH",
    "BOTH=set none$",
  ])
  expect(config.Labels).toEqual({ path: "/opt/bin:/usr/bin" })
  expect(config.WorkingDir).toBe("/root/work")
  expect(config.User).toBe("1000")
  expect(config.Cmd).toEqual(["/bin/sh", "-c", 'echo "$PATH"'])
  expect(() => applyChanges({}, [`ENV A=\${B%x}`])).toThrow("unsupported modifier")
})

test("applyChanges() drops a command that belonged to another entry point", () => {
  const before = { Cmd: ["old"], Entrypoint: ["/old"], Shell: ["/bin/bash", "-ec"] }
  expect(applyChanges(before, ['ENTRYPOINT ["/new"]'])).toMatchObject({ Entrypoint: ["/new"], Cmd: null })
  expect(applyChanges(before, ['CMD ["arg"]', 'ENTRYPOINT ["/new"]']).Cmd).toEqual(["arg"])
  expect(applyChanges(before, ["CMD a b"]).Cmd).toEqual(["/bin/bash", "-ec", "a b"])
})
