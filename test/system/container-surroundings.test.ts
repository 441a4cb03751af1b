// What a create request's mounts, namespaces, names and users come to: read in the container.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MS, mount, unmountAll } from "../../src/lib/syscalls/mount.ts"
import { testEngine } from "../support/fixture.ts"
import { runContainer } from "../support/run-container.ts"

const engine = testEngine()
const host = mkdtempSync(join(tmpdir(), "dhow-mounts-"))
const shared = join(host, "shared")

beforeAll(() => {
  mkdirSync(join(shared, "below"), { recursive: true })
  mount("shared", shared, { type: "tmpfs" })
  mount("none", shared, { flags: MS.SHARED })
  mkdirSync(join(shared, "below"))
  mount("below", join(shared, "below"), { type: "tmpfs" })
  mount("none", join(shared, "below"), { flags: MS.PRIVATE })
  writeFileSync(join(host, "file"), "text\n")
})
afterAll(() => {
  unmountAll(join(shared, "below"))
  unmountAll(shared)
  rmSync(host, { recursive: true, force: true })
})

const run = (hostConfig: object, script: string, config: object = {}) =>
  runContainer(engine, { ...config, HostConfig: { NetworkMode: "none", ...hostConfig } }, script)
const propagation = (path: string) =>
  `grep ' ${path} ' /proc/self/mountinfo | grep -oE '(shared|master):' || echo private`

test("binds are read-only with all below them, pass mounts on as they say, and leave out what is below on request", async () => {
  const bind = (Target: string, ReadOnly: boolean, BindOptions: object) => ({
    ...{ Type: "bind", Source: shared, Target, ReadOnly, BindOptions },
  })
  const { output, error } = await run(
    {
      Binds: [
        `${shared}:/ro:ro`,
        `${shared}:/rw`,
        `${host}/file:/one:ro`,
        `${host}/made/deep:/made`,
        `${shared}:/slave:slave`,
      ],
      Mounts: [
        bind("/shared", false, { Propagation: "rshared" }),
        bind("/top", true, { ReadOnlyNonRecursive: true }),
        bind("/alone", true, { NonRecursive: true }),
        bind("/forced", true, { Propagation: "rprivate", ReadOnlyForceRecursive: true }),
        { Type: "bind", Source: `${host}/also/made`, Target: "/also", BindOptions: { CreateMountpoint: true } },
      ],
    },
    `for at in ro ro/below rw/below top top/below alone forced/below; do touch /$at/x 2>/dev/null && echo $at; done
    cat /one; ls /alone/below; ls -d /made /also; ${propagation("/rw")}; ${propagation("/slave")}; ${propagation("/shared")}`,
  )
  expect(error).toBe("")
  expect(output.split("\n")).toEqual([
    ...["rw/below", "top/below", "text", "/also", "/made", "private", "master:", "shared:"],
  ])
})

test("a bind whose source's mount cannot pass anything on is refused, and one of the engine's own root lets go", async () => {
  const apart = await run({ Binds: [`${join(shared, "below")}:/m:rshared`] }, "true")
  expect(apart.error).toContain(
    `path ${join(shared, "below")} is mounted on ${join(shared, "below")} but it is not a shared mount`,
  )
  const root = await run({ Binds: [`${engine.root}:/root`] }, "true")
  expect(root.inspect.Mounts[0]).toMatchObject({ Propagation: "rslave", Mode: "" })
  expect(root.error).toBe("")
})

