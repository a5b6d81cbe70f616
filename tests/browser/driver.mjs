// Chromium with virtual authenticators, the way a person with passkeys uses it (firefox.mjs is Firefox). Console errors, page errors, violations
// of the content security policy and requests outside a page's own origin are collected; a test fails on any.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

export const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => existsSync(p));

// What a person's built-in authenticator is like.
export const platform = {
  protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
  automaticPresenceSimulation: true,
};

export const launch = () => chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });

// Person is a browser profile: one context, whose pages share passkeys and storage.
export class Person {
  problems = [];
  authenticators = new Map(); // page → { cdp, id }
  credentials = new Map(); // by credential id

  static async arrive(browser, { authenticator = platform, offers = false, provider, ...options } = {}) {
    const person = new Person();
    person.authenticator = authenticator;
    person.provider = provider;
    person.context = await browser.newContext({ locale: "en-GB", ...options });
    // The virtual authenticator answers an offer in an input field by itself, as no person does.
    if (!offers) await person.context.addInitScript(() => { if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false; });
    await person.context.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`)));
    person.context.on("page", (page) => person.watch(page));
    return person;
  }

  watch(page) {
    page.on("pageerror", (error) => this.problems.push(`page error: ${error}`));
    page.on("console", (message) => { if (message.type() === "error") this.problems.push(`console: ${message.text()}`); });
  }

  // open opens a page with this person's passkeys.
  async open(url) {
    const page = await this.context.newPage();
    await this.equip(page);
    await page.goto(url);
    return page;
  }

  // equip gives a page an authenticator with all of this person's passkeys: without one Chromium dies of a ceremony.
  async equip(page) {
    if (this.authenticators.has(page)) return;
    const cdp = await this.context.newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options: this.authenticator });
    this.authenticators.set(page, { cdp, authenticatorId });
    for (const credential of this.credentials.values()) await cdp.send("WebAuthn.addCredential", { authenticatorId, credential });
    const keep = ({ credential }) => this.credentials.set(credential.credentialId, credential);
    cdp.on("WebAuthn.credentialAdded", keep);
    cdp.on("WebAuthn.credentialAsserted", keep);
    cdp.on("WebAuthn.credentialDeleted", ({ credentialId }) => this.credentials.delete(credentialId));
  }

  // popup runs an action that opens a window, and equips the window before any ceremony.
  async popup(page, action) {
    const [popup] = await Promise.all([page.waitForEvent("popup"), action()]);
    await this.equip(popup);
    await popup.waitForLoadState();
    return popup;
  }

  takeProblems() { return this.problems.splice(0); }
}
