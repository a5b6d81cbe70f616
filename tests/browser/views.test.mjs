// Every view: axe finds nothing in light, dark and on a narrow phone; the keyboard alone is enough; nothing overflows.
// With KEDGE_SCREENSHOTS a picture of each view is put into that folder.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { arrive, page, providers, story, whoami, world } from "./setup.mjs";
import * as s from "./steps.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = process.env.KEDGE_SCREENSHOTS;
if (pictures) mkdirSync(pictures, { recursive: true });
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const looks = [["light", 1000], ["dark", 1000], ["light", 320]];
const seen = new Set();

// look checks one view in all looks.
async function look(page, name, language = "en") {
  // What is behind a dialog waits for it.
  await page.waitForFunction(() => !([...document.querySelectorAll("dialog")].at(-1) ?? document.body).querySelector("[aria-busy=true]") || document.querySelector("dialog"));
  await page.evaluate(axe);
  for (const [colorScheme, width] of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    const found = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), tags);
    assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join("; ")}`), [], `${name}, ${colorScheme}, ${width} px`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px wider than the window of ${width} px`);
    assert.equal(await page.evaluate(parts), "", `${name}, ${width} px: a word parts without a hyphen`);
    const title = await page.title();
    assert.notEqual(title, "");
    if (pictures) await page.screenshot({ path: `${pictures}/${name}-${language}-${width < 500 ? "phone" : colorScheme}.png`, fullPage: !(await page.$("dialog")) });
    await page.setViewportSize({ width, height: 450 });
    assert.equal(await page.evaluate(covered), "", `${name}, ${width} px: what has the focus is behind the answers`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1000, height: 800 });
  seen.add(name);
}

// parts names the first word of a heading or a label that goes on in another line without a hyphen.
function parts() {
  for (const e of document.querySelectorAll("h1, h2, h3, strong, button, label, summary, legend")) {
    if (!e.checkVisibility()) continue;
    const texts = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      if (node.parentElement.closest("code, .host")) continue;
      for (const { index, 0: word } of node.data.matchAll(/[\p{L}]{2,}/gu)) {
        const range = document.createRange();
        // The hyphen itself, in the line before, counts to the letter after it.
        range.setStart(node, node.data[index - 1] === "\u00ad" ? index + 1 : index);
        range.setEnd(node, index + word.length);
        if (new Set([...range.getClientRects()].filter((r) => r.width > 1).map((r) => Math.round(r.top))).size > 1) return `${word} in ${e.tagName}`;
      }
    }
  }
  return "";
}

// covered names the first element of a question that cannot be seen when it has the focus.
function covered() {
  const asked = [...document.querySelectorAll("dialog")].at(-1);
  for (const e of asked?.querySelectorAll("button, input, select, summary, a") ?? []) {
    if (e.disabled || !e.checkVisibility()) continue;
    e.focus();
    const { x, y, width, height } = e.getBoundingClientRect();
    if (!e.contains(document.elementFromPoint(x + width / 2, y + height / 2))) return e.outerHTML;
  }
  return "";
}

