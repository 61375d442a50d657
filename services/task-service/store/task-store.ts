import type { Service } from "#libs/service/service.js";
import type { Commit } from "#task-service/store/commit.js";
import type { StoreStatistics } from "#task-service/store/store-statistics.js";
import type { AnswerTo, ReadQuery } from "#task-service/store/read-query.js";
import type { ResultOf, WriteCommand } from "#task-service/store/write-command.js";

/** The truth. Every database behind Taskwire is one of these; one conformance suite holds for all. */
export interface TaskStore extends Service {
  /** Applies a command; resolves when it is durable. Rejects with a TaskwireError, and then nothing of it happened. */
  write<C extends WriteCommand>(command: C): Promise<ResultOf<C>>;
  /** Answers a query from a state at least as new as every write that has resolved. */
  read<Q extends ReadQuery>(query: Q): Promise<AnswerTo<Q>>;
  /** Calls the listener after every commit, in commit order, before the writes of that commit resolve. */
  onCommit(listener: (commit: Commit) => void): void;
  /** The log's latest revision that listeners were told of. */
  readonly revision: number;
  /** What it has done since its start, and what it holds. */
  readonly statistics: StoreStatistics;
}
