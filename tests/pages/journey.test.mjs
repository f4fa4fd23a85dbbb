// What the first customer does, from the link to the list: by keyboard alone, then without scripts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { choose, enter, launch, pressOn, visitor } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

let server;
let browser;

before(async () => {
  server = await Server.start();
  await server.call("PATCH", "/v1/settings", {
    branding: { name: "Acme Messaging", color: "#0f6b5c" },
    activation_charge: "125.00",
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const button = (page, name) => page.getByRole("button", { name });
const told = (page, text) => page.locator("[role=status]").getByText(text).first().waitFor();
const available = async (page, text) => page.locator("[data-balance]").filter({ hasText: text }).waitFor();

// A card of the sandbox's page, chosen and sent.
async function card(page, label, send) {
  await page.waitForURL(/\/sandbox\//);
  await choose(page, page.getByRole("radio", { name: label }).first());
  await pressOn(page, send);
}

async function topUp(page, preset, method) {
  await choose(page, page.locator(`input[name=amount][value="${preset}.00"]`));
  await choose(page, method);
  await pressOn(page, page.locator("#add button.btn-main"));
}

async function journey(page, customer, script) {
  await enter(page, await server.link(customer));

  // A card, then the activation with $125.00.
  await pressOn(page, button(page, "Add card"));
  await card(page, /^Works/, button(page, "Add card"));
  await told(page, "Payment source updated successfully.");
  await pressOn(page, button(page, "Activate now and pay $125.00"));
  await told(page, "Your wallet is active, with $125.00");
  await available(page, "$125.00");

  // A top-up that the bank asks about.
  await topUp(page, "25", page.locator("input[name=method][value=new]"));
  await card(page, /3-D Secure/, page.getByRole("main").getByRole("button", { name: /^Pay/ }));
  await page.waitForURL(/\/sandbox\/authenticate\//);
  await pressOn(page, button(page, "Confirm"));
  await page.waitForURL(/\/wallet/);
  await available(page, "$150.00");

  // One that is declined, with words for it.
  await topUp(page, "25", page.locator("input[name=method][value=new]"));
  await card(page, /not enough funds/, page.getByRole("main").getByRole("button", { name: /^Pay/ }));
  await page.getByRole("alert").waitFor();
  await pressOn(page, page.getByRole("main").getByRole("link", { name: "Cancel" }));
  await page.waitForURL(/\/wallet/);
  await available(page, "$150.00");

  // Auto-recharge: $25 when lower than $50.
  await page.locator("#ar-amount").selectOption("25.00");
  await page.locator("#ar-below").selectOption("50.00");
  await pressOn(page, page.locator("#auto-recharge button[value=yes]"));
  await told(page, "Auto-recharge is on");

  // A debit is seen without loading the page again, and the recharge that it brings about.
  if (script) await page.evaluate(() => { window.same = true; });
  await server.debit(customer, "49.9925", "Calls of the morning");
  if (!script) await page.reload();
  await available(page, "$100.0075");
  await server.debit(customer, "60.00", "Calls of the afternoon");
  if (!script) {
    await page.waitForTimeout(1500);
    await page.reload();
  }
  await available(page, "$65.0075");
  if (script) assert.equal(await page.evaluate(() => window.same), true, "the page was loaded again");

  // Every movement is in the list, and in the file.
  await page.reload();
  const rows = page.locator("#transactions tbody tr");
  const text = (await rows.allInnerTexts()).join("\n");
  for (const movement of ["Calls of the afternoon", "Calls of the morning", "Auto", "60.00", "125.00"]) assert(text.includes(movement), `${movement} is not in\n${text}`);
  const file = page.waitForEvent("download");
  await pressOn(page, page.getByRole("link", { name: "CSV" }));
  const csv = readFileSync(await (await file).path(), "utf8");
  assert(csv.includes("Calls of the morning") && csv.includes("-49.9925"), csv);

  // Sync asks about the payment that was turned back from, whose page is still open.
  await pressOn(page, button(page, "Sync"));
  await told(page, "1 payment was checked, and there is nothing new of it.");
}

for (const [how, script] of [["by keyboard, with the balance live", true], ["with scripts turned off", false]]) {
  test(`a first customer's day, ${how}`, async () => {
    const customer = await server.customer();
    const { page, finish } = await visitor(browser, server, { script });
    await journey(page, customer, script);
    await finish();
  });
}

test("a saved card that is declined is named, in the customer's language", async () => {
  for (const [locale, words] of [["en", /too little money/], ["es", /saldo insuficiente|poco dinero|poco saldo|l.mite/i]]) {
    const customer = await server.customer({ locale, card: "pm_card_chargeDeclinedInsufficientFunds" });
    const { page, finish } = await visitor(browser, server, { locale });
    await enter(page, await server.link(customer));
    await pressOn(page, page.locator(".step button.btn-main"));
    await page.locator("[role=status], [role=alert]").filter({ hasText: words }).first().waitFor();
    await finish();
  }
});
