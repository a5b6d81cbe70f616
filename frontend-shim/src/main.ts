// The page: answers applications from the first moment, and lets people sign in and look after their anchors.
import { open } from "./protocol/channel.ts";
import { checkInFrame } from "./protocol/frame.ts";
import type { Verdict } from "./protocol/alternative.ts";
import type { SignInRequest } from "./protocol/request.ts";
import { host } from "./protocol/origin.ts";
import { explain } from "./errors.ts";
import { lengthShown, prepare, type Prepared } from "./signin/deliver.ts";
import { pending } from "./signin/pending.ts";
import { requestPanel, signInView } from "./signin/view.ts";
import { type Account, agent, isRaw, remember, rightAddress } from "./state.ts";
import { choose, current, duration, names, t } from "./text/text.ts";
import { button, type Child, h, note, show } from "./ui/dom.ts";

const raw = isRaw(location.hostname);
const channel = open(window, raw);
const asked = location.pathname === "/authorize" || location.hash.startsWith("#authorize");
const fragment = new URLSearchParams(location.hash.slice(1));

let request: SignInRequest | null = null;
let verdict: Promise<Verdict> | null = null;
let account: Account | null = null;

async function start(): Promise<void> {
  await choose();
  frameOf();
  if (raw) return show(t("raw.title"), note("error", h("p", {}, t("raw.text"))), link(location.href.replace(".raw.", "."), t("raw.link")));
  const right = await rightAddress();
  if (right) return show(t("address.title"), note("warn", h("p", {}, t("address.text", { host: location.hostname }))), link(right, right));
  void agent().catch(() => undefined); // get connected while the person reads
  if (asked && window.opener) {
    // The application's request is about to come; who is quicker is not disturbed by it.
    const first = channel.next();
    show(t("signin.title"), h("p", { role: "status" }, t("waiting.request")));
    atHome = true;
    if (!(await Promise.race([first, new Promise<null>((done) => setTimeout(done, 3000, null))]))) home();
    request = await first;
    await serve();
  } else home();
  for (;;) {
    request = await channel.next();
    await serve();
  }
}

const link = (href: string, text: string) => h("p", {}, h("a", { href }, text));

// frameOf draws what surrounds every view.
function frameOf(): void {
  document.querySelector("header")?.remove();
  document.querySelector("footer")?.remove();
  const select = h("select", { "aria-label": t("language"), onchange: async () => {
    await choose(select.value);
    frameOf();
    refresh();
  } }, Object.entries(names).map(([code, name]) => h("option", { value: code, lang: code, selected: code === current() }, name)));
  document.body.prepend(h("header", {}, h("a", { class: "skip", href: "#main", onclick: (e: Event) => {
    e.preventDefault();
    document.querySelector<HTMLElement>("h1")?.focus();
  } }, t("skip")), h("span", { class: "brand" }, "Kedge"), select));
  document.body.append(h("footer", {}, h("p", {}, t("help"))));
}

let refresh: () => void = home;
let shown: SignInRequest | null = null; // the request that the person has seen
let atHome = false; // nothing has been begun that a request may not interrupt

// home is the first view, for the request that is open or for nobody's.
function home(problem: Child = null): void {
  refresh = home;
  shown = request;
  atHome = true;
  if (fragment.get("pair") !== null && !request) return void pair();
  signInView(request, {
    done: signedIn,
    cancel: request ? () => finish((r) => r.cancel(), t("refused.title"), t("refused.text")) : null,
    begin: (leaving) => {
      atHome = false;
      if (leaving) refresh = () => undefined; // another language is no reason to lose what is on the way
    },
    register: async () => (await import("./signin/register.ts")).register({ done: signedIn, back: home, banner: banner() }),
    phrase: async () => (await import("./signin/phrase.ts")).phraseView({ done: signedIn, back: home, banner: banner() }),
    pair,
    recover: async () => (await import("./contacts/recover.ts")).recoverView({ done: signedIn, back: home }),
  }, hint(), problem);
}

async function pair(): Promise<void> {
  const anchor = fragment.get("pair") ?? new URLSearchParams(location.search).get("ii") ?? "";
  fragment.delete("pair");
  (await import("./signin/pair.ts")).pairView({ anchor: /^\d+$/.test(anchor) ? anchor : "", back: home, joined: () => home(note("info", t("pair.now-sign-in"))), banner: banner() });
}

const banner = () => request && requestPanel(request);

// hint says what is odd about how the page was opened.
function hint(): Child {
  if (request || !asked) return null;
  return window.opener ? h("p", { role: "status" }, t("waiting.request")) : note("info", h("p", {}, t("no-opener")));
}

let served: () => void = () => undefined;

