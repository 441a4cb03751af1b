// Counters of the registry, as Prometheus reads them (text format 0.0.4).

const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60]
const PREFIX = "dhow_registry_"

type Labels = Readonly<Record<string, string>>
type Kind = "counter" | "gauge" | "histogram"
type Series = { readonly labels: Labels; value: number; readonly buckets: number[]; count: number }

class Metric {
  readonly name: string
  readonly help: string
  readonly kind: Kind
  readonly #series = new Map<string, Series>()

  constructor(name: string, kind: Kind, help: string) {
    this.name = PREFIX + name
    this.kind = kind
    this.help = help
  }

  add(labels: Labels, value = 1): void {
    this.#at(labels).value += value
  }

  set(labels: Labels, value: number): void {
    this.#at(labels).value = value
  }

  observe(labels: Labels, seconds: number): void {
    const series = this.#at(labels)
    series.value += seconds
    series.count++
    for (const [at, bound] of BUCKETS.entries()) if (seconds <= bound) series.buckets[at]!++
  }

  sum(wanted: Labels = {}): number {
    let total = 0
    for (const { labels, value } of this.#series.values())
      if (Object.entries(wanted).every(([name, text]) => labels[name] === text)) total += value
    return total
  }

  text(): string {
    const lines = [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} ${this.kind}`]
    for (const series of this.#series.values())
      if (this.kind !== "histogram") lines.push(`${this.name}${labelsText(series.labels)} ${series.value}`)
      else {
        for (const [at, bound] of BUCKETS.entries())
          lines.push(`${this.name}_bucket${labelsText({ ...series.labels, le: String(bound) })} ${series.buckets[at]}`)
        lines.push(`${this.name}_bucket${labelsText({ ...series.labels, le: "+Inf" })} ${series.count}`)
        lines.push(`${this.name}_sum${labelsText(series.labels)} ${series.value}`)
        lines.push(`${this.name}_count${labelsText(series.labels)} ${series.count}`)
      }
    return `${lines.join("\n")}\n`
  }

  #at(labels: Labels): Series {
    const key = JSON.stringify(labels)
    let found = this.#series.get(key)
    if (found === undefined) {
      found = { labels, value: 0, buckets: BUCKETS.map(() => 0), count: 0 }
      this.#series.set(key, found)
    }
    return found
  }
}

function labelsText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, "_")}"`)
  return parts.length === 0 ? "" : `{${parts.join(",")}}`
}

/** Labels have few values each: what clients write never becomes one. */
export class Metrics {
  readonly requests = new Metric("requests_total", "counter", "Requests by route, method and status")
  readonly sent = new Metric("sent_bytes_total", "counter", "Bytes of bodies sent")
  readonly received = new Metric("received_bytes_total", "counter", "Bytes of bodies received")
  readonly duration = new Metric("request_seconds", "histogram", "Time until the answer begins")
  readonly cache = new Metric("cache_total", "counter", "What was asked of proxied registries, by result")
  readonly #gauges: readonly Metric[]
  readonly #look: () => Readonly<Record<string, number>>

  constructor(gauges: Readonly<Record<string, string>>, look: () => Readonly<Record<string, number>>) {
    this.#gauges = Object.entries(gauges).map(([name, help]) => new Metric(name, "gauge", help))
    this.#look = look
  }

  text(): string {
    const now = this.#look()
    for (const gauge of this.#gauges) gauge.set({}, now[gauge.name.slice(PREFIX.length)] ?? 0)
    const all = [this.requests, this.sent, this.received, this.duration, this.cache, ...this.#gauges]
    return all.map((metric) => metric.text()).join("")
  }
}
