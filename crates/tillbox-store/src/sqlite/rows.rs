//! Rows and what they mean: the log's entries, lots, holds, and the lists that are packed into one column.

use super::{currency, language};
use crate::error::StoreError;
use rusqlite::Row;
use tillbox_core::amount::Amount;
use tillbox_core::debt::DebtSpan;
use tillbox_core::entry::{Entry, EntryKind, KeyStamp, Note, commit_to, decode_body};
use tillbox_core::hold::{Hold, HoldPart, HoldStatus};
use tillbox_core::id::{CustomerId, EntryId, HoldId, InvoiceId, LotId, MerchantId, WalletId};
use tillbox_core::lot::{DrawKey, FundingType, Lot};
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{NewWallet, WalletStatus};

/// The columns that [`entry_from_row`] reads, in its order.
pub(crate) const ENTRY_COLUMNS: &str = "log.id, log.wallet_id, log.version, log.seq, log.kind, log.reason, log.amount, \
     log.balance_after, log.at, log.key, log.fingerprint, log.body, log.description, log.reference, log.metadata, \
     log.salt, log.hash";

/// The columns that [`lot_from_row`] reads, in its order.
pub(crate) const LOT_COLUMNS: &str = "lots.id, lots.funding, lots.withdrawable, lots.priority, lots.expires_at, \
     lots.created_at, lots.amount, lots.cost_basis, lots.source, lots.succeeds, lots.remaining, lots.held";

/// The columns that [`hold_from_row`] reads, in its order.
pub(crate) const HOLD_COLUMNS: &str = "holds.id, holds.amount, holds.captured, holds.released, holds.overdraft, \
     holds.expires_at, holds.placed_at, holds.invoice_id, holds.status, holds.parts";

/// The columns that [`new_wallet_from_row`] reads, in its order.
pub(crate) const NEW_WALLET_COLUMNS: &str = "wallets.id, wallets.merchant_id, wallets.customer_id, wallets.currency, \
     wallets.language, wallets.initial_status, wallets.initial_overdraft_limit";

/// What is stored can't be right.
pub(crate) fn corrupt(what: impl Into<String>) -> StoreError {
    StoreError::Corrupt { what: what.into() }
}

fn amount(row: &Row<'_>, column: usize) -> rusqlite::Result<Amount> {
    row.get(column).map(Amount::from_micros)
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}

/// A wallet as it was opened: what its log begins from.
pub(crate) fn new_wallet_from_row(row: &Row<'_>) -> Result<NewWallet, StoreError> {
    let id = WalletId::from_number(row.get(0)?);
    Ok(NewWallet {
        id,
        merchant_id: MerchantId::from_number(row.get(1)?),
        customer_id: CustomerId::from_number(row.get(2)?),
        currency: currency(&row.get::<_, String>(3)?)?,
        language: language(&row.get::<_, String>(4)?),
        status: WalletStatus::from_code(row.get(5)?)
            .ok_or_else(|| corrupt(format!("{id} has an unknown status")))?,
        overdraft_limit: amount(row, 6)?,
    })
}

/// An entry of the log. Its text and salt give the commitment; where they were erased, it stands in the row.
pub(crate) fn entry_from_row(row: &Row<'_>) -> Result<Entry, StoreError> {
    let id = EntryId::from_number(row.get(0)?);
    let kind = EntryKind::from_code(row.get(4)?)
        .ok_or_else(|| corrupt(format!("log row {id} is of an unknown kind")))?;
    let reason = match row.get::<_, u8>(5)? {
        0 => None,
        code => Some(
            Reason::from_code(code)
                .ok_or_else(|| corrupt(format!("log row {id} has an unknown reason")))?,
        ),
    };
    let text = |column: usize| {
        row.get::<_, Option<String>>(column)
            .map(|text| text.map(String::into_boxed_str))
    };
    let note = Note {
        description: text(12)?,
        reference: text(13)?,
        metadata: text(14)?,
    };
    let salted: Option<Vec<u8>> = row.get(15)?;
    let salt: Option<[u8; 16]> = salted.as_deref().and_then(|bytes| bytes.try_into().ok());
    let note_commitment = match (salt, &salted) {
        (Some(salt), _) => Some(commit_to(&note, &salt)),
        (None, Some(bytes)) => Some(bytes.as_slice().try_into().map_err(|_wrong_length| {
            corrupt(format!("log row {id} has a salt of a wrong length"))
        })?),
        (None, None) => None,
    };
    let body: &[u8] = row
        .get_ref(11)?
        .as_blob()
        .map_err(|_no_blob| corrupt(format!("log row {id} has no body")))?;
    let (actor, event) = decode_body(body, kind, reason, amount(row, 6)?, note)
        .map_err(|why| corrupt(format!("log row {id}: {why}")))?;
    let key: Option<[u8; 16]> = row.get(9)?;
    let fingerprint: Option<[u8; 16]> = row.get(10)?;
    Ok(Entry {
        id,
        wallet_id: WalletId::from_number(row.get(1)?),
        version: row.get(2)?,
        seq: row.get(3)?,
        at: instant(row, 8)?,
        balance_after: amount(row, 7)?,
        actor,
        key: key
            .zip(fingerprint)
            .map(|(key, fingerprint)| KeyStamp { key, fingerprint }),
        event,
        salt,
        note_commitment,
        hash: row.get(16)?,
    })
}