// walk goes through every view in one language.
async function walk(p, q, language) {
  const show = (page, name) => look(page, name, language);
  const start = await p.open(page);
  await start.waitForSelector("#passkey");
  await show(start, "sign-in");
  await start.click("summary");
  await show(start, "sign-in-more");
  await start.fill("input[name=anchor]", "nonsense");
  await start.press("input[name=anchor]", "Enter");
  await start.waitForSelector(".note.error");
  await show(start, "sign-in-error");
  await start.click("#phrase");
  await start.waitForSelector("input.word");
  await s.pastePhrase(start, "main", "zebra zebra wrnog");
  await start.click("main form button.primary");
  await start.waitForSelector(".note.error");
  await show(start, "phrase");
  await start.goto(`${page}#pair=10000`);
  await start.reload();
  await start.waitForSelector("#join");
  await show(start, "join");

  const app = await p.open(world.apps.origin("classic"));
  const popup = await s.startSignIn(p, app, { identityProvider: providers.classic });
  await show(popup, "request");
  await popup.click("#register");
  await popup.waitForSelector("#create");
  await show(popup, "register");
  await popup.click("#create");
  await popup.waitForSelector("img[width]");
  await show(popup, "captcha");
  await popup.fill("main input", s.captcha);
  await popup.click("main form button.primary");
  await popup.waitForSelector("#make-phrase");
  await show(popup, "registered");
  const anchor = (await popup.innerText("h1")).match(/\d+/)[0];
  await popup.click("#skip-phrase");
  await show(popup, "without-phrase");
  await popup.click("main button.primary");
  await popup.waitForSelector(".words.shown li");
  await show(popup, "phrase-words");
  const words = await popup.locator(".words.shown li").allInnerTexts();
  await popup.click("#written");
  await popup.waitForSelector("input.word");
  await show(popup, "phrase-back");
  await s.typePhrase(popup, "main", words);
  await popup.click("main form button.primary");
  await popup.waitForSelector("#continue");
  await show(popup, "protected");
  await popup.close();

  const account = await p.open(page);
  await account.waitForSelector("[data-anchor]");
  await show(account, "sign-in-known");
  await account.click("[data-anchor]");
  await account.waitForSelector("#report");
  await show(account, "account");
  await account.locator("main details").evaluateAll((all) => all.forEach((d) => { d.open = true; }));
  await show(account, "account-open");
  for (const [button, name] of [["#guard", "guard"], ["#change-limit", "limit"], ["#add-passkey", "add-passkey"]]) {
    await account.click(button);
    await account.waitForSelector("dialog");
    await show(account, name);
    await account.keyboard.press("Escape");
    await account.locator("dialog").waitFor({ state: "detached" });
  }
  const mine = account.locator(".card[data-device]").first(), phrase = account.locator(".card.protected[data-device]").first();
  await mine.locator("details button").last().click();
  await account.waitForSelector("dialog");
  await show(account, "remove");
  await account.keyboard.press("Escape");
  await account.click("#guard");
  await account.click("#confirm");
  await account.waitForSelector("[data-signer]");
  await show(account, "who-signs");
  await account.click("[data-signer=phrase]");
  await account.waitForSelector("dialog input.word");
  await show(account, "type-phrase");
  // The phrase is asked for above the question who signs: each key closes one.
  for (const left of [1, 0]) {
    await account.keyboard.press("Escape");
    await account.waitForFunction((n) => document.querySelectorAll("dialog").length <= n, left);
  }
  // A pending release, and an open registration mode.
  await phrase.locator("details button").nth(2).click();
  await account.waitForSelector("#consent-release");
  await show(account, "release-consent");
  await account.locator("dialog input[type=checkbox]").check();
  await account.click("#consent-release");
  await account.click("[data-signer=phrase]");
  await s.typePhrase(account, "dialog:last-of-type", words);
  await account.locator("dialog form button.primary").last().click();
  await account.waitForSelector(".result .note");
  const card = account.locator(".card.protected[data-device]").first();
  await card.locator("summary").click();
  await card.locator("details button").nth(3).click();
  await account.click("#confirm");
  await account.waitForSelector("[data-veto]");
  await show(account, "pending-release");
  await account.click("#add-browser");
  await account.waitForSelector("#pair-address");
  await show(account, "add-browser");
  const joining = await q.open(`${page}#pair=${anchor}`);
  await joining.click("#join");
  await joining.waitForSelector("#code");
  await show(joining, "code");
  await account.waitForSelector("#pair-code");
  await show(account, "add-browser-code");
  await account.keyboard.press("Escape");
  await account.locator("dialog").waitFor({ state: "detached" });
  await account.locator("main > .actions button").first().click();
  await account.waitForSelector(".sheet");
  await show(account, "sheet");
  await contacts(account, q, anchor, words, show);
}

