// bun tools/cgroup2-vm/main.ts: the engine on a host with cgroup v2 alone and Debian's own kernel, in a virtual machine under
// software emulation; by hand, since it takes some minutes. Needs root, a mirror, and the Debian packages mmdebstrap,
// qemu-system-x86, cpio and kmod; dist/dhow must be built. The machine's lines are printed; exits with 1 when one failed.
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const PROGRAMS = ["mmdebstrap", "qemu-system-x86_64", "cpio", "depmod", "apt-get", "dpkg-deb"]
const PACKAGES = [
  ...["systemd", "systemd-sysv", "dbus", "procps", "kmod", "iproute2", "nftables", "iptables", "busybox-static"],
  ...["crun", "conmon", "aardvark-dns", "catatonit"],
]
/** Drivers that such a machine has no use for: the whole root lies in its memory. */
const UNUSED = ["drivers/gpu", "drivers/net/ethernet", "drivers/infiniband", "drivers/scsi", "drivers/media", "sound"]
const MINUTES = 15

const root = join(import.meta.dir, "../..")
const dhow = join(root, "dist/dhow")

async function main(): Promise<number> {
  const missing = PROGRAMS.filter((program) => Bun.which(program) === null)
  if (missing.length > 0 || !existsSync(dhow)) {
    console.error(missing.length > 0 ? `Not installed: ${missing.join(", ")}` : "dist/dhow is not there: npm run build")
    return 2
  }
  const directory = mkdtempSync(join(tmpdir(), "dhow-vm-"))
  try {
    const { kernel, initrd } = prepare(directory)
    return await boot(kernel, initrd)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function prepare(directory: string): { readonly kernel: string; readonly initrd: string } {
  const system = join(directory, "root")
  mkdirSync(system)
  run(directory, "mmdebstrap", "--variant=minbase", `--include=${PACKAGES.join(",")}`, "bookworm", "root.tar")
  run(directory, "tar", "-C", system, "-xf", "root.tar")
  run(
    directory,
    "sh",
    "-c",
    'apt-get download "$(apt-cache depends linux-image-cloud-amd64 | sed -n "s/.*Depends: \\(linux-image\\)/\\1/p")"',
  )
  run(directory, "sh", "-c", "dpkg-deb -x linux-image-*.deb kernel")
  const kernel = join(
    directory,
    "kernel/boot",
    readdirSync(join(directory, "kernel/boot")).find((name) => name.startsWith("vmlinuz"))!,
  )
  run(directory, "cp", "-a", "kernel/lib/modules", join(system, "usr/lib/"))
  const [release = ""] = readdirSync(join(system, "usr/lib/modules"))
  for (const unused of UNUSED)
    rmSync(join(system, "usr/lib/modules", release, "kernel", unused), { recursive: true, force: true })
  run(directory, "depmod", "-b", join(system, "usr"), release)
  copyFileSync(dhow, join(system, "usr/local/bin/dhow"))
  copyFileSync(join(import.meta.dir, "guest.sh"), join(system, "init"))
  chmodSync(join(system, "init"), 0o755)
  run(system, "sh", "-c", "rm -rf var/cache/apt/* var/lib/apt/lists/* && find . | cpio -o -H newc --quiet > ../initrd")
  return { kernel, initrd: join(directory, "initrd") }
}

async function boot(kernel: string, initrd: string): Promise<number> {
  const append = "console=ttyS0 quiet rdinit=/init panic=-1 mitigations=off no_timer_check nowatchdog cgroup_no_v1=all"
  const machine = Bun.spawn(
    [
      ...["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "3000", "-nographic", "-no-reboot"],
      ...["-kernel", kernel, "-initrd", initrd, "-append", append],
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit", timeout: MINUTES * 60_000 },
  )
  let end = ""
  let rest = ""
  for await (const chunk of machine.stdout.pipeThrough(
    new TextDecoderStream() as never,
  ) as unknown as AsyncIterable<string>) {
    const lines = (rest + chunk).split(/\r?\n/)
    rest = lines.pop() ?? ""
    for (const line of lines) {
      if (/^(?:HELD|FAILED|BEGIN|END)\b/.test(line)) console.info(line)
      if (line.startsWith("END ")) end = line
    }
  }
  if (end === "")
    console.error(`The machine ended, or was ended after ${MINUTES} minutes, before its checks did: ${rest}`)
  return end.endsWith(" 0 failed") ? 0 : 1
}

function run(cwd: string, program: string, ...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([program, ...args], {
    cwd,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  })
  if (exitCode !== 0) throw new Error(`${program} failed: ${stderr.toString().slice(-500)}`)
}

process.exitCode = await main()
