// Has the check of a derivation origin made in the frame that may reach other origins.
import { check, type Verdict } from "./alternative.ts";

const patience = 15_000;

export async function checkInFrame(origin: string, derivationOrigin: string): Promise<Verdict> {
  // What needs no look elsewhere is decided here.
  const here = await check(origin, derivationOrigin, () => Promise.reject(new Error("not here")));
  if (here.ok || here.reason === "malformed") return here;
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.hidden = true;
  frame.title = "";
  frame.src = "/check";
  const channel = new MessageChannel();
  try {
    return await new Promise<Verdict>((done) => {
      setTimeout(() => done({ ok: false, reason: "unreachable", detail: derivationOrigin }), patience);
      channel.port1.onmessage = (event: MessageEvent<Verdict>) => done(event.data);
      addEventListener("message", function started(event) {
        if (event.source !== frame.contentWindow) return;
        removeEventListener("message", started);
        frame.contentWindow!.postMessage({ origin, derivationOrigin }, "*", [channel.port2]); // its origin is opaque
      });
      document.body.append(frame);
    });
  } finally {
    frame.remove();
  }
}
