// From pieces to a tree: blocks (if, with, range) nest, pipelines become commands of operands.
import { splitTemplate, type Token, templateError } from "./lex.ts"
import type { Command, Node, Operand, Pipe } from "./nodes.ts"

type Block = {
  readonly kind: "if" | "with" | "range"
  readonly pipe: Pipe
  readonly body: Node[]
  readonly otherwise: Node[]
}
/** An open block and where its nodes go now; `chained` for "else if", closed by the same "end". */
type Open = { readonly block: Block; nodes: Node[]; inElse: boolean; readonly chained: boolean }

export function parseTemplate(source: string): Node[] {
  const root: Node[] = []
  const open: Open[] = []
  for (const piece of splitTemplate(source)) {
    const nodes = open.at(-1)?.nodes ?? root
    if ("text" in piece) nodes.push({ kind: "text", text: piece.text })
    else parseAction(piece.action, nodes, open)
  }
  if (open.length > 0) throw templateError(":1: unexpected EOF")
  return root
}

function parseAction(tokens: readonly Token[], nodes: Node[], open: Open[]): void {
  const first = tokens[0]
  if (first === undefined) throw templateError(":1: missing value for command")
  switch (first.kind === "word" ? first.text : "") {
    case "if":
    case "with":
    case "range":
      openBlock(first.text as Block["kind"], tokens.slice(1), { nodes, open, chained: false })
      return
    case "else":
      parseElse(tokens.slice(1), open)
      return
    case "end": {
      if (open.length === 0) throw templateError(":1: unexpected {{end}}")
      while (open.pop()!.chained);
      return
    }
    case "break":
    case "continue":
      if (!open.some(({ block }) => block.kind === "range"))
        throw templateError(`:1: {{${first.text}}} outside {{range}}`)
      nodes.push({ kind: first.text as "break" | "continue" })
      return
    case "define":
    case "template":
    case "block":
      throw templateError(`:1: {{${first.text}}} is not supported`)
    default:
      nodes.push({ kind: "action", pipe: new PipeParser(tokens).whole() })
  }
}

type Place = { readonly nodes: Node[]; readonly open: Open[]; readonly chained: boolean }

function openBlock(kind: Block["kind"], tokens: readonly Token[], place: Place): void {
  if (tokens.length === 0) throw templateError(`:1: missing value for ${kind}`)
  const block: Block = { kind, pipe: new PipeParser(tokens).whole(), body: [], otherwise: [] }
  place.nodes.push(block)
  place.open.push({ block, nodes: block.body, inElse: false, chained: place.chained })
}

function parseElse(tokens: readonly Token[], open: Open[]): void {
  const current = open.at(-1)
  if (current === undefined || current.inElse) throw templateError(":1: unexpected {{else}}")
  current.inElse = true
  current.nodes = current.block.otherwise
  const word = tokens[0]?.text
  if (word === undefined) return
  if (word !== "if" && word !== "with") throw templateError(`:1: unexpected ${JSON.stringify(word)} in else`)
  openBlock(word, tokens.slice(1), { nodes: current.nodes, open, chained: true })
}

class PipeParser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Pipe {
    const pipe = this.#pipe()
    const rest = this.#tokens[this.#at]
    if (rest !== undefined) throw templateError(`:1: unexpected ${JSON.stringify(rest.text)} in command`)
    return pipe
  }

  #pipe(): Pipe {
    const { variables, assign } = this.#declaration()
    const commands: Command[] = [this.#command()]
    while (this.#tokens[this.#at]?.kind === "|") {
      this.#at++
      commands.push(this.#command())
    }
    return { variables, assign, commands }
  }

  #declaration(): { variables: string[]; assign: boolean } {
    const [a, b, c, d] = this.#tokens.slice(this.#at, this.#at + 4)
    const isAssignment = (token: Token | undefined): boolean => token?.kind === ":=" || token?.kind === "="
    if (a?.kind === "variable" && isAssignment(b)) {
      this.#at += 2
      return { variables: [a.text], assign: b!.kind === "=" }
    }
    if (a?.kind === "variable" && b?.kind === "," && c?.kind === "variable" && isAssignment(d)) {
      this.#at += 4
      return { variables: [a.text, c.text], assign: d!.kind === "=" }
    }
    return { variables: [], assign: false }
  }

  #command(): Command {
    const operands: Operand[] = []
    while (true) {
      const token = this.#tokens[this.#at]
      if (token === undefined || token.kind === "|" || token.kind === ")") break
      operands.push(this.#operand(token))
    }
    if (operands.length === 0) throw templateError(":1: missing value for command")
    return operands
  }

  #operand(token: Token): Operand {
    this.#at++
    switch (token.kind) {
      case "dot":
        return { kind: "dot" }
      case "field":
        return this.#fields(undefined, [token.text])
      case "string":
        return { kind: "literal", value: token.text }
      case "number":
        return { kind: "literal", value: Number(token.text) }
      case "variable":
        return this.#fields({ kind: "variable", name: token.text }, [])
      case "word":
        return word(token.text)
      case "(": {
        const pipe = this.#pipe()
        if (this.#tokens[this.#at]?.kind !== ")") throw templateError(":1: unclosed left paren")
        this.#at++
        return this.#fields({ kind: "pipe", pipe }, [])
      }
      default:
        throw templateError(`:1: unexpected ${JSON.stringify(token.text)} in operand`)
    }
  }

  #fields(base: Operand | undefined, fields: string[]): Operand {
    for (let next = this.#tokens[this.#at]; next?.kind === "field" && !next.spaced; next = this.#tokens[this.#at]) {
      fields.push(next.text)
      this.#at++
    }
    return base !== undefined && fields.length === 0 ? base : { kind: "chain", base, fields }
  }
}

function word(text: string): Operand {
  if (text === "true" || text === "false") return { kind: "literal", value: text === "true" }
  return text === "nil" ? { kind: "nil" } : { kind: "function", name: text }
}
