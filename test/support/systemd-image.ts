// A tar of a small root with systemd in it: this machine's own systemd with the libraries it needs, and busybox for the rest.
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const INIT = "/usr/lib/systemd/systemd"
/** What /sbin/init leads to, with the units that a boot needs. */
const PACKAGES = ["systemd", "systemd-sysv"]

export const hasSystemd = existsSync(INIT) && existsSync("/bin/busybox") && Bun.which("dpkg") !== null

/** The paths of a merged /usr, so that a file is never put beside a link to its directory. */
const SCRIPT = `
  set -e
  mkdir -p usr/bin usr/sbin usr/lib usr/lib64 etc/systemd proc sys dev run tmp var/log var/lib root
  ln -s usr/bin bin; ln -s usr/sbin sbin; ln -s usr/lib lib; ln -s usr/lib64 lib64
  dpkg -L ${PACKAGES.join(" ")} | grep -vE '^/usr/share/(doc|man|locale|lintian)|/(hwdb.d|catalog)/' > list
  programs="${INIT} /usr/lib/systemd/systemd-journald /usr/lib/systemd/systemd-executor /usr/bin/systemctl /usr/bin/journalctl"
  for program in $programs; do test ! -e $program || ldd $program | grep -oE '/[^ ]+' ; done | sort -u >> list
  while read -r path; do
    test -d "$path" && ! test -h "$path" && continue
    case "$path" in /lib/* | /lib64/* | /bin/* | /sbin/*) path=/usr$path ;; esac
    test -e "$path" || test -h "$path" && echo ".$path"
  done < list | sort -u > files
  # Libraries are links to files of other names: both are needed.
  while read -r path; do test -h "/$path" && test -f "/$path" && realpath "/$path" | sed 's/^/./'; done < files >> files.real || true
  cat files.real >> files 2>/dev/null || true
  tar -C / --no-recursion -cf - -T files 2>/dev/null | tar -xf -
  rm -f list files files.real
  cp /bin/busybox usr/bin/busybox
  for applet in sh cat ls mount true sleep grep; do test -e usr/bin/$applet || ln usr/bin/busybox usr/bin/$applet; done
  echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
  echo 'root:x:0:' > etc/group
  : > etc/machine-id
  # Units that want what is not here would only make the boot longer.
  mkdir -p etc/systemd/system
  for unit in systemd-logind.service getty.target systemd-update-utmp.service systemd-sysusers.service; do
    ln -sf /dev/null etc/systemd/system/$unit
  done
  tar -cf - .
`

export function systemdTar(): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "dhow-systemd-"))
  try {
    const { exitCode, stdout, stderr } = Bun.spawnSync(["sh", "-c", SCRIPT], { cwd: directory })
    if (exitCode !== 0) throw new Error(`no image of systemd could be made: ${stderr}`)
    return stdout
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
