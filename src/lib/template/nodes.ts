// The syntax tree of a template: a subset of Go's text/template, as docker's --format uses it. Plain data.

export type Value = null | undefined | boolean | number | bigint | string | readonly Value[] | ValueMap | Method
export type ValueMap = { readonly [name: string]: Value }
/** A field that takes arguments: .Label "name". */
export type Method = (...args: Value[]) => Value

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly pipe: Pipe }
  | {
      readonly kind: "if" | "with"
      readonly pipe: Pipe
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }
  | { readonly kind: "range"; readonly pipe: Pipe; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | { readonly kind: "break" | "continue" }

export type Pipe = {
  /** $name, or $index and $element of a range. */
  readonly variables: readonly string[]
  /** "=" instead of ":=". */
  readonly assign: boolean
  readonly commands: readonly Command[]
}

/** A function or method with its arguments, or a lone operand. */
export type Command = readonly Operand[]

export type Operand =
  | { readonly kind: "dot" }
  | { readonly kind: "literal"; readonly value: Value }
  | { readonly kind: "nil" }
  | { readonly kind: "function"; readonly name: string }
  /** $x.A.B, .A.B (base undefined), (pipe).A */
  | { readonly kind: "chain"; readonly base: Operand | undefined; readonly fields: readonly string[] }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "pipe"; readonly pipe: Pipe }
