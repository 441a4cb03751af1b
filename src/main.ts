// The one program: `dhow daemon` serves, `dhow internal` is what the daemon calls itself for, everything else is a command
// of the CLI. Loaded on demand, so that a command pays only for what it uses.

async function main(argv: readonly string[]): Promise<number> {
  const asksHelp = argv.includes("--help") || argv.includes("-h")
  if (argv[0] === "daemon" && !asksHelp) {
    const { runDaemon } = await import("./daemon.ts")
    return runDaemon(argv.slice(1))
  }
  if (argv[0] === "internal") {
    const { runInternal } = await import("./internal.ts")
    return runInternal(argv.slice(1))
  }
  const { runCli } = await import("./cli/main.ts")
  return runCli(argv)
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  async (error: unknown) => {
    const { describeError } = await import("./lib/errors.ts")
    console.error(`dhow: ${describeError(error)}`)
    process.exit(1)
  },
)
