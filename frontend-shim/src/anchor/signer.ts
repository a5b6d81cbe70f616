// Who signs an act: the device that is signed in, if it may; else one that may is asked for, by key, never by name.
import type { Identity } from "../ic/identity.ts";
import { explain, Explained } from "../errors.ts";
import { equal } from "../ic/bytes.ts";
import { agent } from "../state.ts";
import { t } from "../text/text.ts";
import { busy, button, dialog, h, note } from "../ui/dom.ts";
import { signIn } from "../webauthn/passkey.ts";
import { coseOfDer, verifies } from "../webauthn/cose.ts";
import { type Anchor, boundHost, type Device, isMe, isPhrase, isProtected, nameOf, principalOf, short } from "./model.ts";

// Need says who may sign an act.
export type Need = { kind: "any" } | { kind: "protected" } | { kind: "self"; device: Device };

const minute = 60_000_000_000n;

export function may(need: Need, d: Device): boolean {
  switch (need.kind) {
    case "any": return true;
    case "protected": return isProtected(d);
    case "self": return equal(d.pubkey, need.device.pubkey);
  }
}

export interface Signer { identity: Identity; device: Device }

// signer returns who signs; null if the person turned back.
export async function signer(anchor: Anchor, need: Need, why: string): Promise<Signer | null> {
  const me = anchor.info.devices.find((d) => isMe(anchor, d));
  if (me && may(need, me) && anchor.account.expiration > (await agent()).now() + minute) return { identity: anchor.account.identity, device: me };
  const able = anchor.info.devices.filter((d) => may(need, d));
  if (able.length === 0) throw new Explained(t("signer.nobody"));
  return dialog<Signer>(t("signer.title"), (close) => {
    const problems = h("div", {});
    const body = h("div", {});
    const pick = (device: Device) => busy(body, async () => {
      problems.replaceChildren();
      try {
        const identity = isPhrase(device) ? await (await import("./phrase.ts")).typePhrase(device) : await withPasskey(device);
        if (!identity) return;
        // Whoever has signed again as the device that is signed in goes on with that.
        if (isMe(anchor, device)) Object.assign(anchor.account, { identity, expiration: identity.chain[0]?.delegation.expiration ?? anchor.account.expiration });
        close({ identity, device });
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      }
    });
    body.append(h("p", {}, why), h("p", {}, t("signer.which")),
      h("ul", { class: "plain" }, able.map((d) => h("li", {}, button(
        [h("strong", {}, nameOf(d)), h("code", {}, short(principalOf(d))), boundHost(d) && h("span", { class: "hint" }, t("device.host", { host: boundHost(d)! }))],
        () => pick(d), { class: "wide", "data-signer": isPhrase(d) ? "phrase" : "passkey" })))), problems, button(t("cancel"), () => close(null), { class: "quiet" }));
    return [body];
  });
}

async function withPasskey(device: Device): Promise<Identity> {
  const cose = coseOfDer(device.pubkey);
  if (!device.credential_id || !cose) throw new Explained(t("signer.not-here"));
  const session = await signIn((await agent()).now(), [device.credential_id], { rpId: boundHost(device) ?? undefined });
  if (!(await verifies(cose, session.signed))) throw new Explained(t("signin.unknown"));
  return session.identity(device.pubkey);
}
