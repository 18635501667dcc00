// Pure: values in a form to be compared line by line.

/** Values in a form in which the order of fields does not matter. */
export function asText(value: unknown): string {
  return (
    JSON.stringify(
      value,
      (_, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
          ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
          : inner,
      2,
    ) ?? ""
  );
}
