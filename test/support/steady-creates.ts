import type { TaskPayload, TaskwireClient } from "#libs/client/taskwire-client.js";
import { until } from "#test/support/until.js";

/** Creates tasks without a pause until it is stopped. */
export class SteadyCreates {
  readonly #loops: Promise<void>[];
  readonly #acknowledged: string[] = [];
  #isStopped = false;

  /** `lanes`: creates under way at once; `payload`: what every task gets besides its lane and number. */
  constructor(client: TaskwireClient, type: string, lanes = 4, payload: TaskPayload = {}) {
    this.#loops = Array.from({ length: lanes }, (_lane, lane) => this.#createAll(client, type, lane, payload));
    for (const loop of this.#loops) loop.catch(() => undefined);
  }

  /** The ids of the tasks whose create was answered. */
  get acknowledged(): readonly string[] {
    return this.#acknowledged;
  }

  /** Waits until `count` more creates were answered. */
  async more(count: number): Promise<void> {
    const target = this.#acknowledged.length + count;
    await until(`${count} more tasks are acknowledged`, () => this.#acknowledged.length >= target, 30_000);
  }

  /** Ends the creates and waits for those under way. Rejects when one has failed. */
  async stop(): Promise<readonly string[]> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
    return this.#acknowledged;
  }

  async #createAll(client: TaskwireClient, type: string, lane: number, payload: TaskPayload): Promise<void> {
    for (let number = 0; !this.#isStopped; number += 1) {
      const { id } = await client.create(type, { ...payload, lane, number });
      this.#acknowledged.push(id);
    }
  }
}
