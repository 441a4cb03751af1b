// Columns aligned with spaces: three between the widest cell and the next column, at least ten wide.

const PADDING = 3
const LEAST_WIDTH = 10

export function formatTable(rows: readonly (readonly string[])[], leastWidth = LEAST_WIDTH): string {
  const widths: number[] = []
  for (const row of rows) {
    // The last cell of a row is followed by nothing, so it does not widen its column.
    for (const [index, cell] of row.slice(0, -1).entries())
      widths[index] = Math.max(widths[index] ?? leastWidth, width(cell) + PADDING)
  }
  let text = ""
  for (const row of rows) {
    for (const [index, cell] of row.entries())
      text += index === row.length - 1 ? cell : cell + " ".repeat(widths[index]! - width(cell))
    text += "\n"
  }
  return text
}

function width(text: string): number {
  // One column per character; control of wide characters is left to the terminal, as docker does.
  return [...text].length
}
