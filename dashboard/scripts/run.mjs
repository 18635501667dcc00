// Runs a TypeScript module as a program: `node scripts/run.mjs scripts/measure.ts …`. It exports `main`, which gets the rest.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const [file, ...words] = process.argv.slice(2);
const source = fileURLToPath(new URL("../src", import.meta.url));
const { module } = await runnerImport(file, { configFile: false, resolve: { alias: { "@": source } } });
await module.main(words);
