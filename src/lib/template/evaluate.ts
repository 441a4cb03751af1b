// Runs a parsed template over data. Variables live in the block that declares them; "." is the data at hand.
import { DhowError } from "../errors.ts"
import { FUNCTIONS, isTrue, type TemplateFunction } from "./functions.ts"
import type { Command, Node, Operand, Pipe, Value, ValueMap } from "./nodes.ts"
import { parseTemplate } from "./parse.ts"
import { formatValue, goType } from "./print.ts"

export type TemplateOptions = {
  /** Value of a field that the data does not have; throws where that is a mistake. */
  readonly missing?: (name: string) => Value
  /** What a null field is printed as and ranged over: Go tells empty lists and maps from nil by their type. */
  readonly nullField?: (name: string) => Value
  readonly functions?: Readonly<Record<string, TemplateFunction>>
}

export type Template = (data: Value) => string

export function compileTemplate(source: string, options: TemplateOptions = {}): Template {
  const nodes = parseTemplate(source)
  checkFunctions(nodes, options)
  return (data) => {
    const run = new Run(options)
    run.nodes(nodes, data, new Scope(undefined, new Map([["$", data]])))
    return run.output
  }
}

class Scope {
  readonly #outer: Scope | undefined
  readonly #variables: Map<string, Value>

  constructor(outer: Scope | undefined, variables = new Map<string, Value>()) {
    this.#outer = outer
    this.#variables = variables
  }

  get(name: string): Value {
    if (this.#variables.has(name)) return this.#variables.get(name)
    if (this.#outer === undefined) throw failure(`undefined variable ${JSON.stringify(name)}`)
    return this.#outer.get(name)
  }

  declare(name: string, value: Value): void {
    this.#variables.set(name, value)
  }

  assign(name: string, value: Value): void {
    if (this.#variables.has(name) || this.#outer === undefined) this.#variables.set(name, value)
    else this.#outer.assign(name, value)
  }
}

type Flow = "next" | "break" | "continue"

function failure(message: string): DhowError {
  return new DhowError("invalid", `template parsing error: template: :1: ${message}`)
}

class Run {
  output = ""
  readonly #options: TemplateOptions

  constructor(options: TemplateOptions) {
    this.#options = options
  }

  nodes(nodes: readonly Node[], dot: Value, scope: Scope): Flow {
    for (const node of nodes) {
      const flow = this.#node(node, dot, scope)
      if (flow !== "next") return flow
    }
    return "next"
  }

  #node(node: Node, dot: Value, scope: Scope): Flow {
    switch (node.kind) {
      case "text":
        this.output += node.text
        return "next"
      case "action": {
        const value = this.#pipe(node.pipe, dot, scope)
        if (node.pipe.variables.length === 0) this.output += formatValue(value)
        return "next"
      }
      case "if":
      case "with": {
        const inner = new Scope(scope)
        const value = this.#pipe(node.pipe, dot, inner)
        if (!isTrue(value)) return this.nodes(node.otherwise, dot, inner)
        return this.nodes(node.body, node.kind === "with" ? value : dot, inner)
      }
      case "range":
        return this.#range(node, dot, scope)
      case "break":
      case "continue":
        return node.kind
      default:
        return node satisfies never
    }
  }

  #range(node: Node & { kind: "range" }, dot: Value, scope: Scope): Flow {
    const pipe = { ...node.pipe, variables: [] }
    const value = this.#pipe(pipe, dot, scope)
    const entries = entriesOf(value)
    if (entries.length === 0) return this.nodes(node.otherwise, dot, new Scope(scope))
    for (const [key, element] of entries) {
      const inner = new Scope(scope)
      const names = node.pipe.variables
      if (names.length === 1) inner.declare(names[0]!, element)
      if (names.length === 2) {
        inner.declare(names[0]!, key)
        inner.declare(names[1]!, element)
      }
      if (this.nodes(node.body, element, inner) === "break") break
    }
    return "next"
  }

  #pipe(pipe: Pipe, dot: Value, scope: Scope): Value {
    let value: Value
    for (const [index, command] of pipe.commands.entries())
      value = this.#command(command, dot, scope, index === 0 ? [] : [value])
    for (const name of pipe.variables) {
      if (pipe.assign) scope.assign(name, value)
      else scope.declare(name, value)
    }
    return value
  }

