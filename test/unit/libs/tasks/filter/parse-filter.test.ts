import { expect } from "chai";
import fc from "fast-check";
import { filterErrorText } from "#libs/tasks/filter/filter-error.js";
import { FILTER_FIELDS } from "#libs/tasks/filter/filter-fields.js";
import { filterText } from "#libs/tasks/filter/filter-text.js";
import { parseFilter } from "#libs/tasks/filter/parse-filter.js";
import { filterOf } from "#test/support/filter-of.js";
import { filterExpression } from "#test/unit/libs/tasks/filter/random-filters.js";

/** The canonical text of a filter that is right. */
function canonical(text: string): string {
  const expression = filterOf(text);
  return expression === null ? "" : filterText(expression);
}

function errorOf(text: string): string {
  const result = parseFilter(text);
  if (result.ok) throw new Error(`${text} is a filter`);
  return filterErrorText(result.error);
}

describe("parseFilter", () => {
  it("reads what AIP-160 has in its grammar, OR before AND", () => {
    const cases: readonly [string, string][] = [
      ["", ""],
      [" \t\n", ""],
      ["state=FAILED", "state = FAILED"],
      ["state = PENDING OR state = RUNNING queue=mail", 'state = PENDING OR state = RUNNING AND queue = "mail"'],
      ["queue=a state=PENDING OR state=RUNNING", 'queue = "a" AND state = PENDING OR state = RUNNING'],
      ["(queue=a state=PENDING) OR state=RUNNING", '(queue = "a" AND state = PENDING) OR state = RUNNING'],
      ["((queue=a) (((state=PENDING))))", 'queue = "a" AND state = PENDING'],
      ["NOT queue=a -queue=b", 'NOT queue = "a" AND NOT queue = "b"'],
      ["-(queue=a OR queue=b)", 'NOT (queue = "a" OR queue = "b")'],
      ["NOT (NOT queue=a)", 'queue = "a"'],
      ["queue != a", 'NOT queue = "a"'],
      ["NOT queue != a", 'queue = "a"'],
      ["queue=a(queue=b)", 'queue = "a" AND queue = "b"'],
    ];
    for (const [text, meaning] of cases) expect(canonical(text), text).to.equal(meaning);
  });

  it("reads values of each kind, in quotes or without", () => {
    const id = "0199AAAA-0000-7000-8000-00000000000F";
    const cases: readonly [string, string][] = [
      [`id = ${id}`, `id = "${id.toLowerCase()}"`],
      ['id >= "0199aaaa-0000-7000-8000-000000000001"', 'id >= "0199aaaa-0000-7000-8000-000000000001"'],
      ['id = "0199AA*"', 'id = "0199aa*"'],
      ["type=report.generate", 'type = "report.generate"'],
      ["type = 'report.*'", 'type = "report.*"'],
      ["priority>-3", "priority > -3"],
      ["priority = '-0'", "priority = 0"],
      ["attempt <= 9007199254740991", "attempt <= 9007199254740991"],
      ["create_time>2026-03-01T08:00:00+09:00", "create_time > 2026-02-28T23:00:00.000Z"],
      ['update_time < "2026-03-01t08:00:00.1z"', "update_time < 2026-03-01T08:00:00.100Z"],
      ["run_time = 2026-03-01T08:00:00.1234567-00:30", "run_time = 2026-03-01T08:30:00.1235Z"],
      ["end_time:*", "end_time:*"],
      ["labels:team", 'labels."team":*'],
      ["labels.team:*", 'labels."team":*'],
      ["labels.team:docs", 'labels."team" = "docs"'],
      ['labels."app.example/x" != "a b"', 'NOT labels."app.example/x" = "a b"'],
      ["labels.url = http://a.b:80/c?d", 'labels."url" = "http://a.b:80/c?d"'],
      [`labels.k = '"\\'\\\\\\*\\n'`, String.raw`labels."k" = "\"'\\\*\n"`],
      ["labels.AND = -", 'labels."AND" = "-"'],
      ['labels.k = "AND"', 'labels."k" = "AND"'],
    ];
    for (const [text, meaning] of cases) expect(canonical(text), text).to.equal(meaning);
  });

  it("says at which character it goes wrong, what could stand there and what does", () => {
    const cases: readonly [string, string][] = [
      ["report", "character 1: expected a comparison such as state = RUNNING; words alone are not searched for"],
      ['queue=a "b"', "character 9: expected a comparison such as state = RUNNING; words alone"],
      ["state", "character 6: expected a comparator: = !=, found the end"],
      ["type > a", "character 6: expected a comparator: = !=, found “>”"],
      ["state:PENDING", "character 6: expected a comparator"],
      ["end_time:2026", "character 10: expected * after a colon, found “2026”"],
      ["queue =", "character 8: expected a queue name"],
      ["queue = OR", "character 9: expected a queue name, or the beginning of one"],
      ["queue = a OR", "character 13: expected a field or (, found the end"],
      ["queue = a AND AND queue = b", "character 15: expected a field or (, found “AND”"],
      ["NOT NOT queue = a", "character 5: expected a field or (, found “NOT”"],
      ["() queue = a", "character 2: expected a field or (, found “)”"],
      ["(queue = a", "character 11: expected AND, OR, another restriction or ), found the end"],
      ["queue = a)", "character 10: expected AND, OR or another restriction, found “)”"],
      ["queue = a and queue = b", "character 11: expected AND in capitals"],
      ["queue = 'a", "character 11: expected a closing ', found the end"],
      [String.raw`labels.k = "\x"`, "character 14: expected one of "],
      ["queue ! a", "character 7: expected !=, found “!”"],
      ["labels = x", "character 8: expected labels.KEY and a comparator"],
      ["labels.a.b = x", "character 9: expected a comparator, or quotes around a key with dots"],
      ["labels.k = a*", "character 12: expected a value; with a star it must be in quotes"],
      ["labels.k = '*a'", "character 13: expected a star only at the end of a text"],
      ["id < '0199*'", "character 6: expected a whole value after <"],
      ["priority = '1*'", "character 12: expected a whole number"],
      ["priority = 9007199254740992", "character 12: expected a whole number"],
      ["run_time < 2026-02-29T00:00:00Z", "character 12: expected a time such as"],
      ["run_time < 0000-12-31T23:59:59Z", "character 12: expected a time such as"],
      ["run_time < 9999-12-31T23:59:59-00:01", "character 12: expected a time such as"],
      ["run_time < 2026-01-01T24:00:00Z", "character 12: expected a time such as"],
      ["run_time < 2026-01-01T00:00:00", "character 12: expected a time such as"],
      ["labels.k = 😀 x", "character 14: expected a comparison such as"],
      ["labels.k = \ud800", "character 12: expected well-formed Unicode"],
      ["constructor = 1", "character 1: expected one of the fields id, type"],
      [`${"x".repeat(50)} = 1`, `found “${"x".repeat(30)}…”`],
    ];
    for (const [text, words] of cases) expect(errorOf(text), text).to.include(words);
  });

  it("takes 16,000 characters, 20 open parentheses and 200 restrictions, and no more", () => {
    const long = (length: number) => "labels.k = ".padEnd(length, "😀");
    const deep = (depth: number) => `${"(".repeat(depth)}queue = a${")".repeat(depth)}`;
    const many = (count: number) => Array.from({ length: count }, () => "queue=a").join(" -");
    const limits: readonly [(size: number) => string, number, string][] = [
      [
        (size) => long(size + (size - 11)).slice(0, 11 + 2 * (size - 11)),
        16_000,
        "character 16001: expected at most 16,000 c",
      ],
      [deep, 20, "character 21: expected at most 20 open parentheses, found one more"],
      [many, 200, "character 1801: expected at most 200 restrictions, found one more"],
    ];
    for (const [filter, most, words] of limits) {
      for (const size of [most - 1, most]) expect(parseFilter(filter(size)).ok, String(size)).to.equal(true);
      expect(errorOf(filter(most + 1))).to.include(words);
    }
    expect(parseFilter(`${deep(20)} ${deep(20)}`).ok, "closed parentheses do not count").to.equal(true);
    expect(errorOf("(".repeat(1_000_000))).to.include("character 16001");
  });

  it("never throws, and its errors are within the text or at its end", () => {
    const pieces = [...Object.keys(FILTER_FIELDS), ..."()=<>!:.-*\"'\\ ,", "AND ", " OR ", "NOT ", "1", "FAILED", "x"];
    const anything = fc.oneof(
      fc.string({ unit: "binary", maxLength: 50 }),
      fc.string({ unit: fc.constantFrom(...pieces), maxLength: 30 }),
      fc.tuple(filterExpression, fc.nat(), fc.string({ maxLength: 2 })).map(([expression, at, noise]) => {
        const text = filterText(expression);
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + noise + text.slice(cut + 1);
      }),
    );
    const check = (text: string) => {
      const result = parseFilter(text);
      if (result.ok) return;
      const { position, expected, found } = result.error;
      expect(position).to.be.within(1, [...text].length + 1);
      expect(expected).to.not.equal("");
      expect(found).to.not.equal("");
    };
    fc.assert(fc.property(anything, check), { numRuns: 3000 });
  });

  it("reads back every expression from its text", () => {
    fc.assert(
      fc.property(filterExpression, (expression) => {
        expect(filterOf(filterText(expression))).to.deep.equal(expression);
      }),
      { numRuns: 1000 },
    );
  });
});