test("volumes are filled unless it is said otherwise, in part where a subpath is named, and come from other containers", async () => {
  const volume = (Target: string, Source: string, VolumeOptions?: object) => ({
    ...{ Type: "volume", Target, Source },
    ...(VolumeOptions === undefined ? {} : { VolumeOptions }),
  })
  const first = await run({ Binds: ["kept:/vol"] }, "mkdir -p /vol/sub; echo in > /vol/sub/file; cat /vol/seed")
  expect(first.output).toBe("seed")
  const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create?name=giver", {
    ...{ Image: "bb", Cmd: ["true"] },
    HostConfig: { Binds: ["given:/given:ro", `${host}:/host`] },
  })
  const { output, inspect, error } = await run(
    {
      Mounts: [
        volume("/part", "kept", { Subpath: "sub" }),
        volume("/vol", "empty", { NoCopy: true, Labels: { a: "b" } }),
        { Type: "volume", Target: "/anonymous" },
      ],
      VolumesFrom: ["giver"],
    },
    "cat /part/file; ls /vol | wc -l; touch /given/x; cat /host/file",
  )
  await engine.must("DELETE", `/containers/${Id}`)
  expect(error).toBe("")
  expect(output).toBe("in\n0\ntouch: /given/x: Read-only file system\ntext")
  const shown = Object.fromEntries(
    inspect.Mounts.map(({ Destination, Type, Mode, RW, Name }) => [Destination, { Type, Mode, RW, Name }]),
  )
  expect(shown["/given"]).toEqual({ Type: "volume", Mode: "", RW: false, Name: "given" })
  expect(shown["/host"]).toMatchObject({ Type: "bind", RW: true })
  expect(shown["/anonymous"]?.Name).toMatch(/^[0-9a-f]{64}$/)
  expect((await engine.must<{ Labels: object }>("GET", "/volumes/empty")).Labels).toEqual({ a: "b" })
  const astray = await run({ Mounts: [volume("/part", "kept", { Subpath: "nope" })] }, "true")
  expect(astray.error).toContain("cannot access path nope of volume kept")
})

test("an image is mounted read-only, whole or in part, stays while it is used, and leaves nothing", async () => {
  const image = (Target: string, Subpath?: string) => ({
    ...{ Type: "image", Source: "mounted", Target },
    ...(Subpath === undefined ? {} : { ImageOptions: { Subpath } }),
  })
  await engine.must("POST", "/images/bb/tag?repo=mounted&tag=latest")
  const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create?name=looker", {
    ...{ Image: "bb", Cmd: ["sh", "-c", "cat /whole/vol/seed; ls /part; touch /whole/x"] },
    HostConfig: { NetworkMode: "none", Mounts: [image("/whole"), image("/part", "vol")] },
  })
  const { Id: own } = await engine.must<{ Id: string }>("GET", "/images/mounted/json")
  const { Mounts } = await engine.must<{ Mounts: object[] }>("GET", `/containers/${Id}/json`)
  expect(Mounts).toContainEqual(
    expect.objectContaining({ Type: "image", Name: "mounted", RW: false, Destination: "/whole" }),
  )
  expect((await engine.call("DELETE", `/images/${own}`)).status).toBe(409)
  const archive = await engine.call("GET", `/containers/${Id}/archive?path=/part/seed`)
  expect(archive.text).toContain("seed\n")
  const again = await run({ VolumesFrom: ["looker"] }, "cat /whole/vol/seed; ls /part")
  expect(again.output).toBe("seed\nseed")
  await engine.must("POST", `/containers/${Id}/start`)
  await engine.must("POST", `/containers/${Id}/wait`)
  const logs = await engine.call("GET", `/containers/${Id}/logs?stdout=1&stderr=1`)
  expect(logs.text).toContain("seed\n")
  expect(logs.text).toContain("touch: /whole/x: Read-only file system")
  await engine.must("DELETE", `/containers/${Id}`)
  await engine.must("DELETE", "/images/mounted")
  const gone = await run({ Mounts: [{ ...image("/x"), Source: "bb", ImageOptions: { Subpath: "nope" } }] }, "true")
  expect(gone.error).toContain("cannot access path nope of image bb")
})

test("a tmpfs has its size, mode and options", async () => {
  const { output } = await run(
    {
      Tmpfs: { "/short": "size=64k,mode=700,exec" },
      Mounts: [
        { Type: "tmpfs", Target: "/long", TmpfsOptions: { SizeBytes: 1 << 20, Mode: 0o711, Options: [["exec"]] } },
      ],
    },
    "grep -E ' /(short|long) ' /proc/mounts; stat -c %a /short /long",
  )
  expect(output).toMatch(/\/short tmpfs rw,nosuid,nodev,relatime,size=64k,mode=700/)
  expect(output).toMatch(/\/long tmpfs rw,nosuid,nodev,relatime,size=1024k,mode=711/)
  expect(output).toEndWith("\n700\n711")
})

