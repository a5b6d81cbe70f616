// Bundles the tests of what the page computes (unit.ts), and runs them.
import { build } from "esbuild";
import { mkdirSync } from "node:fs";

const out = new URL("../build/unit.mjs", import.meta.url).pathname;
mkdirSync(new URL("../build/", import.meta.url), { recursive: true });
await build({ entryPoints: [new URL("unit.ts", import.meta.url).pathname], bundle: true, platform: "node", format: "esm", outfile: out, logLevel: "error" });
await import(out);