// contacts goes through the views of recovery contacts: the owner's, the friend's, and that of an owner without anything.
async function contacts(account, q, anchor, words, show) {
  const friend = await s.settle(q, page);
  await account.goto(page);
  await account.click("[data-anchor]");
  await account.waitForSelector("#set-contacts");
  await account.click("#set-contacts");
  await account.waitForSelector("#name-contacts");
  await show(account, "name-contacts");
  await account.fill("#contacts", friend.anchor);
  await account.fill("#threshold", "1");
  await account.click("#name-contacts");
  await s.signAsPhrase(account, words);
  await account.waitForSelector("[data-contact]");
  await account.locator("section[aria-labelledby=recovery-contacts] details").evaluate((d) => { d.open = true; });
  await show(account, "contacts");
  await friend.account.click("#be-contact");
  await friend.account.fill("#owner", anchor);
  await friend.account.click("#look");
  await friend.account.waitForSelector("#accept");
  await show(friend.account, "contact-asked");
  await friend.account.click("#accept");
  await friend.account.waitForSelector("details #heard", { state: "attached" });
  await friend.account.locator("main details summary").click();
  await friend.account.fill("#new-key", "aaaaa-aa");
  await friend.account.fill("#heard", "zoo zoo zoo zoo zoo zoo");
  await friend.account.click("#approve");
  await friend.account.waitForSelector("details .note.error");
  await show(friend.account, "contact-approve");
  const lost = await arrive({ locale: (await account.evaluate(() => navigator.language)) });
  try {
    const view = await lost.open(page);
    await view.click("summary");
    await view.click("#recover");
    await view.waitForSelector("#begin-recovery");
    await show(view, "recover");
    await view.fill("#lost-anchor", anchor);
    await view.click("#begin-recovery");
    await view.waitForSelector("#recover-key");
    await show(view, "recover-words");
    const key = await view.innerText("#recover-key"), heard = await view.locator(".words.six li").allInnerTexts();
    await friend.account.fill("#new-key", key);
    await friend.account.fill("#heard", heard.join(" "));
    await friend.account.click("#approve");
    await friend.account.waitForSelector("dialog .words.six");
    await show(friend.account, "contact-sure");
    await friend.account.click("#confirm");
    await friend.account.waitForSelector("#withdraw");
    await show(friend.account, "contact-approved");
    await account.reload();
    await account.click("[data-anchor]");
    await account.waitForSelector("[data-veto-approval]");
    await show(account, "pending-contacts");
  } finally {
    await lost.context.close();
  }
}

for (const language of ["en", "de"]) {
  test(`every view in ${language}`, () => story(2, (p, q) => walk(p, q, language), { locale: language === "de" ? "de-DE" : "en-GB" }));
}

test("German is German everywhere, and can be chosen", () => story(1, async (p) => {
  const start = await p.open(page);
  await start.waitForSelector("#passkey");
  await start.selectOption("header select", "de");
  await start.waitForFunction(() => document.documentElement.lang === "de");
  assert.match(await start.innerText("#passkey"), /Passkey anmelden/);
  await start.reload();
  await start.waitForFunction(() => document.documentElement.lang === "de");
  // Whoever has begun something stays in it.
  await start.click("#register");
  await start.waitForSelector("#create");
  await start.selectOption("header select", "en");
  await start.waitForFunction(() => document.documentElement.lang === "en");
  assert.equal(await start.locator("#create").count(), 1);
  await start.locator("main .actions button.quiet").click();
  assert.match(await start.innerText("#register"), /Register a new anchor/);
}));

test("with high contrast, reduced motion and large text it still works", async () => {
  const p = await arrive({ reducedMotion: "reduce", forcedColors: "active", colorScheme: "dark" });
  const start = await p.open(page);
  await start.evaluate(() => { document.documentElement.style.setProperty("font-size", "200%"); });
  await start.setViewportSize({ width: 640, height: 800 });
  await start.waitForSelector("#passkey");
  assert.ok((await start.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
  assert.equal(await start.evaluate(() => getComputedStyle(document.querySelector("button")).transitionDuration), "0s");
  await p.context.close();
});

test("the keyboard alone signs in", () => story(1, async (p) => {
  const app = await p.open(world.apps.origin("classic"));
  const popup = await s.startSignIn(p, app, { identityProvider: providers.classic });
  const reach = async (wanted) => {
    for (let i = 0; i < 30; i++) {
      await popup.keyboard.press("Tab");
      if (await popup.evaluate((w) => document.activeElement.matches(w), wanted)) {
        const outline = await popup.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        assert.notEqual(outline, "none", "the focus is visible");
        return;
      }
    }
    assert.fail(`${wanted} cannot be reached by the keyboard`);
  };
  const press = async (wanted) => {
    await reach(wanted);
    await popup.keyboard.press("Enter");
  };
  await press("#register");
  await popup.waitForSelector("#create");
  assert.equal(await popup.evaluate(() => document.activeElement.tagName), "H1", "the heading of a new view has the focus");
  await press("#create");
  await popup.waitForSelector("img[width]");
  await reach("main input");
  const picture = await popup.getAttribute("main img", "src");
  await popup.keyboard.press("Enter"); // too early
  await popup.getByText("Type the characters").waitFor();
  assert.equal(await popup.getAttribute("main img", "src"), picture, "the same picture is asked about");
  await popup.keyboard.type(s.captcha);
  await popup.keyboard.press("Enter");
  await popup.waitForSelector("#skip-phrase");
  await press("#skip-phrase");
  await popup.waitForSelector("#unprotected");
  await press("#unprotected");
  const principal = await s.outcome(app);
  assert.equal(await whoami(app), principal);
}));
