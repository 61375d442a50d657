/** One reading of `/metrics`. */
export class Scrape {
  readonly #values = new Map<string, number>();

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const [, name, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      if (name !== undefined) this.#values.set(name, Number(value));
    }
  }

  /** The value of a series as Prometheus writes it, for example `taskwire_tasks_failed_total{code="POISONED"}`; 0 where there is none. */
  value(series: string): number {
    return this.#values.get(series) ?? 0;
  }

  /** The series of a metric with values other than 0, and their values. */
  seriesOf(metric: string): Record<string, number> {
    const found = [...this.#values].filter(([name, value]) => value !== 0 && name.split("{")[0] === metric);
    return Object.fromEntries(found.map(([name, value]) => [name.slice(metric.length), value]));
  }
}

/** Reads `/metrics` of a process. */
export async function scrape(httpUrl: string): Promise<Scrape> {
  const response = await fetch(`${httpUrl}/metrics`);
  if (!response.ok) throw new Error(`/metrics answers ${response.status}`);
  return new Scrape(await response.text());
}
