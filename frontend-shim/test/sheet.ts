// The addresses on the recovery sheet: where the page is served, and nowhere else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addresses } from "../src/account/sheet.ts";

const canister = "bnz7o-iuaaa-aaaaa-qaaaa-cai";

for (const [origin, want] of [
  [`http://${canister}.localhost:4943`, []],
  ["http://127.0.0.1:4943", []],
  [`https://${canister}.icp0.io`, []],
  ["https://id.example", [`https://${canister}.icp0.io`]],
] as Array<[string, string[]]>) {
  test(`the sheet at ${origin}`, () => {
    assert.deepEqual(addresses(new URL(origin), canister), [origin, ...want]);
  });
}
