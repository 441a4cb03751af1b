// What dhow is to reach, each as one number under or over a limit. Medians of one run are compared.

/** Median of a result of one contestant ("floor", "dhow", "docker", ...), or undefined where it was not measured. */
export type Measured = (contestant: string, result: string) => number | undefined

export type Goal = {
  readonly text: string
  readonly limit: number
  readonly direction: "at most" | "at least"
  readonly unit: string
  value(measured: Measured): number | undefined
}

function quotient(result: string, over: string, under: string): (measured: Measured) => number | undefined {
  return (measured) => {
    const [above, below] = [measured(over, result), measured(under, result)]
    return above === undefined || below === undefined ? undefined : above / below
  }
}

function overFloor(text: string, result: string, limit: number): Goal {
  return { text, limit, direction: "at most", unit: "× the floor", value: quotient(result, "dhow", "floor") }
}

function imageGoals(name: string, text: string): Goal[] {
  const faster = [
    ["load", 5],
    ["import", 5],
    ["save", 2],
    ["push", 2],
    ["pull", 2],
  ] as const
  return [
    ...faster.map(([what, limit]) => fasterThanDocker(`${what} of ${text}`, `${name}.${what}`, limit)),
    ...faster.map(([what]) => mebibytes(`memory during ${what} of ${text}`, `${name}.${what}-memory`, 150)),
    {
      text: `disk used by ${text}`,
      limit: 1.05,
      direction: "at most",
      unit: "× its tar",
      value: (measured) => measured("dhow", `${name}.disk`),
    },
  ]
}

function fasterThanDocker(text: string, result: string, limit: number): Goal {
  return { text, limit, direction: "at least", unit: "× faster than docker", value: quotient(result, "docker", "dhow") }
}

/** The floor is another program here that does nothing but send. */
function sentAsFast(text: string, result: string): Goal {
  return {
    text,
    limit: 0.8,
    direction: "at least",
    unit: "× what nginx sends",
    value: quotient(result, "floor", "dhow"),
  }
}

function fileGoals(name: string, text: string): Goal[] {
  return [
    overFloor(`${text} to a volume`, `${name}.volume`, 1.05),
    overFloor(`${text} to a container's layer`, `${name}.layer`, 1.15),
  ]
}

function mebibytes(text: string, result: string, limit: number): Goal {
  const value = (measured: Measured): number | undefined => {
    const bytes = measured("dhow", result)
    return bytes === undefined ? undefined : bytes / 2 ** 20
  }
  return { text, limit, direction: "at most", unit: "MiB", value }
}

export const GOALS: readonly Goal[] = [
  overFloor("run --rm, bridge", "run-bridge", 4),
  fasterThanDocker("run --rm, bridge", "run-bridge", 6),
  overFloor("exec", "exec", 3),
  fasterThanDocker("ps -a", "ps", 1),
  fasterThanDocker("20 parallel run -d", "many.start", 4),
  fasterThanDocker("rm -f of 20", "many.remove", 4),
  fasterThanDocker("100 MB of standard output", "output", 3),
  {
    text: "start of the client",
    limit: 15,
    direction: "at most",
    unit: "ms",
    value: (measured) => measured("dhow", "client"),
  },
  mebibytes("daemon after 500 runs", "memory.first", 70),
  {
    text: "growth of the daemon over the next 500",
    limit: 2,
    direction: "at most",
    unit: "MiB",
    value(measured) {
      const [first, second] = [measured("dhow", "memory.first"), measured("dhow", "memory.second")]
      return first === undefined || second === undefined ? undefined : (second - first) / 2 ** 20
    },
  },
  mebibytes("idle container", "idle", 3),
  ...fileGoals("files-10mb", "10 MB of small files"),
  ...fileGoals("files-100mb", "100 MB of small files"),
  ...fileGoals("files-1gb", "1 GB of small files"),
  sentAsFast("a cached blob from the registry", "registry.pull"),
  sentAsFast("a cached blob from the registry, 8 clients", "registry.pulls"),
  ...imageGoals("images-debian", "170 MB"),
  ...imageGoals("images-large", "1 GB"),
]

/** One line per goal that could be measured: met, or by how much it falls short. */
export function judge(goals: readonly Goal[], measured: Measured): string[] {
  return goals.flatMap(({ text, limit, direction, unit, value }) => {
    const number = value(measured)
    if (number === undefined) return []
    const met = direction === "at most" ? number <= limit : number >= limit
    return [
      `- ${met ? "met" : "**falls short**"}: ${text}: ${number.toFixed(limit < 2 ? 2 : 1)} ${unit} (${direction} ${limit})`,
    ]
  })
}
