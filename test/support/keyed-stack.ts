import { createHash, randomBytes } from "node:crypto";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import { startLocalStack, type LocalStack } from "#cli/local-stack.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

/** A new encryption key, as settings have it. */
export function newKey(): string {
  return randomBytes(32).toString("hex");
}

/** What errors and logs call a key. */
export function keyId(key: string): string {
  return createHash("sha256").update(Buffer.from(key, "hex")).digest("hex").slice(0, 8);
}

/** Settings with a key that encrypts, and others that only decrypt. */
export function keySettings(current: string, ...old: readonly string[]): Record<string, string> {
  return { ENCRYPTION_KEY: current, ENCRYPTION_OLD_KEYS: old.join(",") };
}

/** A local stack that can be started again over the same data with other keys. Its handlers are those of `secret-tasks`. */
export class KeyedStack {
  readonly #directory = freshDirectory();
  #stack: LocalStack | undefined;
  #client: TaskwireClient | undefined;

  get stack(): LocalStack {
    if (this.#stack === undefined) throw new Error("not started");
    return this.#stack;
  }

  get client(): TaskwireClient {
    if (this.#client === undefined) throw new Error("not started");
    return this.#client;
  }

  get dataDir(): string {
    return this.#directory.path;
  }

  /** Stops what runs and starts anew; `workers` (default 1) get the same keys as the service. */
  async start(keys: Readonly<Record<string, string>>, workers = 1): Promise<void> {
    await this.#end();
    const workerArgs = ["--tasks", fixturePath("secret-tasks.js")];
    this.#stack = await startLocalStack({
      dataDir: this.dataDir,
      serviceEnv: keys,
      workerEnv: keys,
      workerArgs,
      workers,
    });
    this.#client = new TaskwireClient({ address: this.#stack.address });
  }

  /** Ends everything and removes the data. */
  async stop(): Promise<void> {
    await this.#end();
    this.#directory.remove();
  }

  async #end(): Promise<void> {
    this.#client?.close();
    await this.#stack?.stop();
    this.#client = undefined;
    this.#stack = undefined;
  }
}
