import { expect, it } from "vitest";
import { translatorOf } from "./catalog";

const translate = translatorOf({
  "Task timed out": "任务超时",
  "Command failed with exit code {code}": "命令失败，退出码 {code}",
  "List '{name}' in use.secrets": "请在 use.secrets 中列出 {name}。",
  "{0} of {limit} {what} of {1} are used": "{word:1}共 {limit} {word:what}，已用 {0}",
  "{0} reported an error": "{0} 报告了错误",
  "the command {0} reported an error": "命令 {0} 报告了错误",
  calls: "次调用",
  "the tenant's month": "租户的月度限额",
});

it("says a sentence, and puts what the service has put in where the other language wants it", () => {
  expect(translate("Task timed out")).toBe("任务超时");
  expect(translate("Command failed with exit code 127")).toBe("命令失败，退出码 127");
  expect(translate("3 of 5 calls of the tenant's month are used")).toBe("租户的月度限额共 5 次调用，已用 3");
});

it("takes a value for a word only where it is one", () => {
  expect(translate("List 'calls' in use.secrets")).toBe("请在 use.secrets 中列出 calls。");
  expect(translate("3 of 5 things of $& are used")).toBe("$&共 5 things，已用 3");
});

it("leaves no space between Chinese characters", () => {
  const said = translatorOf({ "{what} must be {wanted}": "{word:what} 必须是 {word:wanted}，", "a list": "列表" });
  expect(said("with.body must be a list")).toBe("with.body 必须是列表，");
  expect(said("a list must be x")).toBe("列表必须是 x，");
});

it("takes what leaves less open", () => {
  expect(translate("the command x reported an error")).toBe("命令 x 报告了错误");
});

it("leaves alone what it does not know, also what is nearly the same", () => {
  for (const other of ["Task timed out again", "task timed out", "The command failed with exit code 1 ", ""])
    expect(translate(other)).toBeUndefined();
});
