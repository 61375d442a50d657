import { Distribution, DURATION_BOUNDS_SECONDS } from "#libs/metrics/distribution.js";

/** The calls of one method. */
export interface MethodCalls {
  /** By canonical code. */
  readonly codes: Map<string, number>;
  readonly seconds: Distribution;
}

/** Counts gRPC calls by method and code. Both are closed sets: methods that do not exist are not counted. */
export class CallMetrics {
  /** By full name, for example `/taskwire.v1.TaskService/GetTask`. */
  readonly methods = new Map<string, MethodCalls>();

  /** Counts a call that has ended. */
  readonly record = (path: string, code: string, durationMs: number): void => {
    let calls = this.methods.get(path);
    if (calls === undefined) {
      calls = { codes: new Map(), seconds: new Distribution(DURATION_BOUNDS_SECONDS) };
      this.methods.set(path, calls);
    }
    calls.codes.set(code, (calls.codes.get(code) ?? 0) + 1);
    calls.seconds.observe(durationMs / 1000);
  };
}
