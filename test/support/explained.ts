import type { TaskExplanation, TaskwireClient } from "#libs/client/taskwire-client.js";
import type { TaskExplanation_Reason } from "#libs/proto/gen/taskwire/v1/task_explanation.js";
import { until } from "#test/support/until.js";

type Reason = NonNullable<TaskExplanation_Reason["kind"]>;
type Values = { readonly [One in Reason as One["$case"]]: One["value"] };

/** The kinds of an explanation's reasons, the most important first. */
export function reasonsOf({ reasons }: TaskExplanation): (Reason["$case"] | undefined)[] {
  return reasons.map(({ kind }) => kind?.$case);
}

/** What an explanation says in a reason of a kind; undefined: it has none. */
export function valueOf<K extends Reason["$case"]>({ reasons }: TaskExplanation, wanted: K): Values[K] | undefined {
  const kind = reasons.map((reason) => reason.kind).find((one) => one?.$case === wanted);
  return kind === undefined ? undefined : (kind.value as Values[K]);
}

/** Waits until a task is explained by a reason of a kind, for which `isMeant` holds, and returns the explanation. */
export function explainedBy<K extends Reason["$case"]>(
  client: TaskwireClient,
  id: string,
  kind: K,
  isMeant: (value: Values[K]) => boolean = () => true,
): Promise<TaskExplanation> {
  return until(
    `${id} is explained by ${kind}`,
    async () => {
      const explanation = await client.explain(id);
      const value = valueOf(explanation, kind);
      return value !== undefined && isMeant(value) && explanation;
    },
    40_000,
  );
}
