// Judges certified answers by the library that mainnet's gateways decide with, compiled from Rust to
// WebAssembly (@dfinity/response-verification). It reads {rootKey, canister, now, answers} from standard input,
// all bytes in base64, and prints a verdict for each: {headers: the certified ones} or {refused: "…"}.
import { readFileSync } from "node:fs";
import library from "@dfinity/response-verification";

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const { rootKey, canister, now, answers } = JSON.parse(readFileSync(0, "utf8"));
const fiveMinutes = 300_000_000_000n;

console.log(JSON.stringify(answers.map(({ request, response }) => {
  try {
    const verified = library.verifyRequestResponsePair(
      { ...request, body: new Uint8Array(), certificate_version: [2] },
      { status_code: response.status, headers: response.headers, body: bytes(response.body) },
      bytes(canister), BigInt(now), fiveMinutes, bytes(rootKey), 2,
    );
    return { headers: verified.response?.headers ?? [] };
  } catch (error) {
    return { refused: String(error?.message ?? error) };
  }
})));
