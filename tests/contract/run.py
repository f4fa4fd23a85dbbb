"""Generated calls against a real server: every answer is one that the OpenAPI document allows, and none is a fault.

TILLBOX_BINARY names the server. --examples makes it longer, --seed other.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
KEY = "tb_test_contract_of_a_merchant_made_for_tests"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# An answer that never ends is nothing to generate calls for: crates/tillbox-web/tests/api/events/stream.rs.
WITHOUT = "/v1/events/stream"


class Server:
    """A server with a database of its own, on a free port."""

    def __init__(self, folder: str) -> None:
        environment = os.environ | {"TILLBOX_BOOTSTRAP_KEY": KEY}
        self.process = subprocess.Popen(
            [os.environ["TILLBOX_BINARY"], "serve", "--listen", "127.0.0.1:0", "--database", f"sqlite:{folder}/tillbox.db"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )
        self.calls = 0
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.url = found[0]
                # Nobody reads on, so that the server never waits for a reader.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return
        sys.exit("the server did not start")

    def post(self, path: str, body: dict) -> dict:
        self.calls += 1
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Idempotency-Key": f"made-{self.calls}"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers, method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


def known(server: Server) -> dict[str, str]:
    """One of each thing that an address may name, so that calls get further than "not found"."""
    customer = server.post("/v1/customers", {"name": "Ada"})["id"]
    card = server.post(f"/v1/customers/{customer}/payment-methods", {"token": "pm_card_visa"})["id"]
    price = server.post("/v1/prices", {"key": "sms.us", "unit": "message", "unit_amount": "0.0079", "currency": "USD"})["id"]
    opened = {"customer_id": customer, "currency": "USD", "initial_credit": {"amount": "500.00", "funding_type": "cash"}}
    wallet = server.post("/v1/wallets", opened)["id"]
    top_up = server.post(f"/v1/wallets/{wallet}/top-ups", {"amount": "25.00"})["id"]
    debit = server.post(f"/v1/wallets/{wallet}/debits", {"amount": "1.00"})["id"]
    hold = server.post(f"/v1/wallets/{wallet}/holds", {"amount": "5.00", "expires_in": 3600})["id"]
    return {
        "customer_id": customer, "payment_method_id": card, "price_id": price, "wallet_id": wallet,
        "top_up_id": top_up, "transaction_id": debit, "hold_id": hold, "provider": "sandbox",
    }


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--examples", type=int, default=12, help="generated calls for each operation and phase")
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="tillbox-contract-") as folder:
        server = Server(folder)
        try:
            environment = os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "TILLBOX_KNOWN": json.dumps(known(server))}
            done = subprocess.run(
                [Path(sys.executable).parent / "schemathesis", "run", f"{server.url}/openapi.json",
                 "--header", f"Authorization: Bearer {KEY}", "--checks", CHECKS, "--exclude-path", WITHOUT,
                 "--phases", "examples,coverage,fuzzing", "--max-examples", str(chosen.examples), "--seed", str(chosen.seed),
                 "--generation-database", "none", "--request-timeout", "20", "--continue-on-failure", "--no-color"],
                env=environment, cwd=folder, check=False,
            )
        finally:
            code = server.stop()
        verified = subprocess.run([os.environ["TILLBOX_BINARY"], "verify", "--database", f"sqlite:{folder}/tillbox.db"], check=False)
    print(f"The server ended with {code}; the ledger behind all that was {'whole' if verified.returncode == 0 else 'NOT WHOLE'}.")
    return done.returncode or code or verified.returncode


if __name__ == "__main__":
    sys.exit(main())
