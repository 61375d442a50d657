import * as stopWordLists from "stopword";

const sets = new Map<string, ReadonlySet<string>>();

/** The stop words of a language by its ISO 639-3 code, from the `stopword` package; empty where it has none. */
export function stopWordsOf(iso6393: string): ReadonlySet<string> {
  let found = sets.get(iso6393);
  if (found === undefined) {
    const lists: Readonly<Record<string, unknown>> = stopWordLists;
    const list = lists[iso6393 === "cmn" ? "zho" : iso6393];
    found = new Set(Array.isArray(list) ? list.filter((word) => typeof word === "string") : []);
    sets.set(iso6393, found);
  }
  return found;
}
