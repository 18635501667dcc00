// Fails when the client is not what openapi.json makes of it. `make generate` renews both.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "callboard-client-"));
try {
  const fresh = join(folder, "schema.ts");
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const [program, ...words] = scripts.generate.replace("src/api/generated/schema.ts", fresh).split(" ");
  execFileSync(join("node_modules/.bin", program), words, { stdio: ["ignore", "ignore", "inherit"] });
  if (readFileSync(fresh, "utf8") !== readFileSync("src/api/generated/schema.ts", "utf8")) {
    console.error("src/api/generated/schema.ts is stale: run make generate");
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
