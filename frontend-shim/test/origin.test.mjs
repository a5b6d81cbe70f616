// The page's functions for origins, with the table of cases that the Go functions are tested with.
import { build } from "esbuild";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { outputFiles } = await build({
  entryPoints: [new URL("../src/protocol/origin.ts", import.meta.url).pathname], bundle: true, format: "esm", write: false, target: "es2022",
});
const { canonicalOrigin, isOrigin, mapOrigin } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
const { cases } = JSON.parse(readFileSync(new URL("../../internal/origin/testdata/cases.json", import.meta.url), "utf8"));

test("there are cases", () => assert.ok(cases.length > 100));
for (const { name, input, origin, frontend, refused } of cases) {
  test(name, () => {
    if (refused) {
      assert.deepEqual(canonicalOrigin(input), { refused });
      assert.equal(isOrigin(input), false);
      return;
    }
    assert.deepEqual(canonicalOrigin(input), { origin });
    assert.equal(isOrigin(origin), true);
    assert.equal(isOrigin(input), input === origin);
    assert.equal(mapOrigin(origin), frontend);
  });
}
