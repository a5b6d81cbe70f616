// Who imports whom: folders of the page depend on each other one way, and so do files.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const root = new URL("../src/", import.meta.url).pathname;

const files = (dir) => readdirSync(dir).flatMap((name) => {
  const path = join(dir, name);
  return statSync(path).isDirectory() ? files(path) : path.endsWith(".ts") ? [path] : [];
});

// arrows are the imports of each file, those that are loaded later included.
const arrows = new Map(files(root).map((file) => {
  const text = readFileSync(file, "utf8").replace(/^\s*\/\/.*$/gm, "");
  const to = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((m) => relative(root, join(dirname(file), m[1])));
  return [relative(root, file), to];
}));

// cycle returns a way round, or null.
function cycle(graph) {
  const done = new Set();
  const visit = (node, way) => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return null;
    for (const next of graph.get(node) ?? []) {
      const found = visit(next, [...way, node]);
      if (found) return found;
    }
    done.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const found = visit(node, []);
    if (found) return found;
  }
  return null;
}

test("files import each other one way", () => {
  assert.ok([...arrows.values()].flat().length > 100);
  assert.equal(cycle(arrows), null);
});

test("folders import each other one way", () => {
  const folders = new Map();
  const of = (file) => (dirname(file) === "." ? file : dirname(file)); // a file beside the folders stands for itself
  for (const [file, to] of arrows) folders.set(of(file), [...(folders.get(of(file)) ?? []), ...to.map(of).filter((f) => f !== of(file))]);
  assert.equal(cycle(folders), null);
});
