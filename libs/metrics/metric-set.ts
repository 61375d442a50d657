import { collectDefaultMetrics, Counter, Gauge, Histogram, type MetricValueWithName, Registry } from "prom-client";
import type { Distribution } from "#libs/metrics/distribution.js";

/** What a metric is called and means. */
export interface MetricNames<L extends string> {
  /** Snake case, with its unit at the end; counters end with `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

/** One value of a metric, under its labels. */
export interface Sample<L extends string, V> {
  readonly labels: Readonly<Record<L, string>>;
  readonly value: V;
}

/** Gives the values of a metric as they are now; called at every scrape and at no other time. */
export type ReadSamples<L extends string, V> = () => Iterable<Sample<L, V>>;

/**
 * The metrics of one process in Prometheus' text format. Nothing is measured through here: code counts in plain numbers of its own, and
 * the numbers are read when somebody asks. Every set of labels must be bounded by whoever keeps the numbers.
 */
export class MetricSet {
  readonly #registry = new Registry();

  /** The media type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds what is known of any Node.js process: CPU, memory, garbage collection, delay of the event loop, open files. */
  addProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** A count since the start of the process. */
  counter<L extends string = never>(names: MetricNames<L>, read: ReadSamples<L, number>): void {
    const counter: Counter<L> = new Counter<L>({
      ...this.#configuration(names),
      collect: () => {
        counter.reset();
        for (const { labels, value } of read()) counter.inc(labels, value);
      },
    });
  }

  /** A number that goes up and down. */
  gauge<L extends string = never>(names: MetricNames<L>, read: ReadSamples<L, number>): void {
    const gauge: Gauge<L> = new Gauge<L>({
      ...this.#configuration(names),
      collect: () => {
        gauge.reset();
        for (const { labels, value } of read()) gauge.set(labels, value);
      },
    });
  }

  /** Values by size. `bounds` are the upper bounds of the buckets, the same for every sample. */
  histogram<L extends string = never>(
    names: MetricNames<L>,
    bounds: readonly number[],
    read: ReadSamples<L, Distribution>,
  ): void {
    new ReadHistogram<L>({ ...this.#configuration(names), buckets: [...bounds] }, read);
  }

  /** Everything as text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #configuration<L extends string>({ name, help, labels = [] }: MetricNames<L>) {
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }
}

/** One unlabelled value. */
export function single<V>(value: V): Iterable<Sample<never, V>> {
  return [{ labels: {}, value }];
}

/** A histogram that is read from {@link Distribution}s. prom-client's own hashes labels at every observation. */
class ReadHistogram<L extends string> extends Histogram<L> {
  readonly #name: string;
  readonly #read: ReadSamples<L, Distribution>;
  /** Never observes anything; says how a histogram describes itself. */
  readonly #blank: Histogram<L>;

  constructor(configuration: ConstructorParameters<typeof Histogram<L>>[0], read: ReadSamples<L, Distribution>) {
    super(configuration);
    this.#name = configuration.name;
    this.#read = read;
    this.#blank = new Histogram<L>({ ...configuration, registers: [] });
  }

  override async get(): ReturnType<Histogram<L>["get"]> {
    return { ...(await this.#blank.get()), values: this.#values() };
  }

  /** The registry prefers this to {@link get} when it writes text. */
  getForPromString(): ReturnType<Histogram<L>["get"]> {
    return this.get();
  }

  #values(): MetricValueWithName<L>[] {
    const values: MetricValueWithName<L>[] = [];
    for (const { labels, value } of this.#read()) {
      let count = 0;
      for (const [index, bucket] of value.counts.entries()) {
        count += bucket;
        const le = value.bounds[index] ?? "+Inf";
        values.push({ labels: { ...labels, le }, value: count, metricName: `${this.#name}_bucket` });
      }
      values.push({ labels, value: value.sum, metricName: `${this.#name}_sum` });
      values.push({ labels, value: count, metricName: `${this.#name}_count` });
    }
    return values;
  }
}