test("a tmpfs passes mounts on as its options say, beside binds that do", async () => {
  const tmpfs = { "/plain": "", "/shares": "shared", "/follows": "rslave", "/closed": "unbindable" }
  const script = `${propagation("/plain")}; ${propagation("/shares")}; ${propagation("/follows")}
    grep ' /closed ' /proc/self/mountinfo | grep -o unbindable`
  const alone = await run({ Tmpfs: tmpfs }, script)
  expect(alone.output.split("\n")).toEqual(["private", "shared:", "private", "unbindable"])
  const beside = await run({ Tmpfs: tmpfs, Binds: [`${shared}:/slave:slave`] }, `${script}; ${propagation("/slave")}`)
  expect(beside.output.split("\n")).toEqual(["private", "shared:", "private", "unbindable", "master:"])
})

const hasModules = existsSync("/sys/kernel/security/apparmor") || existsSync("/sys/fs/selinux/enforce")

test.skipIf(hasModules)(
  "a profile or label for what the kernel has not is taken as in Docker, and said to be of no effect",
  async () => {
    const SecurityOpt = ["apparmor=docker-default", "label=type:container_t"]
    const { output, error } = await run({ SecurityOpt }, "echo runs")
    expect([output, error]).toEqual(["runs", ""])
    const body = { Image: "bb", Cmd: ["true"], HostConfig: { SecurityOpt } }
    const { Id, Warnings } = await engine.must<{ Id: string; Warnings: string[] }>("POST", "/containers/create", body)
    expect(Warnings).toEqual([
      "SELinux is not enabled on this host: labels are not applied",
      'AppArmor is not enabled on this host: the profile "docker-default" is not applied',
    ])
    const labels = { AppArmorProfile: "", ProcessLabel: "", MountLabel: "" }
    expect(await engine.must("GET", `/containers/${Id}/json`)).toMatchObject({ ...labels, HostConfig: { SecurityOpt } })
    await engine.must("DELETE", `/containers/${Id}`)
  },
)

test("namespaces are the container's, the host's, or another container's", async () => {
  const names = ["pid", "ipc", "uts", "net", "cgroup"]
  const readAll = `for name in ${names.join(" ")}; do readlink /proc/self/ns/$name; done`
  const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create?name=donor", {
    ...{ Image: "bb", Hostname: "donor", Cmd: ["sh", "-c", `${readAll}; echo shared > /dev/shm/x; exec sleep 60`] },
    HostConfig: { IpcMode: "shareable" },
  })
  await engine.must("POST", `/containers/${Id}/start`)
  await engine.must("POST", `/containers/donor/rename?name=renamed`)
  const join = { PidMode: `container:${Id}`, IpcMode: `container:${Id}`, NetworkMode: `container:${Id}` }
  const joined = await run(
    { ...join, Init: true },
    `until test -s /dev/shm/x; do usleep 10000; done; ${readAll}; cat /dev/shm/x; hostname; cat /proc/1/comm`,
  )
  expect(joined.warnings).toEqual(["The init process is left out: the PID namespace that is joined has one"])
  const [pid, ipc, uts, net, , shm, hostname, one] = joined.output.split("\n")
  let own = ""
  while (own.split("\n").length < names.length)
    own = (await engine.call("GET", `/containers/${Id}/logs?stdout=1`)).text.trim()
  for (const name of [pid, ipc, net]) expect(own).toContain(name!)
  expect(own).not.toContain(uts!)
  expect([shm, hostname, one]).toEqual(["shared", "donor", "sleep"])
  await engine.must("DELETE", `/containers/${Id}?force=1`)
  const dead = await engine.call("POST", "/containers/create", { Image: "bb", Cmd: ["true"], HostConfig: join })
  expect(`${dead.status} ${dead.text}`).toContain(`400 {"message":"No such container: ${Id}`)

  const ofHost = await run(
    { PidMode: "host", IpcMode: "host", UTSMode: "host", NetworkMode: "host", CgroupnsMode: "host" },
    readAll,
  )
  const here = Bun.spawnSync(["sh", "-c", readAll]).stdout.toString().trim()
  expect(ofHost.output).toBe(here)
  const none = await run({ IpcMode: "none" }, `readlink /proc/self/ns/ipc; grep -c ' /dev/shm ' /proc/mounts`)
  expect(none.output).toEndWith("\n0")
  expect(here).not.toContain(none.output.split("\n")[0]!)
})

