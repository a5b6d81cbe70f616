// The channel to the window that opened this one. Every request is answered; one is dealt with at a time.
import * as classic from "./classic.ts";
import * as icrc from "./icrc.ts";
import { BadRequest, type SignInRequest } from "./request.ts";

export interface Channel {
  // next waits for the request to deal with.
  next(): Promise<SignInRequest>;
}

// Refusals that a message meets before anybody is asked.
const nullOrigin = "The application has no web origin (it runs in a sandboxed frame or from a data: or file: address), so nobody can be signed in to it.";
const rawHost = "This is the sign-in page's raw address, whose content the network does not vouch for. Open it without \".raw\".";
const otherOrigin = "Another application's request is open in this window.";

// open listens from now on. refuse is a reason for which nobody can be signed in here at all.
export function open(win: Window, raw: boolean): Channel {
  const waiting: SignInRequest[] = [];
  let wake: (() => void) | null = null;
  let origin: string | null = null; // of the first request: later ones come from the same application
  let classicKey = "";

  win.addEventListener("message", (event: MessageEvent<unknown>) => {
    const { data } = event, source = event.source as Window | null;
    if (!source || source !== win.opener || event.origin === win.location.origin) return;
    // An opaque origin cannot be named as a target; what it is told is no secret.
    const post = (message: unknown) => source.postMessage(message, event.origin === "null" ? "*" : event.origin);
    if (classic.isClassic(data)) {
      // The client repeats its request; only another one gets an answer of its own.
      const id = String(data.sessionPublicKey);
      if (id === classicKey) return;
      take((reply) => classic.read(data, event.origin, reply), post, (text) => post(classic.failure(text)), classicKey !== "");
      classicKey ||= id;
    } else if (icrc.isCall(data)) {
      const call = icrc.readCall(data);
      if (!call) return;
      const answer = icrc.respond(call);
      if (answer) return post(answer);
      take((reply) => icrc.read(call, event.origin, reply), post, (text, bad) => post(icrc.failure(call.id, bad ? icrc.codes.invalidParams : icrc.codes.generic, text)), false);
    }

    function take(read: (post: (m: unknown) => void) => SignInRequest, reply: (m: unknown) => void, fail: (text: string, bad?: boolean) => void, busy: boolean): void {
      if (event.origin === "null") return fail(nullOrigin);
      if (raw) return fail(rawHost);
      if (busy || (origin !== null && origin !== event.origin)) return fail(otherOrigin);
      try {
        waiting.push(read(reply));
        origin = event.origin;
        wake?.();
      } catch (error) {
        if (!(error instanceof BadRequest)) throw error;
        fail(error.message, true);
      }
    }
  });
  // This holds nothing secret, and the opener's origin is not known yet.
  (win.opener as Window | null)?.postMessage(classic.ready, "*");

  return {
    next: async () => {
      while (waiting.length === 0) await new Promise<void>((done) => { wake = done; });
      return waiting.shift()!;
    },
  };
}
