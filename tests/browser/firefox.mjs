// Firefox over WebDriver BiDi, which Debian's build speaks by itself. Its soft token stands for the built-in
// authenticator; the browser's own code adds it, so Firefox is started with access to that. A page here answers to the
// same calls as one of Chromium's driver, as far as the steps of stories use them.
import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";
import { until } from "./until.mjs"; // waiting inside the page would need eval, which its policy forbids

export const firefoxPath = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find((p) => existsSync(p));

const patience = 30_000; // ms

// Firefox is one process with one soft token at most, so its people visit one after the other.
export class Firefox {
  static async launch() {
    const it = new Firefox();
    it.browser = await puppeteer.launch({
      browser: "firefox", executablePath: firefoxPath, headless: true, args: ["--remote-allow-system-access"],
      extraPrefsFirefox: { "security.webauth.webauthn_enable_softtoken": true, "security.webauth.webauthn_enable_usbtoken": false, "intl.accept_languages": "en-GB, en" },
    });
    const tree = await it.send("browsingContext.getTree", { "moz:scope": "chrome" });
    it.chrome = tree.contexts[0].context;
    await it.send("script.addPreloadScript", { functionDeclaration: `() => {
      addEventListener("securitypolicyviolation", (e) => console.error("CSP: " + e.violatedDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber));
      if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false;
    }` });
    return it;
  }

  async send(method, params) { return (await this.browser.connection.send(method, params)).result; }

  // privileged runs code in the browser itself.
  async privileged(expression) {
    const answer = await this.send("script.evaluate", { expression, target: { context: this.chrome }, awaitPromise: true });
    if (answer.type !== "success") throw new Error(`Firefox: ${JSON.stringify(answer.exceptionDetails?.text)}`);
    return answer.result.value;
  }

  token(call) { return this.privileged(`Cc["@mozilla.org/webauthn/service;1"].getService(Ci.nsIWebAuthnService).${call}`); }

  close() { return this.browser.close(); }
}

// FirefoxPerson is a person with a profile of their own and, if passkeys is not false, the soft token.
export class FirefoxPerson {
  problems = [];
  pages = [];

  static async arrive(firefox, { passkeys = true, language = null } = {}) {
    const person = new FirefoxPerson();
    person.firefox = firefox;
    person.profile = await firefox.browser.createBrowserContext();
    if (language) await firefox.privileged(`Services.prefs.setStringPref("intl.accept_languages", ${JSON.stringify(language)})`);
    if (passkeys) person.token = await firefox.token('addVirtualAuthenticator("ctap2_1", "internal", true, true, true, true)');
    person.context = { pages: () => person.pages.filter((page) => !page.isClosed()), close: () => person.leave() };
    return person;
  }

  async leave() {
    await this.profile.close();
    if (this.token) await this.firefox.token(`removeVirtualAuthenticator(${JSON.stringify(this.token)})`);
    await this.firefox.privileged('Services.prefs.clearUserPref("intl.accept_languages")');
  }

  // credentials are how many passkeys the soft token has.
  credentials() { return this.firefox.token(`getCredentials(${JSON.stringify(this.token)}).length`); }

  meet(page, opener) {
    const met = new FirefoxPage(this.firefox, page, opener);
    page.on("pageerror", (error) => this.problems.push(`page error: ${error}`));
    page.on("console", (message) => { if (message.type() === "error") this.problems.push(`console: ${message.text()}`); });
    this.pages.push(met);
    return met;
  }

  async open(url) {
    const page = this.meet(await this.profile.newPage(), null);
    await page.goto(url);
    return page;
  }

  async popup(opener, action) {
    const [popup] = await Promise.all([new Promise((done, fail) => {
      const late = setTimeout(() => fail(new Error("no window was opened")), patience);
      opener.page.once("popup", (page) => { clearTimeout(late); done(this.meet(page, opener)); });
    }), action()]);
    return popup;
  }

  takeProblems() { return this.problems.splice(0); }
}

// FirefoxPage is a page.
export class FirefoxPage {
  constructor(firefox, page, opener) {
    this.firefox = firefox;
    this.page = page;
    this.openedBy = opener;
    this.keyboard = page.keyboard;
  }

  goto(url) { return this.page.goto(url); }
  reload() { return this.page.reload(); }
  url() { return this.page.url(); }
  close() { return this.page.close(); }
  isClosed() { return this.page.isClosed(); }
  async opener() { return this.openedBy; }
  waitForEvent(name) { return until(() => name === "close" && this.isClosed(), name); }
  evaluate(what, arg) { return this.page.evaluate(what, arg); }
  waitForFunction(what, arg, { timeout } = {}) { return until(() => this.page.evaluate(what, arg), String(what), timeout); }
  // A page that is still loading has nothing to find yet.
  waitForSelector(selector) { return until(() => this.locator(selector).shown().catch(() => null), selector); }
  $(selector) { return this.locator(selector).handle(); }
  click(selector) { return this.locator(selector).click(); }
  innerText(selector) { return this.locator(selector).innerText(); }
  async fill(selector, text) { await this.locator(selector).fill(text); }
  locator(selector) { return new Found(this.page, selector, 0); }

  // paste pastes into an element as the keyboard does: Firefox gives nothing of a made-up event to the page.
  async paste(selector, text) {
    await until(() => this.locator(selector).shown(), selector);
    await this.firefox.privileged(`Cc["@mozilla.org/widget/clipboardhelper;1"].getService(Ci.nsIClipboardHelper).copyString(${JSON.stringify(text)})`);
    await this.locator(selector).focus();
    await this.keyboard.down("Control");
    await this.keyboard.press("v");
    await this.keyboard.up("Control");
  }
}

// Found is the nth element of a selector; the last for -1.
class Found {
  constructor(page, selector, n) {
    Object.assign(this, { page, selector, n });
  }

  first() { return this.nth(0); }
  last() { return this.nth(-1); }
  nth(n) { return new Found(this.page, this.selector, n); }

  async handle() {
    const found = await this.page.evaluateHandle((selector, n) => [...document.querySelectorAll(selector)].at(n) ?? null, this.selector, this.n);
    return found.asElement();
  }

  // shown is the element once a person can see it.
  async shown() {
    const element = await this.handle();
    return element && (await element.evaluate((e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== "hidden")) ? element : null;
  }

  async evaluate(what, arg) { return (await until(() => this.handle(), this.selector)).evaluate(what, arg); }
  async focus() { await this.evaluate((e) => e.focus()); }
  async blur() { await this.evaluate((e) => e.blur()); }
  async innerText() { return this.evaluate((e) => e.innerText); }
  count() { return this.page.evaluate((selector) => document.querySelectorAll(selector).length, this.selector); }
  allInnerTexts() { return this.page.evaluate((selector) => [...document.querySelectorAll(selector)].map((e) => e.innerText), this.selector); }

  // click presses where a person would see the element, once nothing is in front of it and it can be pressed.
  async click() {
    const at = await until(async () => (await this.shown())?.evaluate((e) => {
      e.scrollIntoView({ block: "center", behavior: "instant" });
      const box = e.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
      return !e.disabled && e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
    }), `${this.selector} to press`);
    await this.page.mouse.click(...at);
  }

  async fill(text) {
    await until(() => this.shown(), this.selector);
    await this.evaluate((e) => { e.focus(); e.select(); });
    await this.page.keyboard.type(text);
  }
}