test("names, addresses and kernel parameters are in the container", async () => {
  const { output, inspect, warnings } = await runContainer(
    engine,
    {
      ...{
        Hostname: "box",
        Domainname: "example.test",
        WorkingDir: "/not/yet",
        Env: ["A=b", "PATH=/bin"],
        Labels: { a: "b" },
      },
      ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
      HostConfig: {
        ...{ Dns: ["9.9.9.9"], DnsSearch: ["q.test"], DnsOptions: ["ndots:2"] },
        ExtraHosts: ["other:1.2.3.4", "up:host-gateway"],
        Sysctls: { "net.ipv4.ip_forward": "1", "kernel.shmmax": "1000000" },
        PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
        Annotations: { "a.b": "c" },
      },
      NetworkingConfig: {
        EndpointsConfig: {
          bridge: {
            MacAddress: "92:d0:c6:0a:29:33",
            DriverOpts: { "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1" },
          },
        },
      },
    },
    `hostname; cat /proc/sys/kernel/domainname; pwd; echo $A $PATH; cat /etc/resolv.conf; cat /etc/hosts; ip link
    cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax /proc/sys/net/ipv4/conf/eth0/log_martians`,
  )
  expect(warnings).toEqual([])
  expect(output).toStartWith(
    "box\nexample.test\n/not/yet\nb /bin\nnameserver 9.9.9.9\nsearch q.test\noptions ndots:2\n",
  )
  expect(output).toMatch(/^1\.2\.3\.4\tother$/m)
  expect(output).toMatch(/^172\.\d+\.\d+\.1\tup$/m)
  expect(output).toMatch(/^172\.\d+\.\d+\.\d+\tbox\.example\.test box$/m)
  expect(output).toContain("92:d0:c6:0a:29:33")
  expect(output).toEndWith("\n1\n1000000\n1")
  expect(inspect.Config.MacAddress).toBe("92:d0:c6:0a:29:33")
  expect(inspect.HostConfig.Annotations).toEqual({ "a.b": "c" })
})

test("no port is null in inspect, published or not", async () => {
  const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create", {
    ...{ Image: "bb", Cmd: ["sleep", "60"], ExposedPorts: { "80/tcp": {}, "81/udp": {} } },
    HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1" }] } },
  })
  await engine.must("POST", `/containers/${Id}/start`)
  type Shown = { NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[]> } }
  const { Ports } = (await engine.must<Shown>("GET", `/containers/${Id}/json`)).NetworkSettings
  expect(Ports["81/udp"]).toEqual([])
  expect(Ports["80/tcp"]).toEqual([
    { HostIp: "127.0.0.1", HostPort: expect.stringMatching(/^\d+$/) as unknown as string },
  ])
  const [row] = await engine.must<{ Ports: object[] }[]>("GET", "/containers/json")
  expect(row?.Ports).toContainEqual({ PrivatePort: 81, Type: "udp" })
  await engine.must("DELETE", `/containers/${Id}?force=1`)
})

test("users and groups are those of the image's files, or numbers", async () => {
  const who = "echo $(id -u):$(id -g) $(id -G) $HOME"
  expect((await run({ GroupAdd: ["5", "root"] }, who)).output).toBe("0:0 0 5 /root")
  expect((await run({}, who, { User: "1234:77" })).output).toBe("1234:77 77 /")
  expect((await run({ GroupAdd: ["nobody-here"] }, who)).error).toContain("Unable to find group nobody-here")
  expect((await run({}, who, { User: "0:nobody-here" })).error).toContain("unable to find group nobody-here")
  expect((await run({}, who, { User: "99999999999" })).error).toContain("uids and gids must be in range 0-2147483647")
})
