// A real server on a free port, with a merchant of its own in a temporary folder, and its API.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";

const BINARY = process.env.TILLBOX_BINARY;
const KEY = "tb_test_pages_of_a_merchant_made_for_tests";

export class Server {
  #next = 0;

  static async start() {
    if (!BINARY) throw new Error("TILLBOX_BINARY must say where the server's binary is; ./test pages does");
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "tillbox-pages-"));
    server.process = spawn(BINARY, ["serve", "--listen", "127.0.0.1:0", "--database", `sqlite:${join(server.folder, "tillbox.db")}`], {
      env: { ...process.env, TILLBOX_BOOTSTRAP_KEY: KEY },
      stdio: ["ignore", "pipe", "inherit"],
    });
    server.url = await new Promise((resolve, reject) => {
      let said = "";
      server.process.stdout.on("data", (some) => {
        said += some;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
        if (found) resolve(found[0]);
      });
      server.process.on("exit", () => reject(new Error(`the server ended: ${said}`)));
    });
    return server;
  }

  async stop() {
    if (this.process.exitCode === null) {
      this.process.kill("SIGTERM");
      await once(this.process, "exit");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  async call(method, path, body) {
    this.#next += 1;
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json", "idempotency-key": `pages-${this.#next}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(told)}`);
    return told;
  }

  // A customer with a wallet; with no money in it where none is named, and with a card where a token is.
  async customer({ name = "Ada Lovelace", locale = "en", balance, card, wallet = {} } = {}) {
    const customer = await this.call("POST", "/v1/customers", { name, locale });
    if (card) await this.call("POST", `/v1/customers/${customer.id}/payment-methods`, { token: card });
    const initial = balance ? { initial_credit: { amount: balance, funding_type: "cash" } } : {};
    const opened = await this.call("POST", "/v1/wallets", { customer_id: customer.id, currency: "USD", ...initial, ...wallet });
    return { id: customer.id, wallet: opened.id };
  }

  async link(customer) {
    return (await this.call("POST", "/v1/portal-sessions", { customer_id: customer.id })).url;
  }

  debit(customer, amount, description = "A message") {
    return this.call("POST", `/v1/wallets/${customer.wallet}/debits`, { amount, description });
  }
}
