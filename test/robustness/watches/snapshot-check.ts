import type { StreamSoFar } from "#test/robustness/watches/stream-truth.js";
import type { WatchFrame } from "#test/robustness/watches/watch-history.js";

/** Greater than every id. */
const END_OF_IDS = "~";

/** A page of a snapshot shows the tasks between two ids that match, all as they stood at one moment, and after what came before it. */
export function checkPage(walk: StreamSoFar, { tasks, synced }: WatchFrame): void {
  const { position, name, truth } = walk;
  const { whole, log, findings } = truth;
  const { snapshot } = position;
  findings.reliable.expect(snapshot !== undefined, () => `${name}: tasks come after the end of the snapshot`);
  if (snapshot === undefined) return;
  let fromRevision = Math.max(position.revision, walk.reached);
  let beforeRevision = Infinity;
  for (const { id, sequence, state, attempt } of tasks) {
    const event = whole.finals.get(id)?.events[sequence - 1];
    findings.filtered.expect(
      log.isMatchAfter(id, sequence) && Number(event?.state) === state && event?.attempt === attempt,
      () =>
        `${name}: task ${id} at event ${sequence} (state ${state}, attempt ${attempt}) does not belong in the snapshot`,
    );
    findings.ordered.expect(id > snapshot.passedId, () => `${name}: task ${id} comes after ${snapshot.passedId}`);
    if (event === undefined) continue;
    fromRevision = Math.max(fromRevision, event.revision);
    beforeRevision = Math.min(beforeRevision, whole.next(event)?.revision ?? Infinity);
  }
  const moment = synced ?? fromRevision;
  findings.reliable.expect(
    fromRevision <= moment && moment < beforeRevision,
    () =>
      `${name}: a page with tasks of revision ${fromRevision} and of before ${beforeRevision} is of no moment, or too old`,
  );
  walk.advance(log.indexAfter(moment));
  const before = synced === undefined ? beforeRevision : synced + 1;
  const upToId = synced === undefined ? (tasks.at(-1)?.id ?? snapshot.passedId) : END_OF_IDS;
  const listed = new Set(tasks.map(({ id }) => id));
  for (const id of log.matchesFrom(moment, before).keys())
    if (id > snapshot.passedId && id <= upToId)
      findings.reliable.expect(
        listed.has(id),
        () => `${name}: the snapshot leaves out task ${id} at revision ${moment}`,
      );
  snapshot.addPage({ upToId, fromRevision: moment, beforeRevision: before });
  for (const { id, sequence } of tasks)
    snapshot.list(id, sequence, whole.finals.get(id)?.events[sequence - 1]?.revision ?? 0);
  position.revision = Math.max(position.revision, moment);
}

/** When a snapshot is complete, its tasks and the steps since add up to the tasks that match. */
export function checkSynced(walk: StreamSoFar, revision: number): void {
  const { position, name, truth } = walk;
  const { log, findings } = truth;
  const { snapshot } = position;
  findings.reliable.expect(snapshot !== undefined, () => `${name}: a second end of the snapshot, at ${revision}`);
  if (snapshot === undefined) return;
  const matches = log.matchesFrom(revision, revision);
  for (const id of snapshot.known.keys())
    findings.reliable.expect(
      matches.has(id),
      () => `${name}: snapshot and steps end with task ${id}, which does not match at revision ${revision}`,
    );
  for (const id of log.tellsEveryMatch ? matches.keys() : [])
    findings.reliable.expect(
      snapshot.known.has(id),
      () => `${name}: snapshot and steps do not end with task ${id}, which matches at revision ${revision}`,
    );
  walk.position.snapshot = undefined;
}
