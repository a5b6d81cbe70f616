// What people are told when something fails, and what they can do.
import { CertificateError } from "./ic/certificate.ts";
import { ClockWrong, Rejected, Unreachable } from "./ic/agent.ts";
import type { Error as KedgeError } from "./candid/kedge.gen.ts";
import { prefix, texts } from "./candid/traps.gen.ts";
import { PasskeyTrouble } from "./webauthn/passkey.ts";
import { WrongAddress } from "./state.ts";
import { duration, type Key, t, type Values, word } from "./text/text.ts";

// Refused is an Error that a method of Kedge answered with.
export class Refused extends Error {
  constructor(readonly error: KedgeError) { super(error.message); }
}

// Explained is an error whose text is already for people.
export class Explained extends Error {}

const passkeyTexts: Record<PasskeyTrouble["kind"], Key> = {
  refused: "passkey.refused", exists: "passkey.exists", host: "passkey.host", unsupported: "passkey.unsupported", aborted: "passkey.refused", broken: "passkey.broken",
};

// trapText takes the canister's own words out of the network's message about a trap.
function trapText(message: string): string {
  return /(?:called `ic0\.trap` with message|trapped explicitly|Panicked at)[: ]+'?(.*?)'?\.?(?:\n(?:Consider|Canister Backtrace).*)?$/s.exec(message)?.[1] ?? message;
}

export function explain(error: unknown): string {
  if (error instanceof Explained) return error.message;
  if (error instanceof Refused) return refusal(error.error);
  if (error instanceof PasskeyTrouble) return t(passkeyTexts[error.kind], { host: location.hostname, detail: error.message });
  if (error instanceof ClockWrong) return t("error.clock");
  if (error instanceof CertificateError) return t("error.certificate");
  if (error instanceof Unreachable) return t("error.unreachable");
  if (error instanceof WrongAddress) return t("error.address");
  if (error instanceof Rejected) {
    if (/stopp|out of cycles|frozen/i.test(error.message)) return t("error.stopped", { detail: error.message });
    const text = trapText(error.message);
    return trapped(text) ?? t("error.rejected", { detail: text });
  }
  return t("error.other", { detail: error instanceof Error ? error.message : String(error) });
}

// refusal says what was refused, and who could do it.
const refusal = ({ code, message, length, limit, wait_s }: KedgeError): string =>
  reason(code, { detail: message, length: length ?? 0, limit: limit ?? 0, wait: duration(Number(wait_s ?? 0)) });

// trapped says the same of a classic method's refusal, which has a text alone; null if it is not known.
function trapped(text: string): string | null {
  for (const [name, pattern] of texts) {
    const found = new RegExp(`^${prefix}(?:${pattern})$`, "s").exec(text);
    if (found) return reason(name, { detail: text, ...found.groups });
  }
  return null;
}

// A code that is newer than this page comes with the canister's own words, which are English.
const reason = (code: string | null, values: Values): string => word("refused", code, t("refused.any", values), values);
