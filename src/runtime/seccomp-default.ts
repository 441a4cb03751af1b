// The default system-call policy: Docker's published one, as data. A call that no rule allows fails with EPERM.
// Rules that depend on a capability, an architecture or a kernel version say so; `seccomp.ts` chooses among them.
import type { SeccompArgument } from "../oci/runtime-spec.ts"

/** A rule of a profile as Docker's profile files write them. */
export type ProfileRule = {
  readonly name?: string
  readonly names?: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly SeccompArgument[] | null
  readonly includes?: RuleCondition | null
  readonly excludes?: RuleCondition | null
}
export type RuleCondition = {
  readonly caps?: readonly string[] | null
  readonly arches?: readonly string[] | null
  readonly minKernel?: string | null
}

const ALLOW = "SCMP_ACT_ALLOW"
const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Harmless for any container; grouped by what they work on. Names of all architectures: unknown ones are ignored. */
const ALWAYS = words(`
  open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2
  lseek _llseek dup dup2 dup3 fcntl fcntl64 ioctl flock fsync fdatasync sync syncfs sync_file_range readahead
  fadvise64 fadvise64_64 fallocate truncate truncate64 ftruncate ftruncate64 copy_file_range sendfile sendfile64
  splice tee vmsplice pipe pipe2 umask
  access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32
  stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64
  statmount listmount name_to_handle_at cachestat
  link linkat symlink symlinkat readlink readlinkat rename renameat renameat2 unlink unlinkat mkdir mkdirat rmdir
  mknod mknodat chdir fchdir getcwd getdents getdents64 utime utimes utimensat utimensat_time64 futimesat
  getxattr getxattrat lgetxattr fgetxattr setxattr setxattrat lsetxattr fsetxattr
  listxattr listxattrat llistxattr flistxattr removexattr removexattrat lremovexattr fremovexattr
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
  landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp

  brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall
  remap_file_pages membarrier memfd_create memfd_secret mseal map_shadow_stack
  pkey_alloc pkey_free pkey_mprotect process_mrelease

  fork vfork execve execveat exit exit_group wait4 waitid waitpid kill tkill tgkill
  pidfd_open pidfd_send_signal prctl uname sysinfo times getrusage getcpu getrandom rseq restart_syscall
  set_tid_address set_thread_area get_thread_area set_robust_list get_robust_list
  futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue
  getrlimit ugetrlimit setrlimit prlimit64 getpriority setpriority riscv_hwprobe uretprobe

  getpid getppid gettid getpgid getpgrp setpgid getsid setsid capget capset
  getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32
  getresuid getresuid32 getresgid getresgid32 getgroups getgroups32
  setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32
  setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32

  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn signalfd signalfd4 pause alarm

  sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
  sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
  sched_rr_get_interval_time64 ioprio_get ioprio_set

  time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep
  clock_nanosleep_time64 nanosleep adjtimex clock_adjtime clock_adjtime64 getitimer setitimer
  timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64

  select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
  eventfd eventfd2 io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64

  accept accept4 bind connect listen shutdown getsockname getpeername getsockopt setsockopt socketcall socketpair
  send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64

  ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
  mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64
`)

const AF_VSOCK = 40
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET together. */
const CLONE_NAMESPACES = 0x7e020000
const ENOSYS = 38
/** PER_LINUX, PER_LINUX32, UNAME26, both, and the query. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]

const allow = (names: string, condition: Omit<ProfileRule, "names" | "action"> = {}): ProfileRule => ({
  names: words(names),
  action: ALLOW,
  ...condition,
})
const withCapability = (capability: string, names: string): ProfileRule =>
  allow(names, { includes: { caps: [capability] } })
const onArchitectures = (arches: string, names: string): ProfileRule =>
  allow(names, { includes: { arches: words(arches) } })
const cloneWithoutNamespaces = (index: number): SeccompArgument[] => [
  { index, value: CLONE_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" },
]

export const DEFAULT_RULES: readonly ProfileRule[] = [
  { names: ALWAYS, action: ALLOW },
  // Before 4.8 ptrace let a process slip past its own filter.
  allow("process_vm_readv process_vm_writev ptrace", { includes: { minKernel: "4.8" } }),
  allow("socket", { args: [{ index: 0, value: AF_VSOCK, op: "SCMP_CMP_NE" }] }),
  ...PERSONALITIES.map((value) => allow("personality", { args: [{ index: 0, value, op: "SCMP_CMP_EQ" }] })),
  onArchitectures("ppc64le", "sync_file_range2 swapcontext"),
  onArchitectures("arm arm64", "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"),
  onArchitectures("amd64 x32", "arch_prctl"),
  onArchitectures("amd64 x32 x86", "modify_ldt"),
  onArchitectures("s390 s390x", "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"),
  onArchitectures("riscv64", "riscv_flush_icache"),
  withCapability("CAP_DAC_READ_SEARCH", "open_by_handle_at"),
  withCapability(
    "CAP_SYS_ADMIN",
    `mount mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick umount umount2 quotactl quotactl_fd
     clone clone3 unshare setns sethostname setdomainname bpf perf_event_open fanotify_init lookup_dcookie syslog
     lsm_get_self_attr lsm_set_self_attr lsm_list_modules`,
  ),
  allow("clone", {
    args: cloneWithoutNamespaces(0),
    excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390", "s390x"] },
  }),
  // The first two arguments are the other way round there.
  allow("clone", {
    args: cloneWithoutNamespaces(1),
    includes: { arches: ["s390", "s390x"] },
    excludes: { caps: ["CAP_SYS_ADMIN"] },
  }),
  // Its flags lie in memory, out of a filter's sight; ENOSYS makes the C library fall back to clone.
  { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS, excludes: { caps: ["CAP_SYS_ADMIN"] } },
  withCapability("CAP_SYS_BOOT", "reboot"),
  withCapability("CAP_SYS_CHROOT", "chroot"),
  withCapability("CAP_SYS_MODULE", "init_module finit_module delete_module"),
  withCapability("CAP_SYS_PACCT", "acct"),
  withCapability("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace"),
  withCapability("CAP_SYS_RAWIO", "iopl ioperm"),
  withCapability("CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"),
  withCapability("CAP_SYS_TTY_CONFIG", "vhangup"),
  withCapability("CAP_SYS_NICE", "get_mempolicy set_mempolicy set_mempolicy_home_node mbind"),
  withCapability("CAP_SYSLOG", "syslog"),
  withCapability("CAP_BPF", "bpf"),
  withCapability("CAP_PERFMON", "perf_event_open"),
]

/** Native architecture → it and those whose programs it runs as well. */
export const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  s390x: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"],
  riscv64: ["SCMP_ARCH_RISCV64"],
}
