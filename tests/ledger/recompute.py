"""Recomputes the chains of a ledger from its SQLite file, by docs/ledger-format.md alone.

    recompute.py tillbox.db

Prints what was read, and exits with 1 at the first row that is not what the chains say.
"""

import json
import sqlite3
import sys
from collections import Counter
from pathlib import Path

from blake3 import blake3

NOTHING = bytes(32)


class Body:
    """Reads the body of a row."""

    def __init__(self, body: bytes) -> None:
        self.body, self.at = body, 0

    def byte(self) -> int:
        self.at += 1
        return self.body[self.at - 1]

    def unsigned(self) -> int:
        number, place = 0, 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << place
            place += 7
            if byte < 0x80:
                return number

    def signed(self) -> int:
        number = self.unsigned()
        return (number >> 1) ^ -(number & 1)

    def part(self) -> int:
        """What it adds to the amount of the row: nothing where it pays debt."""
        self.byte(), self.signed(), self.byte(), self.signed(), self.signed(), self.byte()
        amount, _held = self.signed(), self.signed()
        if self.byte():
            self.signed()
            return 0
        return amount

    def lot(self) -> None:
        self.signed(), self.byte(), self.byte(), self.byte()
        for _ in range(8):
            self.signed()

    def amount(self) -> int:
        """What parts and debt come to."""
        assert self.byte() >= 1, "shapes count from 1"
        flags = self.byte() << 8 | self.byte()
        if flags & 32768:
            self.byte(), self.byte()
        for caused_by in (256, 8192):
            if flags & caused_by:
                self.signed()
        amount = sum(self.part() for _ in range(self.unsigned()))
        for _ in range(self.unsigned()):
            self.lot()
        if flags & 1:
            self.signed()
            amount -= self.signed()
        if flags & 512:
            for _ in range(self.unsigned()):
                self.signed()
                amount += self.signed()
        return amount


def number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def commitment(row: sqlite3.Row) -> bytes:
    salt = row["salt"]
    if salt is None:
        return NOTHING
    texts = [row["description"], row["reference"], row["metadata"]]
    if len(salt) == 32:
        assert texts == [None] * 3, "erased text is null"
        return salt
    whole = salt
    for text in texts:
        encoded = b"" if text is None else text.encode()
        whole += number(0 if text is None else len(encoded) + 1) + encoded
    return blake3(whole).digest()


def row_hash(before: bytes, row: sqlite3.Row) -> bytes:
    names = ("id", "wallet_id", "at", "balance_after", "amount", "version")
    columns = b"".join(number(row[name]) for name in names)
    columns += number(row["seq"] or 0) + bytes([row["kind"], row["reason"]])
    columns += (row["key"] or bytes(16)) + (row["fingerprint"] or bytes(16))
    return blake3(before + columns + commitment(row) + row["body"]).digest()


def recompute(path: Path) -> str:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    wallets: dict[int, tuple[bytes, int, int, int]] = {}
    kinds: Counter[int] = Counter()
    heads = {0: NOTHING}
    head, height, pending = NOTHING, 0, b""
    for row in connection.execute("SELECT * FROM log ORDER BY id"):
        wallet, where = row["wallet_id"], f"row {row['id']}"
        before, version, seq, balance = wallets.get(wallet, (NOTHING, 0, 0, 0))
        assert row["version"] == version + 1, f"{where}: a gap of versions"
        if row["seq"] is not None:
            seq += 1
            assert row["seq"] == seq, f"{where}: a gap of numbers"
        assert row["hash"] == row_hash(before, row), f"{where}: the wallet's chain breaks"
        assert row["balance_after"] == balance + row["amount"], f"{where}: the balance is another"
        assert row["amount"] == Body(row["body"]).amount(), f"{where}: its parts come to another amount"
        wallets[wallet] = (row["hash"], version + 1, seq, row["balance_after"])
        kinds[row["kind"]] += 1
        height += 1
        pending += row["hash"]
        if row["head"] is not None:
            head = blake3(head + pending + number(height)).digest()
            assert (row["height"], row["head"]) == (height, head), f"{where}: the log's chain breaks"
            heads[height], pending = head, b""
    assert not pending, "rows behind the last commit"

    anchor, told = path.with_name(path.name + ".anchor"), "not anchored"
    if anchor.exists():
        line, check = anchor.read_text().splitlines()
        assert blake3(line.encode()).hexdigest() == check, "the anchor is torn"
        anchored = json.loads(line)
        assert heads.get(anchored["height"], b"").hex() == anchored["hash"], "the log does not reach its anchor"
        told = f"anchored at {anchored['height']}"
    return f"{height} rows of {len(wallets)} wallets, of {len(kinds)} kinds: hash {head.hex()}, {told}"


if __name__ == "__main__":
    try:
        print(recompute(Path(sys.argv[1])))
    except AssertionError as broken:
        sys.exit(f"broken: {broken}")
