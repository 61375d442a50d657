import { Evidence, type Verdict } from "#test/robustness/evidence.js";

/** What speaks against each guarantee of the watches. */
export class WatchFindings {
  readonly ordered = new Evidence("Ordered: revisions only rise on any stream of WatchTasks", "steps and marks");
  readonly unique = new Evidence("Unique: no step comes twice, none is older than the cursor", "steps");
  readonly atomic = new Evidence("Atomic: no resume within a commit loses the rest of it", "steps after such a resume");
  readonly reliable = new Evidence("Reliable: everything up to what a stream vouches for is there", "steps and tasks");
  readonly resumable = new Evidence(
    "Resumable: a stream goes on exactly where its token says",
    "steps of resumed streams",
  );
  readonly bookmarkable = new Evidence("Bookmarkable: bookmarks are true, and come to quiet streams", "bookmarks");
  readonly terminal = new Evidence("Terminal: OK means the terminal event, and WatchTasks never says it", "streams");
  readonly honest = new Evidence("Honest: OUT_OF_RANGE is true, every other end is a cut", "ends");
  readonly filtered = new Evidence("Filtered: what a watcher saw is the filtered log", "steps and tasks");

  verdicts(): Verdict[] {
    const { ordered, unique, atomic, reliable, resumable, bookmarkable, terminal, honest, filtered } = this;
    const all = [ordered, unique, atomic, reliable, resumable, bookmarkable, terminal, honest, filtered];
    return all.map((evidence) => evidence.verdict());
  }
}
