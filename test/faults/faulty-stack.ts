import { join } from "node:path";
import { TaskwireClient } from "#libs/client/taskwire-client.js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
  HealthService,
} from "#libs/proto/gen/grpc/health/v1/health.js";
import { Channel } from "#libs/rpc/channel.js";
import { FaultShim } from "#test/faults/fault-shim.js";
import { fixturePath } from "#test/fixtures/tasks/fixture-path.js";
import { freshDirectory } from "#test/support/fresh-directory.js";
import { runCli } from "#test/support/run-cli.js";
import { startTestStack, type TestStack } from "#test/support/test-stack.js";
import { until } from "#test/support/until.js";

const check = { path: HealthService.check.path, request: HealthCheckRequest, response: HealthCheckResponse };

/** A test stack whose task-service runs with a {@link FaultShim} on its database. */
export interface FaultyStack extends TestStack {
  readonly shim: FaultShim;
  /** The path of the database. */
  readonly database: string;
  /** A client that tries nothing again; `client` of the stack does. */
  readonly impatient: TaskwireClient;
  /** Waits until grpc.health.v1 says of the TaskService that it serves, or does not. */
  untilServing(isServing: boolean): Promise<void>;
  /** What `taskwire verify` finds wrong; nothing: an empty text. */
  findings(): Promise<string>;
}

/** Starts a {@link FaultyStack} with one worker that has `flow.…` and `inline.…` tasks, and those of `tasks`. */
export async function startFaultyStack(
  options: {
    readonly keepsShadow?: boolean;
    readonly tasks?: string;
    readonly serviceEnv?: Readonly<Record<string, string>>;
  } = {},
): Promise<FaultyStack> {
  const directory = freshDirectory();
  const database = join(directory.path, "taskwire.db");
  const { tasks, serviceEnv, ...shimOptions } = options;
  const shim = new FaultShim({ ...shimOptions, directory: join(directory.path, "faults"), database });
  const test = await startTestStack({
    workerArgs: ["flow-tasks.js", "inline-tasks.js", ...(tasks === undefined ? [] : [tasks])].flatMap((file) => [
      "--tasks",
      fixturePath(file),
    ]),
    serviceEnv: { TASKWIRE_DATABASE: database, ...shim.env, ...serviceEnv },
  });
  const impatient = new TaskwireClient({ address: test.address, batching: false, retryForMs: 0 });
  const channel = new Channel({ address: test.address });
  const status = async () => {
    const service = "taskwire.v1.TaskService";
    return (await channel.unary(check, { service }, { timeoutMs: 5000 })).status;
  };
  return {
    ...test,
    shim,
    database,
    impatient,
    async untilServing(isServing) {
      const wanted = isServing ? Status.SERVING : Status.NOT_SERVING;
      await until(`health is ${Status[wanted]}`, async () => (await status()) === wanted, 30_000);
    },
    async findings() {
      const { stdout, stderr, exitCode } = await runCli(["verify", "--database", database]);
      return exitCode === 0 ? "" : `${stdout}${stderr}`;
    },
    async stop() {
      shim.heal();
      channel.close();
      impatient.close();
      await test.stop();
      shim.close();
      directory.remove();
    },
  };
}
