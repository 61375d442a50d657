import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Holds `flow.gate` tasks until it is opened. */
export class Gate {
  readonly #path: string;

  /** `directory` exists; `name` is unique in it. */
  constructor(directory: string, name: string) {
    this.#path = join(directory, `${name}.gate`);
  }

  /** The payload of a task that waits for this gate. */
  get payload(): { readonly gate: string } {
    return { gate: this.#path };
  }

  /** Lets every task go on that waits here, now or later; with `attempt`, only attempts of this number. */
  open(attempt?: number): void {
    writeFileSync(attempt === undefined ? this.#path : `${this.#path}-${attempt}`, "");
  }
}
