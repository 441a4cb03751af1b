#!/bin/sh
# Process 1 of the virtual machine: a host with cgroup v2 alone. Runs the checks against a real engine and says of each line
# whether it held; the last line counts them. Ends the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DHOW_DOCKER_CONFIG=
# The kernel's first root cannot be pivoted from, as runtimes do: the system goes on from a tmpfs.
if [ ! -e /switched ]; then
  mkdir /new
  mount -t tmpfs -o size=1500m root /new
  cp -a /bin /sbin /lib /lib64 /etc /usr /init /new/
  mkdir -p /new/proc /new/sys /new/dev /new/run /new/tmp /new/var/lib /new/root
  touch /new/switched
  exec /bin/busybox switch_root /new /init
fi
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t tmpfs -o size=2g,mode=755 data /var/lib
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
for module in overlay loop veth bridge nf_tables nft_chain_nat nft_masq nft_ct nf_nat br_netfilter nft_compat xt_comment xt_MASQUERADE xt_conntrack xt_addrtype xt_mark ip_tables iptable_nat iptable_filter; do modprobe $module 2>/dev/null; done
ip link set lo up
hostname vm
held=0 failed=0
ok() { held=$((held + 1)); echo "HELD   $1"; }
no() { failed=$((failed + 1)); echo "FAILED $1: $2"; }
check() { # WHAT EXPECTED ACTUAL
  case "$3" in *"$2"*) ok "$1" ;; *) no "$1" "expected $2, got $3" ;; esac
}
echo "BEGIN $(uname -r) $(cat /sys/fs/cgroup/cgroup.controllers)"
dhow daemon >/tmp/log 2>&1 &
daemon=$!
for i in $(seq 600); do test -S /run/dhow/dhow.sock && break; sleep 0.1; done
mkdir -p /tmp/bb/bin /tmp/bb/tmp /tmp/bb/proc /tmp/bb/sys /tmp/bb/dev /tmp/bb/etc
cp /bin/busybox /tmp/bb/bin/
for applet in sh cat sleep true dd mkdir grep head wc id; do ln /tmp/bb/bin/busybox /tmp/bb/bin/$applet; done
tar -C /tmp/bb -cf - . | dhow import - bb >/dev/null || no import "$(tail -3 /tmp/log)"
check "info says v2" "2 cgroupfs" "$(dhow info -f '{{.CgroupVersion}} {{.CgroupDriver}}')"
check "info has no word of missing limits" "none" "$(dhow info -f '{{json .Warnings}}' | grep -E 'No (memory|swap|cpu|pids)' || echo none)"
check "run" hello "$(dhow run --rm bb cat /proc/self/cgroup >/tmp/own; dhow run --rm bb sh -c 'echo hello' 2>&1)"
check "cgroup namespace is private" "0::/" "$(cat /tmp/own)"
check "run on the bridge" "inet" "$(dhow run --rm bb sh -c 'cat /proc/net/fib_trie >/dev/null && echo inet' 2>&1)"
inside='cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max /sys/fs/cgroup/memory.low /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpuset.cpus | tr "\n" " "'
limits=$(dhow run --rm -m 64m --memory-swap 96m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --pids-limit 50 --cpuset-cpus 0 bb sh -c "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.low /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpuset.cpus" 2>&1 | tr '\n' ' ')
check "limits are what the kernel holds" "67108864 33554432 50000 100000 20 50 0" "$limits"
check "/sys/fs/cgroup is read-only" "Read-only" "$(dhow run --rm bb mkdir /sys/fs/cgroup/x 2>&1)"
dhow run --name oom -m 20m --memory-swap 20m bb sh -c 'x=a; while :; do x=$x$x; done' >/dev/null 2>&1
check "an OOM kill is told" "true 137" "$(dhow inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' oom)"
check "why says so" "memory" "$(dhow why oom 2>&1 | tr '\n' ' ')"
dhow run -d --name one --memory 64m bb sh -c 'while :; do sleep 1; done' >/dev/null
check "stats" "64MiB" "$(dhow stats --no-stream --format '{{.MemUsage}}' one 2>&1)"
check "stats count processes, the init too" "3" "$(dhow stats --no-stream --format '{{.PIDs}}' one 2>&1)"
id=$(dhow inspect -f '{{.Id}}' one)
group=/sys/fs/cgroup/dhow/$id
dhow update --memory 128m --memory-swap 128m --cpus 0.25 --pids-limit 77 one >/dev/null 2>&1 || no update "failed"
check "update changes the running process" "134217728 77 25000 100000" "$(cat $group/memory.max $group/pids.max $group/cpu.max | tr '\n' ' ')"
dhow pause one >/dev/null
check "pause freezes" "frozen 1" "$(cat $group/cgroup.events | tr '\n' ' ')"
check "paused is said" "paused" "$(dhow inspect -f '{{.State.Status}}' one)"
dhow unpause one >/dev/null
check "unpause thaws" "frozen 0" "$(cat $group/cgroup.events | tr '\n' ' ')"
check "exec is in the same group" "0::/" "$(dhow exec one cat /proc/self/cgroup)"
check "top" "sleep" "$(dhow top one 2>&1 | tr '\n' ' ')"
kill -9 $daemon
sleep 1
dhow daemon >>/tmp/log 2>&1 &
for i in $(seq 600); do dhow ps >/dev/null 2>&1 && break; sleep 0.1; done
check "a daemon killed and started adopts" "running" "$(dhow inspect -f '{{.State.Status}}' one 2>&1)"
dhow rm -f one oom >/dev/null 2>&1
check "no group is left" "gone" "$(test -d $group || echo gone)"
check "writable with --security-opt" "made" "$(dhow run --rm --security-opt writable-cgroups=true bb sh -c 'mkdir /sys/fs/cgroup/x && echo made' 2>&1)"
tar -C / -cf - --exclude=./var/lib/dhow --exclude=./proc --exclude=./sys --exclude=./dev --exclude=./run --exclude=./tmp --exclude=./lib/modules --exclude=./usr/lib/modules --exclude=./usr/local bin sbin lib lib64 usr/bin usr/sbin usr/lib usr/lib64 etc 2>/dev/null | dhow import -c 'CMD ["/sbin/init"]' - sd >/dev/null 2>&1
dhow run -d --name boot sd >/dev/null 2>&1
state=
for i in $(seq 200); do state=$(dhow exec boot systemctl is-system-running 2>&1); case "$state" in running | degraded) break ;; esac; sleep 0.5; done
case "$state" in running | degraded) ok "systemd boots ($state)" ;; *) no "systemd boots" "$state $(dhow logs boot 2>&1 | tail -3)" ;; esac
check "its cgroup is delegated" "init.scope" "$(dhow exec boot cat /proc/1/cgroup 2>&1)"
check "its own limits are out of its hands" "refused" "$(dhow exec boot sh -c 'echo max 2>/dev/null > /sys/fs/cgroup/memory.max && echo written || echo refused' 2>/dev/null)"
dhow stop -t 60 boot >/dev/null 2>&1
check "stop halts it" "0" "$(dhow inspect -f '{{.State.ExitCode}}' boot 2>&1)"
echo "END $held held, $failed failed"
test $failed = 0 || tail -20 /tmp/log
sync
echo o >/proc/sysrq-trigger
sleep 60
