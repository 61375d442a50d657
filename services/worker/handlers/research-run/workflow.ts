/** What a step of the workflow does; each may be called again by a later attempt. */
export interface WorkflowSteps {
  plan(): Promise<void>;
  gather(): Promise<void>;
  read(): Promise<void>;
  /** Writes the draft of a round, from 1. */
  draft(round: number): Promise<void>;
  /** Judges it; true: it needs another round. */
  critique(round: number): Promise<boolean>;
  finalize(): Promise<void>;
}

/** A graph that is ready to run. */
export interface Workflow {
  /** Runs it to its end. Rejects with what a step threw, as it was thrown, or with the reason of the signal as soon as that fires. */
  run(signal: AbortSignal): Promise<void>;
}

/** Steps of a run with the most rounds, and some to spare. */
const MAX_STEPS = 40;

/**
 * The staged graph of a research, by LangGraph: plan → gather → read → draft → critique, back to draft while the critique asks for it and
 * fewer than `maxRounds` are done, then finalize.
 *
 * The graph's state holds the number of the round and nothing else. Texts stay with the steps: what LangChain's tracing and verbose
 * mode, which environment variables of its own switch on, would send or print is then no payload.
 */
export async function createWorkflow(steps: WorkflowSteps, maxRounds: number): Promise<Workflow> {
  // Loaded here, because it takes some 0.3 s that only this handler should pay.
  const { Annotation, END, START, StateGraph } = await import("@langchain/langgraph");
  const state = Annotation.Root({ round: Annotation<number>(), again: Annotation<boolean>() });
  const graph = new StateGraph(state)
    .addNode("plan", () => steps.plan().then(() => ({ round: 0, again: false })))
    .addNode("gather", () => steps.gather().then(() => ({})))
    .addNode("read", () => steps.read().then(() => ({})))
    .addNode("draft", ({ round }) => steps.draft(round + 1).then(() => ({ round: round + 1 })))
    .addNode("critique", ({ round }) => steps.critique(round).then((again) => ({ again })))
    .addNode("finalize", () => steps.finalize().then(() => ({})))
    .addEdge(START, "plan")
    .addEdge("plan", "gather")
    .addEdge("gather", "read")
    .addEdge("read", "draft")
    .addEdge("draft", "critique")
    .addConditionalEdges("critique", ({ round, again }) => (again && round < maxRounds ? "draft" : "finalize"), [
      "draft",
      "finalize",
    ])
    .addEdge("finalize", END)
    .compile();
  return {
    run: async (signal) => {
      await graph.invoke({}, { signal, recursionLimit: MAX_STEPS });
    },
  };
}
