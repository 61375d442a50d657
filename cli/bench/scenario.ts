import { InvalidArgumentError } from "commander";
import type { TaskwireClient } from "#libs/client/taskwire-client.js";

/** What a scenario works with. */
export interface ScenarioContext {
  /** Single creates travel one by one. */
  readonly single: TaskwireClient;
  /** Single creates that are issued together travel together. */
  readonly gathering: TaskwireClient;
  /** How many tasks to run. */
  readonly tasks: number;
}

/** What one run of a scenario gave; figures by name, with the unit in the name. */
export type Figures = Readonly<Record<string, number>>;

/** One thing that is measured. */
export interface Scenario {
  readonly name: string;
  /** What it does, one line. */
  readonly about: string;
  /** Tasks of one run. */
  readonly tasks: number;
  readonly run: (context: ScenarioContext) => Promise<Figures>;
}

/** Runs `job` for 0 … count−1, at most `limit` at once. */
export async function inFlight(count: number, limit: number, job: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < count; index = next++) await job(index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, lane));
}

/** The value below which `share` of the sorted values lie. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The error of a name that no measurement contains; it names all. */
export function nothingNamed(only: string, all: readonly { readonly name: string }[]): InvalidArgumentError {
  return new InvalidArgumentError(`nothing is called “${only}”: ${all.map(({ name }) => name).join("; ")}`);
}
