// What people are told when something fails, and what they can do.
import { CertificateError } from "./ic/certificate.ts";
import { ClockWrong, Rejected, Unreachable } from "./ic/agent.ts";
import type { Error as KedgeError } from "./candid/kedge.gen.ts";
import { PasskeyTrouble } from "./webauthn/passkey.ts";
import { WrongAddress } from "./state.ts";
import { duration, type Key, t, word } from "./text/text.ts";

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
  return /(?:called `ic0\.trap` with message|trapped explicitly|Panicked at)[: ]+['"]?(.*?)['"]?(?:\.?\nConsider|$)/s.exec(message)?.[1] ?? message;
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
    return t("error.rejected", { detail: trapText(error.message) });
  }
  return t("error.other", { detail: error instanceof Error ? error.message : String(error) });
}

// refusal says what was refused, and who could do it. A code that is newer than this page comes with the canister's
// own words, which are English.
const refusal = ({ code, message, length, limit, wait_s }: KedgeError): string => word("refused", code, t("refused.any", { detail: message }), {
  detail: message, length: length ?? 0, limit: limit ?? 0, wait: duration(Number(wait_s ?? 0)),
});
