import { expect, it } from "vitest";
import { bumped, nextVersion } from "./version";

it("raises the version and nothing else", () => {
  const source = "document:\n  dsl: '1.0.3'\n  version: '1.0.3' # first\ndo:\n  - call: { version: 1.0.3 }\n";
  expect(nextVersion(source, "1.0.3")).toBe(source.replace("version: '1.0.3' #", "version: '1.0.4' #"));
  expect(nextVersion('{"document":{"version":"2.1.9"}}', "2.1.9")).toBe('{"document":{"version":"2.1.10"}}');
});

it("begins a release after a pre-release", () => {
  expect(bumped("1.2.3-beta.1")).toBe("1.2.4");
});
