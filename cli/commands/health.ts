import { Command } from "commander";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthService,
} from "#libs/proto/gen/grpc/health/v1/health.js";
import { Channel } from "#libs/rpc/channel.js";
import { EXIT } from "#cli/exit-codes.js";
import { parseSpan } from "#cli/parse-values.js";
import { addressOf } from "#cli/with-client.js";

const check = { path: HealthService.check.path, request: HealthCheckRequest, response: HealthCheckResponse };

/** `taskwire health`: asks the service's grpc.health.v1, for health checks of containers. */
export function healthCommand(): Command {
  const command = new Command("health")
    .summary("ask whether the service can serve")
    .description("Asks the standard gRPC health service. Exit code: 0 it serves, 4 it does not or cannot be reached.")
    .option("--service <name>", "a service's full name (default: the whole server)", "")
    .option("--timeout <span>", "how long to wait", parseSpan, 3000);
  return command.action(async () => {
    const { service, timeout } = command.opts<{ service: string; timeout: number }>();
    const channel = new Channel({ address: addressOf(command) });
    try {
      const { status } = await channel.unary(check, { service }, { timeoutMs: timeout });
      process.stdout.write(`${ServingStatus[status] ?? "UNKNOWN"}\n`);
      if (status !== ServingStatus.SERVING) process.exitCode = EXIT.unavailable;
    } finally {
      channel.close();
    }
  });
}
