// What the service says about definitions, in other languages: complete, and without any that is not said any more.
import { expect, it } from "vitest";
import { literalsAt, rustFiles, sentencesOf } from "@/test/rustSentences";
import { translatorOf } from "./catalog";
import chinese from "./definition.zh-CN.json";

/** How problems look in a terminal is no matter of the pages. */
const files = rustFiles().filter(({ path }) => path.startsWith("domain/definition/") && !path.endsWith("/render.rs"));
const sentences = files.flatMap(sentencesOf);
/** What a value is, and that there is none: one word each. */
const words = files.flatMap((file) => [
  ...literalsAt(file, /fn describe\(&self\)[\s\S]*?\n {4}\}/g),
  ...literalsAt(file, /"[^"]*"(?=\.to_owned\(\) \} else \{ listed)/g),
]);

it("finds what the service says about definitions", () => {
  expect(new Set(sentences).size).toBeGreaterThan(160);
  expect(sentences).toEqual(
    expect.arrayContaining([
      "{what} must be {wanted}, but it is {0}",
      "did you mean '{word}'?",
      "an item of {what}",
      "is not an absolute URI",
      "to evaluate it, write '${ {0} }'",
    ]),
  );
  expect(words).toEqual(expect.arrayContaining(["nothing", "text", "none"]));
});

it("translates every sentence and word, and no other", () => {
  expect(Object.keys(chinese).sort()).toEqual([...new Set([...sentences, ...words])].sort());
  const foreign = /[\u4e00-\u9fff]|^Schema$|^“.*”(?:\{word:why\})?$/;
  for (const [sentence, text] of Object.entries(chinese)) expect(text, sentence).toMatch(foreign);
});

it("puts the same things into both languages", () => {
  const things = (of: string) => [...new Set([...of.matchAll(/\{(?:word:)?(\w+)\}/g)].map((found) => found[1]))].sort();
  for (const [sentence, text] of Object.entries(chinese)) expect(things(text), sentence).toEqual(things(sentence));
});

it("says problems as they come from a running service", () => {
  const translate = translatorOf(chinese);
  const said = {
    "a 'try' task has no property 'timout'": "“try”任务没有属性“timout”",
    "do must be a list, but it is nothing": "do 必须是列表，但实际是空值",
    "the condition 'if' must be text, but it is a boolean": "条件“if”必须是文本，但实际是布尔值",
    "an item of do must be an object, but it is text": "do 的一项必须是对象，但实际是文本",
    "with.output cannot be 'reponse'; it is one of 'content', 'response', 'raw'":
      "with.output 不能是“reponse”，只能是“content”、“response”、“raw”之一",
    "'PT250MS' is not an ISO 8601 duration: every unit needs a number before it, such as '1.5H'":
      "“PT250MS”不是 ISO 8601 时长：每个单位之前都需要数字，例如“1.5H”",
    "'example.com' is not an absolute URI": "“example.com”不是绝对 URI",
    "the task kind 'emit' is part of the DSL, but this version does not support it":
      "任务类型“emit”属于该 DSL，但当前版本不支持",
    "to evaluate it, write '${ .b }'": "如需求值，请写成“${ .b }”。",
  };
  for (const [sentence, text] of Object.entries(said)) expect(translate(sentence)).toBe(text);
});