// serve deals with a request until it is answered.
async function serve(): Promise<void> {
  const r = request!;
  verdict = r.derivationOrigin === null ? null : checkInFrame(r.origin, r.derivationOrigin);
  const end = new Promise<void>((done) => { served = done; });
  // What somebody has begun is not taken from them: they are asked when they are signed in.
  if (account && account.expiration > BigInt(Date.now()) * 1_000_000n) void consent(account);
  else if (atHome) home();
  await end;
}

async function signedIn(who: Account): Promise<void> {
  account = who;
  if (!request && asked && window.opener) {
    show(t("waiting.title"), h("p", { role: "status" }, t("waiting.request")), button(t("account.open"), openAccount));
    return;
  }
  if (!request) await openAccount();
  else if (shown === request) await give(who);
  else await consent(who);
}

async function openAccount(): Promise<void> {
  const { accountView } = await import("./account/view.ts");
  refresh = () => void accountView(account!, signOut);
  await accountView(account!, signOut);
}

function signOut(why: Child = null): void {
  account = null;
  home(why);
}

// consent asks before a delegation for somebody who is signed in already.
async function consent(who: Account): Promise<void> {
  shown = request;
  show(t("signin.title-request"), requestPanel(request!, who.anchor),
    h("div", { class: "actions" },
      button(t("consent.as", { anchor: who.anchor }), () => give(who), { class: "primary", id: "consent" }),
      button(t("consent.other"), () => signOut()),
      button(t("signin.refuse"), () => finish((r) => r.cancel(), t("refused.title"), t("refused.text")), { class: "quiet" })));
}

// give checks, prepares and hands over the delegation.
async function give(who: Account): Promise<void> {
  const r = request!;
  show(t("giving.title"), h("p", { role: "status" }, t("giving.text", { host: host(r.origin) })));
  const checked = await verdict;
  if (checked && !checked.ok) return refuseOrigin(r, checked);
  let prepared: Prepared, waits: boolean;
  try {
    const looked = pending(who);
    prepared = await prepare(r, who);
    waits = await Promise.race([looked, new Promise<false>((done) => setTimeout(done, patience, false))]);
  } catch (error) {
    return show(t("failed.title"), note("error", h("p", {}, explain(error))), h("div", { class: "actions" },
      button(t("again"), () => give(who), { class: "primary" }), button(t("signin.other-ways-button"), () => signOut()),
      button(t("return"), () => finish((q) => q.fail(explain(error)), t("failed.title"), explain(error)), { class: "quiet" })));
  }
  if (waits) await told();
  const hand = () => finish((q) => q.succeed(prepared.answer), t("done.title"), t("done.text", { host: host(r.origin) }));
  // Whoever was shown another length sees the true one before the session begins.
  const shown = lengthShown(r), tolerance = 60_000_000_000n, longer = prepared.length > shown + tolerance;
  if (!longer && prepared.length >= shown - tolerance) return hand();
  const seconds = Math.ceil(Number(prepared.length / 1_000_000_000n) / 60) * 60; // the moments since it was made do not count
  if (!longer) remember(who.anchor, seconds);
  show(t(longer ? "longer.title" : "shorter.title"), h("p", {}, t(longer ? "longer.text" : "shorter.text", { length: duration(seconds), asked: duration(Number(shown / 1_000_000_000n)) })),
    h("div", { class: "actions" }, button(t("continue"), hand, { class: "primary", id: "continue" }),
      button(t("signin.refuse"), () => finish((q) => q.cancel(), t("refused.title"), t("refused.text")), { class: "quiet" })));
}

const patience = 3000; // ms that a look at the anchor may take longer than the delegation

// told shows that something is pending on the anchor, until the person goes on.
const told = (): Promise<void> => new Promise((goOn) => {
  show(t("pending.title"), note("warn", h("p", {}, t("pending.text"))), h("div", { class: "actions" },
    h("a", { class: "button primary", href: "/manage", target: "_blank", rel: "noopener", id: "look-after" }, t("account.open")),
    button(t("pending.go-on"), () => goOn(), { id: "go-on" })));
});

function refuseOrigin(r: SignInRequest, v: Exclude<Verdict, { ok: true }>): void {
  const text = t("origin.refused", { origin: r.origin, derivation: r.derivationOrigin ?? "" }), why = t(`origin.${v.reason}`, { detail: v.detail });
  show(t("origin.title"), note("error", h("p", {}, text), h("p", {}, why)), h("p", {}, t("origin.developer")),
    button(t("return"), () => finish((q) => q.fail(`${text} ${why}`), t("failed.title"), why), { class: "primary", id: "return" }));
}

// finish answers the request. The application closes the window.
function finish(answer: (r: SignInRequest) => void, title: string, text: string): void {
  const r = request!;
  request = null;
  verdict = null;
  answer(r);
  show(title, h("p", { role: "status" }, text), h("p", { class: "hint" }, t("done.close")), account && button(t("account.open"), openAccount, { class: "quiet" }));
  served();
}

void start();
