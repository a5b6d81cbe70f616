// Bundles the tests of what the page computes, and runs them.
import { build } from "esbuild";
import { mkdirSync } from "node:fs";

const names = ["unit", "texts", "find", "signature", "errors", "sheet"];
const here = (path) => new URL(path, import.meta.url).pathname;
mkdirSync(here("../build/"), { recursive: true });
await build({ entryPoints: names.map((n) => here(`${n}.ts`)), bundle: true, platform: "node", format: "esm", outdir: here("../build/"), outExtension: { ".js": ".mjs" }, logLevel: "error" });
for (const name of names) await import(here(`../build/${name}.mjs`));
