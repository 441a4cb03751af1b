#!/bin/sh
# A pool of one machine for HTCondor's docker universe, with dhow as its engine: five jobs, what they did, and nothing left.
# Everything lies below one directory, listens on loopback, and is ended by its process id.
#
#   sudo ./run.sh [docker|dhow]      which client HTCondor calls; docker where none is named
#
# DHOW         the dhow program; the one on the PATH otherwise
# JOB_USER     who submits the jobs, with a group of the same name; condor_ssh_to_job asks for one who has a shell
# CONDOR_ROOT  a Debian tree that has HTCondor (and docker-cli), where this machine's own packages have none:
#              mmdebstrap --include=minicondor,docker-cli,openssh-server,procps trixie TREE
set -eu
client=${1:-docker}
dhow=$(command -v "${DHOW:-dhow}")
root=${CONDOR_ROOT:-/}
job_user=${JOB_USER:-nobody}
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "This needs root" >&2; exit 2; }
# What is mounted here is seen by nobody else, and gone with the last process.
[ -n "${OWN_MOUNTS:-}" ] || exec env OWN_MOUNTS=1 unshare --mount --propagation private "$0" "$@"

work=$(mktemp -d /var/tmp/dhow-htcondor.XXXXXX)
engine="--data-root $work/engine/data --exec-root $work/engine/run --cgroup-parent /dhow-htcondor --bridge dhowht0 --bip 10.96.7.1/24"
socket=$work/docker.sock
export DHOW_HOST=unix://$socket DOCKER_HOST=unix://$socket CONDOR_CONFIG=$work/condor.config
export PATH="$work/bin:$PATH"
inside() { if [ "$root" = / ]; then "$@"; else chroot "$root" "$@"; fi; }
as_user() { inside setpriv --reuid "$job_user" --regid "$job_user" --clear-groups env HOME="$work/jobs" "$@"; }

# Process ids of what was started with this pool's configuration.
daemons() {
  for place in /proc/[0-9]*; do
    [ "${place#/proc/}" = $$ ] && continue
    grep -qsz "^CONDOR_CONFIG=$CONDOR_CONFIG$" "$place/environ" && grep -qs '^condor_' "$place/comm" && echo "${place#/proc/}"
  done
}

finish() {
  set +e
  [ -f "$work/log/master.pid" ] && inside condor_off -fast -master >/dev/null 2>&1
  # The master ends its daemons; who has not gone then is ended by its id.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(daemons)" ] || break
    sleep 1
  done
  kill -9 $(daemons) 2>/dev/null
  [ -n "${engine_pid:-}" ] && kill "$engine_pid" && wait "$engine_pid" 2>/dev/null
  "$dhow" internal reset $engine
  umount -l "$root/run/docker.sock"
  [ -z "${made_socket:-}" ] || rm "$made_socket"
  if [ "$root" != / ]; then
    umount -l "$root/$work"
    rmdir "$root/$work"
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' TERM INT HUP

mkdir "$work/bin" "$work/engine" "$work/log" "$work/spool" "$work/execute" "$work/lock" "$work/jobs"
cp "$here"/jobs/* "$work/jobs"
chmod 755 "$work"
chmod 777 "$work/jobs"
if [ "$root" != / ]; then
  mkdir -p "$root/$work"
  mount --bind "$work" "$root/$work"
  for place in proc sys dev; do mount --rbind "/$place" "$root/$place"; done
fi
cp "$dhow" "$work/bin/dhow"
[ "$client" = docker ] || ln -s dhow "$work/bin/docker"

# The engine, for itself.
"$dhow" daemon $engine --host "unix://$socket" >"$work/log/engine" 2>&1 &
engine_pid=$!
until "$dhow" version >/dev/null 2>&1; do kill -0 $engine_pid; sleep 0.1; done
chmod 666 "$socket"
# HTCondor's starter reads what a job uses from this path, wherever DOCKER_HOST points.
[ -e "$root/run/docker.sock" ] || { made_socket="$root/run/docker.sock" && : >"$made_socket"; }
mount --bind "$socket" "$root/run/docker.sock"
"$dhow" pull -q distro.local/busybox

# The pool.
sed "s#@WORK@#$work#; s#@DOCKER@#$(if [ "$client" = docker ]; then inside sh -c 'command -v docker'; else echo "$work/bin/docker"; fi)#" \
  "$here/condor.config" >"$CONDOR_CONFIG"
chown -R "$(inside id -u condor):$(inside id -g condor)" "$work/log" "$work/spool" "$work/execute" "$work/lock"
inside condor_master -pidfile "$work/log/master.pid"
until inside condor_status -af HasDocker DockerVersion 2>/dev/null | grep .; do sleep 0.5; done

# The jobs.
cd "$work/jobs"
submit() { as_user sh -c "cd $work/jobs && condor_submit -terse $1" | sed 's/ .*//'; }
ends() { as_user condor_wait -wait 120 "$work/jobs/$1.log" >/dev/null; }
history() { inside condor_history -limit 1 "$1" -af:h JobStatus ExitCode ExitBySignal | tail -n 2; }

echo "== hello: arguments, files in and out, standard streams"
id=$(submit hello.sub); ends hello; cat hello.out hello.err result; history "$id"
echo "== code: an exit code"
id=$(submit code.sub); ends code; history "$id"
echo "== missing: a program that is not there"
id=$(submit missing.sub)
until inside condor_q "$id" -af HoldReason | grep -v undefined; do sleep 0.5; done
echo "== memory: more than was asked for"
id=$(submit memory.sub)
until inside condor_q "$id" -af HoldReason | grep -v undefined; do sleep 0.5; done
echo "== long: looked into, and removed"
id=$(submit long.sub)
until [ "$(inside condor_q "$id" -af JobStatus)" = 2 ] && [ -n "$("$dhow" ps -q)" ]; do sleep 0.5; done
"$dhow" ps --format '{{.Image}} {{.Command}} {{.State}}'
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ "$(inside condor_q "$id" -af 'ifThenElse(MemoryUsage > 10, 1, 0)')" = 1 ] && break
  sleep 1
done
echo "memory: $(inside condor_q "$id" -af MemoryUsage) MB"
echo 'cat /proc/1/cmdline | tr "\0" " "; pwd; exit' | as_user condor_ssh_to_job "$id" 2>/dev/null || echo "not looked into"
inside condor_rm "$id"
until [ -z "$("$dhow" ps -aq)" ]; do sleep 0.5; done
echo "== afterwards"
echo "containers: $("$dhow" ps -aq | wc -l), errors of the engine: $(grep -c '"level":"error"' "$work/log/engine" || true)"
