// Every page in every state that a customer meets, as a picture and for axe, in English and in Spanish; and how heavy
// a first visit is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { enter, launch, look, visitor } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

let server;
let browser;

before(async () => {
  server = await Server.start();
  await server.call("PATCH", "/v1/settings", {
    branding: { name: "Acme Messaging", color: "#0f6b5c" },
    support_email: "help@acme.example",
    low_balance_thresholds: ["10.00"],
  });
  for (const [key, unit_amount, description] of [["sms.us", "0.0079", "SMS to the United States"], ["whatsapp.marketing", "0.05", "WhatsApp marketing template"]]) {
    await server.call("POST", "/v1/prices", { key, unit: "message", unit_amount, currency: "USD", description });
  }
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const recharge = (customer, amount = "25.00", threshold = "50.00") =>
  server.call("PUT", `/v1/wallets/${customer.wallet}/auto-recharge`, { enabled: true, threshold, amount });

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}&amp;`;

// A state: how its customer comes to it, and what is done on the page.
const STATES = {
  "empty": { make: (locale) => server.customer({ locale }) },
  "normal": {
    make: async (locale) => {
      const customer = await server.customer({ locale, balance: "125.00", card: "pm_card_visa" });
      await recharge(customer);
      for (const [amount, text] of [["0.0079", "SMS to the United States"], ["12.50", "WhatsApp marketing template × 250"], ["31.4125", "Calls within the United States"]]) await server.debit(customer, amount, text);
      await server.call("POST", `/v1/wallets/${customer.wallet}/holds`, { amount: "5.00", expires_in: 3600, description: "A call under way" });
      return customer;
    },
  },
  "low": { make: (locale) => server.customer({ locale, balance: "4.25", card: "pm_card_visa" }) },
  "declined": {
    make: async (locale) => {
      const customer = await server.customer({ locale, balance: "60.00", card: "pm_card_chargeDeclined" });
      await recharge(customer);
      await server.debit(customer, "20.00");
      return customer;
    },
    until: ".banner[data-tone=bad], .banner[data-tone=warn]",
  },
  "authentication": {
    make: async (locale) => {
      const customer = await server.customer({ locale, balance: "60.00", card: "pm_card_authenticationRequired" });
      await recharge(customer);
      await server.debit(customer, "20.00");
      return customer;
    },
    until: ".banner",
  },
  "errors": {
    make: (locale) => server.customer({ locale, balance: "60.00", card: "pm_card_visa" }),
    act: async (page) => {
      await page.locator("input[name=amount][value=other]").check();
      await page.locator("#other").fill("no number");
      await page.locator("#add button.btn-main").press("Enter");
      await page.getByRole("alert").waitFor();
    },
  },
  "review": {
    make: (locale) => server.customer({ locale, balance: "5.00", card: "pm_card_visa" }),
    act: async (page) => {
      await page.locator("#ar-amount").selectOption({ index: 1 });
      await page.locator("#auto-recharge button[value=yes]").press("Enter");
      await page.waitForLoadState();
    },
  },
  "hostile": {
    make: async (locale) => {
      const customer = await server.customer({ locale, name: HOSTILE.slice(0, 80), balance: "60.00", card: "pm_card_visa" });
      await server.call("POST", `/v1/wallets/${customer.wallet}/debits`, { amount: "1.00", description: HOSTILE, metadata: { [`a"b<c`]: HOSTILE } });
      await server.debit(customer, "1.00", "W".repeat(200));
      return customer;
    },
  },
  "help": {
    make: (locale) => server.customer({ locale, balance: "60.00" }),
    act: (page) => page.goto(`${server.url}/wallet/help`),
  },
  "sandbox-card": {
    make: (locale) => server.customer({ locale, balance: "60.00" }),
    act: async (page) => {
      await page.locator("#methods button").first().press("Enter");
      await page.waitForURL(/\/sandbox\/setup/);
    },
  },
  "sandbox-checkout": {
    make: (locale) => server.customer({ locale, balance: "60.00" }),
    act: async (page) => {
      await page.locator("input[name=method][value=new]").check();
      await page.locator("#add button.btn-main").press("Enter");
      await page.waitForURL(/\/sandbox\/checkout/);
    },
  },
};

for (const locale of ["en", "es"]) {
  for (const [name, { make, act, until }] of Object.entries(STATES)) {
    test(`${name}, ${locale}`, async () => {
      const customer = await make(locale);
      const { page, finish } = await visitor(browser, server, { locale });
      page.on("dialog", () => assert.fail("a script of a hostile text ran"));
      await enter(page, await server.link(customer));
      if (until) {
        await page.waitForTimeout(500);
        await page.reload();
        await page.locator(until).first().waitFor();
      }
      if (act) await act(page);
      assert.equal(await page.locator("html").getAttribute("lang"), locale);
      await look(page, `${name}-${locale}`);
      await finish();
    });
  }

  test(`setting up, ${locale}`, async () => {
    await server.call("PATCH", "/v1/settings", { activation_charge: "125.00" });
    for (const [step, card] of [[1, undefined], [2, "pm_card_visa"]]) {
      const customer = await server.customer({ locale, card });
      const { page, finish } = await visitor(browser, server, { locale });
      await page.goto(await server.link(customer));
      if (step === 1) await look(page, `link-${locale}`);
      await page.getByRole("main").getByRole("button").press("Enter");
      await page.waitForURL(/\/wallet/);
      await look(page, `setup-${step}-${locale}`);
      await finish();
    }
    await server.call("PATCH", "/v1/settings", { activation_charge: null });
  });
}

for (const locale of ["en", "es"]) {
  test(`a payment link without an amount, ${locale}`, async () => {
    const customer = await server.customer({ locale });
    const { url } = await server.call("POST", `/v1/wallets/${customer.wallet}/payment-links`, { description: "Summer camp" });
    const { page, finish } = await visitor(browser, server, { locale });
    await page.goto(url);
    await page.locator("#amount").fill("x");
    await page.locator("button.btn-main").press("Enter");
    await page.getByRole("alert").waitFor();
    await look(page, `pay-${locale}`);
    await page.locator("#amount").fill("25");
    await page.locator("button.btn-main").press("Enter");
    await page.waitForURL(/\/sandbox\/checkout/);
    await page.locator("button.btn-main").press("Enter");
    await page.waitForURL(/\/wallet\/return/);
    await look(page, `paid-${locale}`);
    const { balance } = await server.call("GET", `/v1/wallets/${customer.wallet}/balance`);
    assert.equal(balance, "25.00");
    await finish();
  });
}

for (const path of ["/docs", "/docs/problems"]) {
  test(`${path} is rendered by this server alone`, async () => {
    const { page, finish } = await visitor(browser, server);
    await page.goto(server.url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await look(page, path.slice(1).replace("/", "-"));
    const links = await page.locator("a[href^='#']").evaluateAll((all) => all.map((link) => link.getAttribute("href")).filter((href) => !document.getElementById(href.slice(1))));
    assert.deepEqual(links, [], "links that lead nowhere");
    await finish();
  });
}

test("a first visit is below 100 KB over the wire", async () => {
  const customer = await STATES.normal.make("en");
  const { page, finish } = await visitor(browser, server);
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await page.goto(await server.link(customer));
  let bytes = 0;
  session.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  await page.getByRole("main").getByRole("button").press("Enter");
  await page.waitForURL(/\/wallet/);
  await page.waitForLoadState("load");
  await page.waitForTimeout(300);
  console.log(`the wallet page with all that it loads: ${bytes} bytes`);
  assert(bytes > 10_000 && bytes < 100_000, `${bytes} bytes`);
  await finish();
});