  #command(command: Command, dot: Value, scope: Scope, piped: readonly Value[]): Value {
    const [head, ...rest] = command as [Operand, ...Operand[]]
    if (head.kind === "function") {
      if (head.name === "and" || head.name === "or") return this.#shortCircuit(head.name, rest, dot, scope, piped)
      const args = [...rest.map((operand) => this.#operand(operand, dot, scope)), ...piped]
      const found = this.#options.functions?.[head.name] ?? FUNCTIONS[head.name]
      return found!(...args)
    }
    const args = [...rest.map((operand) => this.#operand(operand, dot, scope)), ...piped]
    if (head.kind === "chain") return this.#chain(head, dot, scope, args)
    if (args.length > 0) throw failure(`can't give argument to non-function ${describe(head)}`)
    return this.#operand(head, dot, scope)
  }

  #shortCircuit(
    name: "and" | "or",
    operands: readonly Operand[],
    dot: Value,
    scope: Scope,
    piped: readonly Value[],
  ): Value {
    let value: Value
    for (const operand of operands) {
      value = this.#operand(operand, dot, scope)
      if (isTrue(value) === (name === "or")) return value
    }
    return piped.length > 0 ? piped[0] : value
  }

  #operand(operand: Operand, dot: Value, scope: Scope): Value {
    switch (operand.kind) {
      case "dot":
        return dot
      case "literal":
        return operand.value
      case "nil":
        return null
      case "variable":
        return scope.get(operand.name)
      case "pipe":
        return this.#pipe(operand.pipe, dot, new Scope(scope))
      case "function":
        return this.#command([operand], dot, scope, [])
      case "chain":
        return this.#chain(operand, dot, scope, [])
      default:
        return operand satisfies never
    }
  }

  #chain(chain: Operand & { kind: "chain" }, dot: Value, scope: Scope, args: readonly Value[]): Value {
    let value = chain.base === undefined ? dot : this.#operand(chain.base, dot, scope)
    for (const [index, name] of chain.fields.entries()) {
      const isLast = index === chain.fields.length - 1
      value = this.#field(value, name, isLast ? args : [])
    }
    return value
  }

  #field(value: Value, name: string, args: readonly Value[]): Value {
    if (value === null || value === undefined) throw failure(`nil pointer evaluating .${name}`)
    if (typeof value !== "object" || Array.isArray(value))
      throw failure(`can't evaluate field ${name} in type ${goType(value)}`)
    const map = value as ValueMap
    if (!Object.hasOwn(map, name)) {
      if (this.#options.missing !== undefined) return this.#options.missing(name)
      throw failure(`can't evaluate field ${name}`)
    }
    const found = map[name]
    if (typeof found === "function") return found(...args)
    if (args.length > 0) throw failure(`${name} is not a method but has arguments`)
    if (found === null && this.#options.nullField !== undefined) return this.#options.nullField(name)
    return found
  }
}

function entriesOf(value: Value): [Value, Value][] {
  if (value === null || value === undefined) return []
  if (typeof value === "number") return Array.from({ length: value }, (_, index): [Value, Value] => [index, index])
  if (Array.isArray(value)) return value.map((element: Value, index): [Value, Value] => [index, element])
  if (typeof value === "object") return Object.entries(value as ValueMap).sort(([a], [b]) => (a < b ? -1 : 1))
  throw failure(`range can't iterate over ${formatValue(value)}`)
}

function describe(operand: Operand): string {
  return operand.kind === "literal" ? JSON.stringify(operand.value) : operand.kind
}

/** Go knows its functions when it parses: a wrong name fails before anything is printed. */
function checkFunctions(nodes: readonly Node[], options: TemplateOptions): void {
  const known = (name: string): boolean =>
    name === "and" || name === "or" || Object.hasOwn(FUNCTIONS, name) || options.functions?.[name] !== undefined
  const inPipe = (pipe: Pipe): void => {
    for (const operand of pipe.commands.flat()) inOperand(operand)
  }
  const inOperand = (operand: Operand): void => {
    if (operand.kind === "function" && !known(operand.name))
      throw failure(`function ${JSON.stringify(operand.name)} not defined`)
    if (operand.kind === "pipe") inPipe(operand.pipe)
    if (operand.kind === "chain" && operand.base !== undefined) inOperand(operand.base)
  }
  for (const node of nodes) {
    if ("pipe" in node) inPipe(node.pipe)
    if ("body" in node) {
      checkFunctions(node.body, options)
      checkFunctions(node.otherwise, options)
    }
  }
}