/// A lot.
pub(crate) fn lot_from_row(row: &Row<'_>) -> Result<Lot, StoreError> {
    let id = LotId::from_number(row.get(0)?);
    Ok(Lot {
        id,
        funding: FundingType::from_code(row.get(1)?)
            .ok_or_else(|| corrupt(format!("{id} is of an unknown funding type")))?,
        withdrawable: row.get(2)?,
        priority: row.get(3)?,
        expires_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_micros),
        created_at: instant(row, 5)?,
        amount: amount(row, 6)?,
        cost_basis: amount(row, 7)?,
        source: EntryId::from_number(row.get(8)?),
        succeeds: row.get::<_, Option<i64>>(9)?.map(LotId::from_number),
        remaining: amount(row, 10)?,
        held: amount(row, 11)?,
    })
}

/// A hold.
pub(crate) fn hold_from_row(row: &Row<'_>) -> Result<Hold, StoreError> {
    let id = HoldId::from_number(row.get(0)?);
    let parts: Option<Vec<u8>> = row.get(9)?;
    Ok(Hold {
        id,
        amount: amount(row, 1)?,
        captured: amount(row, 2)?,
        released: amount(row, 3)?,
        overdraft: amount(row, 4)?,
        expires_at: instant(row, 5)?,
        placed_at: instant(row, 6)?,
        invoice_id: row.get::<_, Option<i64>>(7)?.map(InvoiceId::from_number),
        status: HoldStatus::from_code(row.get(8)?)
            .ok_or_else(|| corrupt(format!("{id} has an unknown status")))?,
        parts: unpack_parts(parts.as_deref().unwrap_or_default())
            .ok_or_else(|| corrupt(format!("{id} has unreadable parts")))?,
    })
}

/// Numbers of eight bytes each, big end first.
pub(crate) fn pack(numbers: impl Iterator<Item = i64>) -> Vec<u8> {
    numbers.flat_map(i64::to_be_bytes).collect()
}

pub(crate) fn unpack(bytes: &[u8]) -> Option<Vec<i64>> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| {
        numbers
            .iter()
            .map(|number| i64::from_be_bytes(*number))
            .collect()
    })
}

/// What a hold reserves on lots: six numbers a lot.
pub(crate) fn pack_parts(parts: &[HoldPart]) -> Option<Vec<u8>> {
    let numbers = parts.iter().flat_map(|part| {
        let key = &part.lot;
        [
            i64::from(key.priority),
            key.expires_at.micros(),
            i64::from(key.withdrawable),
            key.created_at.micros(),
            key.id.number(),
            part.amount.micros(),
        ]
    });
    (!parts.is_empty()).then(|| pack(numbers))
}

fn unpack_parts(bytes: &[u8]) -> Option<Vec<HoldPart>> {
    let numbers = unpack(bytes)?;
    let (parts, rest) = numbers.as_chunks::<6>();
    let part = |[priority, expires_at, withdrawable, created_at, id, amount]: &[i64; 6]| {
        let lot = DrawKey {
            priority: u8::try_from(*priority).ok()?,
            expires_at: Timestamp::from_micros(*expires_at),
            withdrawable: *withdrawable == 1,
            created_at: Timestamp::from_micros(*created_at),
            id: LotId::from_number(*id),
        };
        Some(HoldPart {
            lot,
            amount: Amount::from_micros(*amount),
        })
    };
    if rest.is_empty() {
        parts.iter().map(part).collect()
    } else {
        None
    }
}

/// Canceled stretches of debt: two numbers each.
pub(crate) fn pack_spans(spans: &[DebtSpan]) -> Option<Vec<u8>> {
    (!spans.is_empty()).then(|| {
        pack(
            spans
                .iter()
                .flat_map(|span| [span.from.micros(), span.amount.micros()]),
        )
    })
}

pub(crate) fn unpack_spans(bytes: &[u8]) -> Option<Vec<DebtSpan>> {
    let numbers = unpack(bytes)?;
    let (spans, rest) = numbers.as_chunks::<2>();
    let span = |[from, amount]: &[i64; 2]| DebtSpan {
        from: Amount::from_micros(*from),
        amount: Amount::from_micros(*amount),
    };
    rest.is_empty().then(|| spans.iter().map(span).collect())
}
