// Pure: a form for an input schema. What a form cannot show is written as JSON; the service checks everything again.

export type FieldKind = "text" | "long" | "number" | "integer" | "boolean" | "choice" | "json";

export interface Field {
  name: string;
  title: string;
  description?: string;
  kind: FieldKind;
  isRequired: boolean;
  options: unknown[];
  /** What the field shows at first. */
  initial: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema of a definition's input, when it has one that describes an object. */
export function inputSchema(definition: unknown): Json | undefined {
  const input = isObject(definition) && isObject(definition.input) ? definition.input : undefined;
  const schema = input && isObject(input.schema) ? input.schema.document : undefined;
  return isObject(schema) && isObject(schema.properties) && Object.keys(schema.properties).length > 0
    ? schema
    : undefined;
}

/** Texts longer than this want more than a line. */
const LONG_TEXT = 200;

export function fieldsOf(schema: Json): Field[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(isObject(schema.properties) ? schema.properties : {}).map(([name, raw]) => {
    const property = isObject(raw) ? raw : {};
    const kind = kindOf(property);
    const text = (key: string) => (typeof property[key] === "string" ? property[key] : undefined);
    const number = (key: string) => (typeof property[key] === "number" ? property[key] : undefined);
    return {
      name,
      title: text("title") ?? name,
      description: text("description"),
      kind,
      isRequired: required.includes(name),
      options: Array.isArray(property.enum) ? property.enum : [],
      initial: property.default === undefined ? "" : asText(kind, property.default),
      minimum: number("minimum"),
      maximum: number("maximum"),
      minLength: number("minLength"),
      maxLength: number("maxLength"),
    };
  });
}

function kindOf(property: Json): FieldKind {
  if (Array.isArray(property.enum)) return "choice";
  switch (property.type) {
    case "string":
      return typeof property.maxLength === "number" && property.maxLength > LONG_TEXT ? "long" : "text";
    case "number":
    case "integer":
    case "boolean":
      return property.type;
    default:
      return "json";
  }
}

function asText(kind: FieldKind, value: unknown): string {
  return kind === "json" || kind === "choice" ? JSON.stringify(value) : String(value);
}

/** What a form shows that gives `input` again; `undefined` for one that it cannot show. */
export function textsOf(fields: readonly Field[], input: unknown): Record<string, string> | undefined {
  if (!isObject(input)) return undefined;
  const texts = Object.fromEntries(fields.map((field) => [field.name, ""]));
  for (const [name, value] of Object.entries(input)) {
    const field = fields.find((one) => one.name === name);
    if (!field) return undefined;
    texts[name] = asText(field.kind, value);
  }
  // What is of another type than its field, or an empty text that is not asked for, is lost in a form.
  const { value } = inputOf(fields, texts);
  const isWhole = Object.keys(input).every((name) => JSON.stringify(value[name]) === JSON.stringify(input[name]));
  return isWhole ? texts : undefined;
}

export type FieldProblem = "required" | "short" | "number" | "range" | "json";

export interface Filled {
  value: Json;
  /** What is wrong, by the name of the field. */
  problems: Record<string, FieldProblem>;
}

/** An empty text is a text, but a form cannot tell it from nothing: one that is required and may be empty is sent. */
export function isSentEmpty(field: Field, text: string): boolean {
  const isText = field.kind === "text" || field.kind === "long";
  return text === "" && isText && field.isRequired && !field.minLength;
}

/** The input that a filled form means. Empty fields are left out. */
export function inputOf(fields: readonly Field[], texts: Readonly<Record<string, string>>): Filled {
  const filled: Filled = { value: {}, problems: {} };
  for (const field of fields) {
    const text = texts[field.name] ?? field.initial;
    if (text === "") {
      if (isSentEmpty(field, text)) filled.value[field.name] = "";
      else if (field.isRequired) filled.problems[field.name] = "required";
      continue;
    }
    switch (field.kind) {
      case "text":
      case "long":
        filled.value[field.name] = text;
        if ([...text].length < (field.minLength ?? 0)) filled.problems[field.name] = "short";
        break;
      case "boolean":
        filled.value[field.name] = text === "true";
        break;
      case "number":
      case "integer": {
        const number = Number(text);
        const isFine = Number.isFinite(number) && (field.kind === "number" || Number.isInteger(number));
        if (isFine) filled.value[field.name] = number;
        if (!isFine) filled.problems[field.name] = "number";
        else if (number < (field.minimum ?? number) || number > (field.maximum ?? number)) {
          filled.problems[field.name] = "range";
        }
        break;
      }
      case "choice":
      case "json":
        try {
          filled.value[field.name] = JSON.parse(text);
        } catch {
          filled.problems[field.name] = "json";
        }
        break;
    }
  }
  return filled;
}
