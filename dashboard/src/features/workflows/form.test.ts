import { expect, it } from "vitest";
import { fieldsOf, inputOf, inputSchema, isSentEmpty, textsOf } from "./form";

const schema = {
  type: "object",
  required: ["name", "list"],
  properties: {
    name: { type: "string", title: "Your name" },
    story: { type: "string", maxLength: 5_000 },
    count: { type: "integer", minimum: 1, default: 3 },
    mode: { enum: ["fast", 2, null] },
    loud: { type: "boolean" },
    list: { type: "array" },
  },
};

it("finds a schema only where there is something to ask for", () => {
  expect(inputSchema({ input: { schema: { document: schema } } })).toBe(schema);
  for (const definition of [
    undefined,
    {},
    { input: { schema: { document: { type: "object" } } } },
    { input: { from: "." } },
  ]) {
    expect(inputSchema(definition)).toBeUndefined();
  }
});

it("asks for each property in its own way", () => {
  expect(
    fieldsOf(schema).map((field) => [field.name, field.title, field.kind, field.isRequired, field.initial]),
  ).toEqual([
    ["name", "Your name", "text", true, ""],
    ["story", "story", "long", false, ""],
    ["count", "count", "integer", false, "3"],
    ["mode", "mode", "choice", false, ""],
    ["loud", "loud", "boolean", false, ""],
    ["list", "list", "json", true, ""],
  ]);
});

it("gives values of the right type and leaves out what is empty", () => {
  const filled = inputOf(fieldsOf(schema), { name: "Ada", mode: "2", loud: "true", list: "[1]" });
  expect(filled).toEqual({ value: { name: "Ada", count: 3, mode: 2, loud: true, list: [1] }, problems: {} });
});

it("says what is wrong with which field", () => {
  const filled = inputOf(fieldsOf(schema), { name: "Ada", count: "1.5", list: "" });
  expect(filled.problems).toEqual({ count: "number", list: "required" });
  expect(inputOf(fieldsOf(schema), { list: "[1" }).problems).toEqual({ list: "json" });
});

it("takes over into the form what was written as JSON, and only what the form can show", () => {
  const fields = fieldsOf(schema);
  const input = { name: "Ada", count: 7, mode: 2, loud: false, list: [1, { a: "b" }] };
  expect(inputOf(fields, textsOf(fields, input) ?? {}).value).toEqual(input);
  // What was taken out does not come back as its default.
  expect(inputOf(fields, textsOf(fields, { name: "Ada", list: [] }) ?? {}).value).toEqual({ name: "Ada", list: [] });
  for (const other of [{ ...input, further: 1 }, { ...input, count: "seven" }, [], "Ada", undefined])
    expect(textsOf(fields, other)).toBeUndefined();
});

it("refuses what the schema would refuse: too short, too small, too large", () => {
  const fields = fieldsOf({
    required: ["name"],
    properties: {
      name: { type: "string", minLength: 3 },
      count: { type: "integer", minimum: 1, maximum: 9 },
    },
  });
  expect(inputOf(fields, {}).problems).toEqual({ name: "required" });
  expect(inputOf(fields, { name: "Al", count: "0" }).problems).toEqual({ name: "short", count: "range" });
  expect(inputOf(fields, { name: "Ada", count: "10" }).problems).toEqual({ count: "range" });
  expect(inputOf(fields, { name: "Ada", count: "9" }).problems).toEqual({});
});

it("shows an earlier input again, unless something of it were lost", () => {
  const fields = fieldsOf(schema);
  for (const input of [
    { name: "Ada", count: 7, mode: 2, loud: false, list: [{ a: 1 }] },
    // An absent field stays absent, though it has a default.
    { list: [], name: "" },
  ]) {
    expect(inputOf(fields, textsOf(fields, input) ?? {}).value).toEqual(input);
  }
  // What was missing can be filled in.
  expect(textsOf(fields, {})).toMatchObject({ name: "", list: "" });
  for (const input of [[1], "text", { name: "Ada", other: 1 }, { name: 7 }, { count: "many" }, { story: "" }]) {
    expect(textsOf(fields, input)).toBeUndefined();
  }
});

it("says of a required text that is left empty that it is sent all the same, and of nothing else", () => {
  const fields = fieldsOf({ ...schema, required: ["name", "list", "count"] });
  expect(fields.filter((field) => isSentEmpty(field, "")).map(({ name }) => name)).toEqual(["name"]);
  expect(fields.filter((field) => isSentEmpty(field, "x"))).toEqual([]);
});
