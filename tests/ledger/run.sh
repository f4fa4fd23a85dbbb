#!/usr/bin/env bash
# Makes a ledger by real commands, recomputes its chains, and demands that a changed byte is found.
# $1: the binary. $2: a Python with blake3.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
"$1" demo --listen 127.0.0.1:0 --days 20 --keep "$folder/demo" --only-make >/dev/null
database="$folder/demo/demo.db"
here="$(dirname "${BASH_SOURCE[0]}")"
"$2" "$here/recompute.py" "$database"

for change in "description = 'another'" "body = CAST(body || x'00' AS BLOB)" "head = zeroblob(32)" "balance_after = balance_after + 1"; do
    rm -f "$folder/changed.db"
    "$2" - "$database" "$folder/changed.db" "$change" <<'PYTHON'
import sqlite3
import sys

sqlite3.connect(sys.argv[1]).execute("VACUUM INTO ?", [sys.argv[2]])
with sqlite3.connect(sys.argv[2]) as connection:
    row = "SELECT id FROM log WHERE description IS NOT NULL AND head IS NOT NULL ORDER BY id LIMIT 1 OFFSET 20"
    assert connection.execute(f"UPDATE log SET {sys.argv[3]} WHERE id = ({row})").rowcount == 1
PYTHON
    if "$2" "$here/recompute.py" "$folder/changed.db" 2>"$folder/words"; then
        echo "not found: $change" >&2
        exit 1
    fi
    echo "found: $change: $(cat "$folder/words")"
done
