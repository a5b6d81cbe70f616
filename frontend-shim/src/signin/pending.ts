// What an owner should know before anything else: a release that is asked for, or a new key that contacts approve. Many
// sign in to applications for months and never open the account page, so the anchor is looked at here, too.
import * as kedge from "../candid/kedge.gen.ts";
import { type Account, agent, knownAnchors, remember } from "../state.ts";

const day = 86_400_000; // ms

// pending reports whether something is pending. It asks once a day, for the canister pays for the answer; a failure to
// ask keeps nobody from signing in.
export async function pending({ anchor, identity }: Account): Promise<boolean> {
  const now = Date.now(), last = knownAnchors().find((k) => k.anchor === anchor)?.checked ?? 0;
  if (last <= now && now - last < day) return false;
  try {
    const [info] = await (await agent()).call(identity, kedge.get_anchor_info, anchor);
    const found = info.devices.some((d) => d.release?.askers.some((a) => a.completes_in_s !== null)) || (info.contacts?.contacts ?? []).some((c) => c.approves !== null);
    if (!found) remember(anchor, info.session_limit_s === null ? null : Number(info.session_limit_s), now);
    return found;
  } catch {
    return false;
  }
}
