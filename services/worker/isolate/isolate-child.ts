import { errorMessage } from "#libs/errors/error-message.js";
import { NO_KEYS } from "#libs/sealing/key-ring.js";
import type { RunOrder } from "#libs/attempts/run-order.js";
import { activeResources, hasMoreThan } from "#worker/isolate/active-resources.js";
import { fromHanded } from "#worker/isolate/handed-keys.js";
import { HandlerRun } from "#libs/attempts/handler-run.js";
import { describeTask, loadTasks, type LoadedTask } from "#worker/isolate/load-tasks.js";
import { readParentMessage, type ChildMessage, type IsolateSetup } from "#worker/isolate/protocol.js";
import { withRunKeys } from "#worker/isolate/run-keys.js";

/** The inside of a process or thread isolate: loads the modules, then runs one attempt at a time. */
export class IsolateChild {
  readonly #send: (message: ChildMessage) => void;
  #tasks: ReadonlyMap<string, LoadedTask> = new Map();
  #keys = NO_KEYS;
  #current: { readonly run: number; readonly handler: HandlerRun } | undefined;

  constructor(send: (message: ChildMessage) => void) {
    this.#send = send;
  }

  /** Takes a message from the owner. */
  receive(message: unknown): void {
    const order = readParentMessage(message);
    if (order?.kind === "setup") void this.#load(order.setup);
    else if (order?.kind === "run") void this.#run(order.run, order.order);
    else if (order?.kind === "abort" && this.#current?.run === order.run) {
      this.#current.handler.abort(order.cause, order.message);
      this.#send({ kind: "aborted", run: order.run, cause: order.cause });
    }
  }

  async #load(setup: IsolateSetup): Promise<void> {
    if (setup.keys !== undefined) this.#keys = fromHanded(setup.keys);
    try {
      this.#tasks = await loadTasks(setup.modules);
    } catch (error) {
      this.#send({ kind: "broken", message: errorMessage(error) });
      return;
    }
    this.#send({ kind: "ready", tasks: [...this.#tasks.values()].map(describeTask) });
  }

  async #run(run: number, order: RunOrder): Promise<void> {
    const task = this.#tasks.get(order.type);
    if (task === undefined) {
      const message = `no loaded module defines ${order.type}`;
      const outcome = { kind: "refused", code: "UNKNOWN_TYPE", message, detailsJson: "" } as const;
      this.#send({ kind: "ended", run, leftRunning: false, outcome });
      return;
    }
    const before = activeResources();
    const handler = new HandlerRun(task.definition, order, {
      onProgress: (claim) => {
        this.#send({ kind: "progress", run, claim });
      },
      onLog: (claim) => {
        this.#send({ kind: "log", run, claim });
      },
      onOutput: (claim) => {
        this.#send({ kind: "output", run, claim });
      },
    });
    this.#current = { run, handler };
    const outcome = await withRunKeys(this.#keys, () => handler.outcome());
    this.#current = undefined;
    if (outcome.kind === "succeeded") {
      const { warnings } = outcome;
      this.#send({ kind: "ended", run, leftRunning: false, outcome: { ...outcome, warnings: [...warnings] } });
    } else {
      const hasThrown = outcome.kind !== "refused";
      this.#send({ kind: "ended", run, leftRunning: hasThrown && (await hasMoreThan(before)), outcome });
    }
  }
}
