// A real Chromium, whose pages may ask nothing of any other server and complain of nothing.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = process.env.TILLBOX_SHOTS ?? "shots";
const WIDTHS = [[390, 844], [768, 1024], [1280, 900]];

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
}

// A page of a new visitor. `finish` says what went wrong on it.
export async function visitor(browser, server, { locale = "en-US", script = true, width = 1280 } = {}) {
  const context = await browser.newContext({ locale, javaScriptEnabled: script, viewport: { width, height: 900 }, reducedMotion: "reduce", acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const wrong = [];
  page.on("console", (message) => {
    // A form with a mistake answers with a status of its own, which the browser reports as well.
    if (message.type() === "error" && !/status of (402|409|422)/.test(message.text())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) wrong.push(`a request to ${request.url()}`);
  });
  const finish = async () => {
    assert.deepEqual(wrong, []);
    await context.close();
  };
  return { page, finish };
}

export async function enter(page, link) {
  await page.goto(link);
  await page.getByRole("main").getByRole("button").press("Enter");
  await page.waitForURL(/\/wallet/);
}

// Moves the focus by Tab alone until it stands on what is wanted, as a person without a mouse does.
export async function tabTo(page, locator) {
  for (let steps = 0; steps < 150; steps += 1) {
    if (await locator.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reaches ${locator}`);
}

export async function pressOn(page, locator, key = "Enter") {
  await tabTo(page, locator);
  await page.keyboard.press(key);
}

// One of the choices of a group, by the arrow keys.
export async function choose(page, locator) {
  const name = await locator.getAttribute("name");
  const entry = page.locator(`input[type=radio][name="${name}"]:checked, input[type=radio][name="${name}"]`).first();
  const group = page.locator(`input[type=radio][name="${name}"]`);
  const checked = page.locator(`input[type=radio][name="${name}"]:checked`);
  await tabTo(page, (await checked.count()) > 0 ? checked.first() : entry);
  for (let steps = (await group.count()) + 1; steps > 0 && !(await locator.isChecked()); steps -= 1) {
    await page.keyboard.press("ArrowDown");
  }
  assert(await locator.isChecked(), `the arrow keys never reach ${locator}`);
}

async function axe(page, what) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(told, [], what);
}

// Looks at a page at every width, in light and dark: a picture of each, nothing for axe to find, nothing to scroll
// sideways, nothing written into the page that the content policy would have to allow.
export async function look(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  const inline = await page.evaluate(() => [...document.querySelectorAll("[style], style, script:not([src])")].map((element) => element.outerHTML.slice(0, 120)));
  assert.deepEqual(inline, [], `${name}: inline`);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of WIDTHS) {
      await page.setViewportSize({ width, height });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${name}: wider than a screen of ${width}`);
      const tall = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.screenshot({ path: join(SHOTS, `${name}-${width}-${colorScheme}.png`), fullPage: tall < 10_000 });
      // Each width and each scheme once: it takes the longest of all.
      if ((width === 390) === (colorScheme === "light") && width !== 768) await axe(page, `${name} at ${width}, ${colorScheme}`);
    }
  }
}
