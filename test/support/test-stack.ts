import { TaskwireClient, type TaskwireClientOptions } from "#libs/client/taskwire-client.js";
import { startLocalStack, type LocalStack, type LocalStackOptions } from "#cli/local-stack.js";
import { freshDirectory } from "#test/support/fresh-directory.js";

/** A real NATS, task-service and worker on free ports, with data of their own, for one test or suite. */
export interface TestStack {
  readonly stack: LocalStack;
  readonly address: string;
  readonly client: TaskwireClient;
  readonly dataDir: string;
  /** Stops everything that was started here, and nothing else, and removes the data. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts a {@link TestStack}, whose workers keep one process warm. `client` may say how its client is set up. Starting takes about two seconds: give the hook time, and call
 * `stop` in `after`.
 */
export async function startTestStack(
  options: Omit<LocalStackOptions, "dataDir" | "ports"> & {
    readonly client?: Omit<TaskwireClientOptions, "address">;
  } = {},
): Promise<TestStack> {
  const { client: clientOptions, ...stackOptions } = options;
  const directory = freshDirectory();
  let stack: LocalStack;
  try {
    stack = await startLocalStack({
      ...stackOptions,
      workerEnv: { TASKWIRE_WARM_PROCESSES: "1", ...stackOptions.workerEnv },
      dataDir: directory.path,
    });
  } catch (error) {
    directory.remove();
    throw error;
  }
  const client = new TaskwireClient({ ...clientOptions, address: stack.address });
  return {
    stack,
    address: stack.address,
    client,
    dataDir: directory.path,
    stop: async () => {
      client.close();
      await stack.stop();
      directory.remove();
    },
  };
}
