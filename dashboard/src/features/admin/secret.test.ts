import { expect, it } from "vitest";
import { secretOf } from "./secret";

it("takes texts that can be recognized, in bytes as the service counts them", () => {
  expect(secretOf("text", "12345")).toBeUndefined();
  expect(secretOf("text", "123456")).toBe("123456");
  expect(secretOf("text", "密码")).toBe("密码");
});

it("takes objects, and nothing that merely looks like JSON", () => {
  expect(secretOf("object", '{"username": "ada", "password": "correct horse"}')).toEqual({
    username: "ada",
    password: "correct horse",
  });
  for (const typed of ["", "{}", "[1]", "null", '"text"', "{username: ada}"])
    expect(secretOf("object", typed), typed).toBeUndefined();
});
