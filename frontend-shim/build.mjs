// Builds the page into dist/: one HTML file, one for the sandboxed check, scripts and a style sheet named by their
// content, and site.json, which says at which path and with which headers each file is served. The same input gives
// the same bytes. `node build.mjs --report` prints the sizes by part.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
process.chdir(root);
rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "assets"), { recursive: true });

const common = { bundle: true, minify: true, target: "es2022", metafile: true, legalComments: "none", charset: "utf8", outdir: join(dist, "assets"), entryNames: "[name].[hash]" };
const page = await build({ ...common, entryPoints: ["src/main.ts", "src/style.css"], format: "esm", splitting: true, chunkNames: "[name].[hash]" });
// A frame without an origin may not load modules.
const check = await build({ ...common, entryPoints: ["src/check.ts"], format: "iife" });

const outputs = { ...page.metafile.outputs, ...check.metafile.outputs };
const named = (entry) => basename(Object.keys(outputs).find((file) => outputs[file].entryPoint === entry));
const fill = (file) => readFileSync(join("src", file), "utf8").replace(/\{\{(.+?)\}\}/g, (_, entry) => named(entry));
writeFileSync(join(dist, "index.html"), fill("index.html"));
writeFileSync(join(dist, "check.html"), fill("check.html"));

// The policies. The page itself reaches nothing but its own origin; what must look elsewhere is a sandboxed frame.
const policy = (connect, rest) =>
  `default-src 'none'; script-src 'self'; connect-src ${connect}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; ${rest}`;
const html = "text/html; charset=utf-8";
const site = {
  files: [
    {
      file: "index.html", paths: ["/", "/index.html", "/authorize", "/manage"], type: html, cache: "no-cache", frame: "DENY",
      policy: policy("'self'", "style-src 'self'; img-src 'self' data:; frame-src 'self'; frame-ancestors 'none'; upgrade-insecure-requests"),
    },
    {
      file: "check.html", paths: ["/check"], type: html, cache: "no-cache", frame: "SAMEORIGIN",
      policy: policy("'self' https: http://localhost:* http://127.0.0.1:*", "frame-ancestors 'self'; sandbox allow-scripts"),
    },
    ...Object.keys(outputs).map((file) => basename(file)).sort().map((file) => ({
      file: `assets/${file}`, paths: [`/assets/${file}`], type: file.endsWith(".css") ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8",
      cache: "public, max-age=31536000, immutable",
    })),
  ],
};
writeFileSync(join(dist, "site.json"), JSON.stringify(site, null, 1) + "\n");

// Sizes. The first view is the HTML, the style sheet, the main script and what it imports at once.
const size = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
const first = new Set();
const visit = (file) => {
  if (first.has(file)) return;
  first.add(file);
  for (const i of outputs[file].imports) if (i.kind === "import-statement") visit(i.path);
};
for (const file of Object.keys(outputs)) if (["src/main.ts", "src/style.css"].includes(outputs[file].entryPoint)) visit(file);
const sizes = Object.fromEntries(site.files.map(({ file }) => [file, size(file)]));
const firstView = size("index.html") + [...first].reduce((n, f) => n + size(`assets/${basename(f)}`), 0);
const all = Object.values(sizes).reduce((n, s) => n + s, 0);
const limits = { firstView: 100_000, all: 160_000 };
if (process.argv.includes("--report")) {
  console.log("gzip bytes:", sizes);
  const parts = {};
  for (const output of Object.values(outputs)) for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
    const part = /node_modules\/(@?[^/]+\/[^/]+)/.exec(input)?.[1] ?? dirname(input);
    parts[part] = (parts[part] ?? 0) + bytesInOutput;
  }
  console.log("minified bytes by part:", parts);
}
console.log(`page: ${firstView} bytes gzip in the first view, ${all} in all, sha256 ${createHash("sha256").update(JSON.stringify(site) + Object.keys(sizes).map((f) => readFileSync(join(dist, f))).join("")).digest("hex").slice(0, 16)}`);
if (firstView > limits.firstView || all > limits.all) {
  console.error(`page: too large: at most ${limits.firstView} in the first view and ${limits.all} in all`);
  process.exit(1);
}
