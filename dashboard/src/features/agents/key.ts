// Pure: the secret that is the key of an agent, which is one of its parameters and a field of its own in the form.

const parameter = "api_key_secret";

/** The name of the secret; empty when there is none. */
export function keyOf(parameters: Record<string, unknown>): string {
  const name = parameters[parameter];
  return typeof name === "string" ? name : "";
}

/** The parameters as they are shown beside the field. What is no name stays where it can be seen. */
export function withoutKey(parameters: Record<string, unknown>): Record<string, unknown> {
  const { [parameter]: name, ...rest } = parameters;
  return name === undefined || typeof name === "string" ? rest : parameters;
}

/** The parameters with what is in the field. One that is empty leaves what was written among them. */
export function withKey(parameters: Record<string, unknown>, name: string): Record<string, unknown> {
  const trimmed = name.trim();
  return trimmed ? { ...parameters, [parameter]: trimmed } : parameters;
}
