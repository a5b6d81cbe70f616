// Describing devices to the canister.
import type { DeviceData, DeviceWithUsage } from "./candid/kedge.gen.ts";
import type { Passkey } from "./webauthn/passkey.ts";
import { t } from "./text/text.ts";

const blank = { credential_id: null, aaguid: null, origin: null, metadata: null, protection: "unprotected" } as const;

export const maxAlias = 64; // bytes

export function passkeyDevice(alias: string, passkey: Passkey): DeviceData {
  return {
    ...blank, pubkey: passkey.publicKey, alias, credential_id: passkey.id, aaguid: passkey.aaguid, purpose: "authentication",
    key_type: passkey.platform ? "platform" : "cross_platform", origin: location.origin,
  };
}

// The name that a recovery phrase is stored under, by this page as by Internet Identity's and the command line. It is
// shown in the language of the reader.
export const phraseAlias = "Recovery phrase";

export const phraseDevice = (publicKey: Uint8Array): DeviceData =>
  ({ ...blank, pubkey: publicKey, alias: phraseAlias, purpose: "recovery", key_type: "seed_phrase" });

// dataOf are the fields of a device that update takes.
export function dataOf(d: DeviceWithUsage): DeviceData {
  const { pubkey, alias, credential_id, aaguid, purpose, key_type, protection, origin, metadata } = d;
  return { pubkey, alias, credential_id, aaguid, purpose, key_type, protection, origin, metadata };
}

// deviceName suggests a name: the browser and the system, as far as they say.
export function deviceName(): string {
  const data = (navigator as { userAgentData?: { platform: string; brands: Array<{ brand: string }> } }).userAgentData;
  const ua = navigator.userAgent;
  const find = (pairs: Array<[RegExp, string]>) => pairs.find(([r]) => r.test(ua))?.[1];
  const system = data?.platform || find([[/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Mac OS/, "macOS"], [/Windows/, "Windows"], [/Linux/, "Linux"]]);
  const browser = find([[/Edg\//, "Edge"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"]]);
  return [browser, system].filter(Boolean).join(", ") || t("device.this");
}

// visible escapes what cannot be seen in a name that anybody may have chosen.
export const visible = (text: string): string =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);

export const bytesIn = (text: string): number => new TextEncoder().encode(text).length;
