import { SqliteStore } from "#task-service/store/sqlite/sqlite-store.js";
import { sampleTask } from "#test/conformance/task-store/sample-task.js";

/** A process that creates tasks without end and tells its parent the id of each one whose write was acknowledged. */
async function main(address: string): Promise<void> {
  const store = new SqliteStore({ path: address, queueCapacity: 1_000_000 });
  try {
    await store.start();
  } catch (error) {
    process.send?.({ refused: error instanceof Error ? error.message : String(error) });
    process.disconnect();
    return;
  }
  for (;;) {
    const tasks = Array.from({ length: 5 }, () => sampleTask());
    await Promise.all(tasks.map((task) => store.write({ kind: "create", tasks: [task] })));
    for (const { id } of tasks) process.send?.({ acknowledged: id });
  }
}

await main(process.argv[2] ?? "");
