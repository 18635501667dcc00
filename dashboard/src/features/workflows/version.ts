// Pure: the text of a definition with the version after its own. A registered version never changes, so a change is a new one.

export function bumped(version: string): string {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  return parts ? `${parts[1]}.${parts[2]}.${Number(parts[3]) + 1}` : version;
}

/** Only the version in `document` is touched; everything else stays as its author wrote it. */
export function nextVersion(source: string, version: string): string {
  const escaped = version.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const line = new RegExp(`(["']?version["']?\\s*:\\s*["']?)${escaped}(?=["'\\s,}]|$)`);
  return source.replace(line, (_, before: string) => before + bumped(version));
}
