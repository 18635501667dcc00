// The sentences of the service in other languages: complete, so that none that is added or reworded stays English, and without
// any that is not said any more.
import { STATUS_CODES } from "node:http";
import { expect, it } from "vitest";
import { literalsAt, rustFile, rustFiles, sentencesOfFailures, sentencesOfVariable } from "@/test/rustSentences";
import { translatorOf } from "./catalog";
import chinese from "./service.zh-CN.json";
import { failureLine } from "./words";

const files = rustFiles();
const failures = files.flatMap(sentencesOfFailures);
const reasons = files
  .filter((file) => /\bBreach \{/.test(file.code))
  .flatMap((file) => sentencesOfVariable(file, "reason"));
const recoveries = files.flatMap((file) => literalsAt(file, /const RESTARTED: &str = "[^"]*"/g));
const health = files
  .filter((file) => file.path === "http/health.rs")
  .flatMap((file) => literalsAt(file, /format!\("[^"]*"/g).map((text) => text.replace("{}", "{0}")));
const agents = files
  .filter((file) => file.path === "store/agents.rs")
  .flatMap((file) => literalsAt(file, /(?<=^ {4}\(\d+, "[^"]*", "[^"]*", )"[^"]*"/gm));
/** What stands in a sentence and is a word of the service itself: what is checked against a schema, what is counted. */
const words = files.flatMap((file) =>
  file.path.startsWith("machine/")
    ? literalsAt(file, /\bcheck\([^\n"]*, "[^"]*"\)/g)
    : file.path === "actors/ledger.rs"
      ? literalsAt(file, /(?:Bound::\w+|\}),\s+"[^"]*",?\s*\)|fn name\(self\)[\s\S]*?\n {4}\}/g)
      : [],
);
/** Of every failed response: the library takes them from the standard, with one letter of its own. */
const responses = Object.entries(STATUS_CODES)
  .filter(([code]) => Number(code) >= 300)
  .map(([, reason]) => (reason ?? "").replace("Teapot", "teapot"));

it("finds what the service says", () => {
  // Far fewer would mean that the sources are written in another way than they are read.
  expect(new Set(failures).size).toBeGreaterThan(110);
  expect(reasons).toHaveLength(3);
  expect(recoveries).toHaveLength(1);
  expect(health).toHaveLength(1);
  expect(agents).toHaveLength(5);
  expect(new Set(words)).toEqual(
    new Set(["input", "output", "context", "calls", "tokens", "the execution's budget", "the tenant's month"]),
  );
  // A title, a suggestion, one of a match, one of a tuple, one of an own constructor, one that is put together of two.
  expect(failures).toEqual(
    expect.arrayContaining([
      "Task timed out",
      "switch the agent on again, or name another one",
      "the command was not found: check its name and the PATH of the service",
      "ask for less, repeat it with `catch.retry`, or raise `effects.http.timeout_ms`",
      "Give the service the key it was encrypted with, or store the secret again",
      "name a secret of your own in `{SECRET}`, or start the service with {variable} set",
    ]),
  );
});

it("translates every sentence, and no other", () => {
  const said = new Set([...failures, ...reasons, ...recoveries, ...health, ...agents, ...words, ...responses]);
  expect(Object.keys(chinese).sort()).toEqual([...said].sort());
  for (const [sentence, text] of Object.entries(chinese))
    if (!/^HTTP \{\w+\}$/.test(sentence)) expect(text, sentence).toMatch(/[\u4e00-\u9fff]/);
});

it("puts the same things into both languages, and keeps what is to be typed", () => {
  for (const [sentence, text] of Object.entries(chinese)) {
    const things = (of: string) => [...of.matchAll(/\{(?:word:)?(\w+)\}/g)].map((found) => found[1]).sort();
    expect(things(text), sentence).toEqual(things(sentence));
    for (const [, typed = ""] of sentence.matchAll(/`([^`]+)`/g)) expect(text, sentence).toContain(`\`${typed}\``);
  }
});

it("says what comes from a running service", () => {
  const translate = translatorOf(chinese);
  expect(translate("Command failed with exit code 3")).toBe("命令失败，退出码 3");
  expect(translate("give a matching output, or correct the schema in a new version of the workflow")).toBe(
    "请提供符合 Schema 的输出，或在工作流的新版本中更正 Schema。",
  );
  expect(translate("3 of 3 calls of the execution's budget are used, and the next call may need 1")).toBe(
    "此执行的预算共 3 次调用，已用 3，下一次调用可能需要 1。",
  );
  expect(translate("0.9000 of 1 US dollars of the tenant's month are used, and the next call may cost 0.2000")).toBe(
    "租户的月度限额共 1 美元，已用 0.9000，下一次调用可能花费 0.2000。",
  );
});

it("does not go by a form of the sources that it cannot read", () => {
  const unread = rustFile(
    "x.rs",
    "fn a(why: String) -> Failure { Failure::new(StandardType::Runtime, why.title(), detail) }",
  );
  expect(() => sentencesOfFailures(unread)).toThrow("x.rs: what 'why.title()' says is not found");
});

it("says a failure in one line: in English the detail does, in other languages the title is put before it", () => {
  const failure = { type: "t", status: 500, title: "Task timed out", detail: "it took longer than 2 s" };
  expect(failureLine(failure)).toBe("it took longer than 2 s");
  expect(failureLine(failure, translatorOf(chinese))).toBe("任务超时：it took longer than 2 s");
  expect(failureLine({ ...failure, title: "Out of stock" }, translatorOf(chinese))).toBe("it took longer than 2 s");
  expect(failureLine({ type: "t", status: 500, title: "Out of stock" })).toBe("Out of stock");
  const printed = { ...failure, title: "Command failed", detail: "one\n  two\n" };
  expect(failureLine(printed)).toBe("Command failed: one two");
});
