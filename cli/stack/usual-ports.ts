import { isPortFree } from "#libs/nats-server/free-port.js";

/** Ports of the loopback interface; 0: any free one. */
export interface StackPorts {
  readonly grpc: number;
  readonly nats: number;
  readonly http: number;
}

/**
 * Starts something on its usual ports, or on any free ones where they are taken. When the start fails and somebody has taken one of its
 * ports meanwhile, it starts once more on others; every other failure is thrown.
 */
export async function startOnUsualPorts<T>(usual: StackPorts, start: (ports: StackPorts) => Promise<T>): Promise<T> {
  const chosen = await freeOnes(usual);
  try {
    return await start(chosen);
  } catch (error) {
    const left = await freeOnes(chosen);
    const isSame = left.grpc === chosen.grpc && left.nats === chosen.nats && left.http === chosen.http;
    if (isSame) throw error;
    return start(left);
  }
}

async function freeOnes({ grpc, nats, http }: StackPorts): Promise<StackPorts> {
  return { grpc: await freeOr0(grpc), nats: await freeOr0(nats), http: await freeOr0(http) };
}

async function freeOr0(port: number): Promise<number> {
  return port !== 0 && (await isPortFree(port)) ? port : 0;
}
