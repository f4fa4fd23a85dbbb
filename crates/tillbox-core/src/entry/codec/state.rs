//! A whole wallet as bytes: what a store keeps as a snapshot, so that the past need not be replayed from the first row.
//!
//! Format 1: format (1 byte), then the fields of [`WalletState`] that do not follow from others. It names every field,
//! so a new one can't be left out. A snapshot is never the truth: the log is, and whoever reads one holds it against
//! the row that it stands behind.

use super::{CodecError, Reader, Writer, encode_standing};
use crate::amount::Amount;
use crate::currency::Currency;
use crate::debt::Debt;
use crate::entry::decode_standing;
use crate::hold::{Hold, HoldPart, HoldStatus};
use crate::id::{CustomerId, HoldId, InvoiceId, MerchantId, TopUpId, WalletId};
use crate::reason::Language;
use crate::time::Timestamp;
use crate::wallet::{NewWallet, WalletState, WalletStatus};

const FORMAT: u8 = 1;

/// The bytes of a wallet's state.
pub fn encode_state(state: &WalletState) -> Vec<u8> {
    let WalletState {
        id,
        merchant_id,
        customer_id,
        currency,
        language,
        status,
        version,
        seq,
        head,
        last_at,
        last_effective_at,
        balance,
        held: _,
        held_overdraft: _,
        debt,
        overdraft_limit,
        pending_top_ups: _,
        recharge,
        alerts,
        disputed,
        top_ups,
        lots,
        holds,
        due: _,
    } = state;
    let mut bytes = Vec::with_capacity(256);
    let mut writer = Writer(&mut bytes);
    writer.byte(FORMAT);
    for number in [id.number(), merchant_id.number(), customer_id.number()] {
        writer.signed(number);
    }
    writer.text(currency.code());
    writer.byte(match language {
        Language::En => 0,
        Language::Es => 1,
    });
    writer.byte(status.code());
    writer.unsigned(*version);
    writer.unsigned(*seq);
    writer.0.extend_from_slice(head);
    writer.signed(last_at.micros());
    writer.signed(last_effective_at.micros());
    writer.amount(*balance);
    writer.amount(*overdraft_limit);
    writer.amount(debt.paid_to());
    writer.amount(debt.owed_to());
    writer.length(debt.canceled().len());
    for span in debt.canceled() {
        writer.span(*span);
    }
    writer.length(lots.len());
    for lot in lots {
        writer.lot(lot);
    }
    writer.length(holds.len());
    for hold in holds.values() {
        writer.hold(hold);
    }
    writer.length(top_ups.len());
    for (id, top_up) in top_ups {
        writer.signed(id.number());
        writer.top_up(top_up);
    }
    let standing = encode_standing(recharge.as_deref(), alerts, disputed).unwrap_or_default();
    writer.length(standing.len());
    writer.0.extend_from_slice(&standing);
    bytes
}

/// Back from what [`encode_state`] gave.
pub fn decode_state(bytes: &[u8]) -> Result<WalletState, CodecError> {
    let mut reader = Reader(bytes);
    if reader.byte()? != FORMAT {
        return Err(CodecError("its format is of a later version"));
    }
    let id = WalletId::from_number(reader.signed()?);
    let merchant_id = MerchantId::from_number(reader.signed()?);
    let customer_id = CustomerId::from_number(reader.signed()?);
    let currency =
        Currency::parse(&reader.text()?).map_err(|_unknown| CodecError("unknown currency"))?;
    let language = match reader.byte()? {
        0 => Language::En,
        1 => Language::Es,
        _ => return Err(CodecError("unknown language")),
    };
    let status =
        WalletStatus::from_code(reader.byte()?).ok_or(CodecError("unknown wallet status"))?;
    let mut state = WalletState::new(NewWallet {
        id,
        merchant_id,
        customer_id,
        currency,
        language,
        status,
        overdraft_limit: Amount::ZERO,
    });
    state.version = reader.unsigned()?;
    state.seq = reader.unsigned()?;
    state.head = reader.hash()?;
    state.last_at = Timestamp::from_micros(reader.signed()?);
    state.last_effective_at = Timestamp::from_micros(reader.signed()?);
    state.balance = reader.amount()?;
    state.overdraft_limit = reader.amount()?;
    let (paid_to, owed_to) = (reader.amount()?, reader.amount()?);
    let mut canceled = Vec::new();
    for _ in 0..reader.length()? {
        canceled.push(reader.span()?);
    }
    state.debt = Debt::restore(paid_to, owed_to, canceled);
    let mut lots = Vec::new();
    for _ in 0..reader.length()? {
        lots.push(reader.lot()?);
    }
    let mut holds = Vec::new();
    for _ in 0..reader.length()? {
        holds.push(reader.hold()?);
    }
    let mut top_ups = Vec::new();
    for _ in 0..reader.length()? {
        top_ups.push((TopUpId::from_number(reader.signed()?), reader.top_up()?));
    }
    let length = reader.length()?;
    let (standing, rest) = reader
        .0
        .split_at_checked(length)
        .ok_or(CodecError("it ends too early"))?;
    let standing = Some(standing).filter(|bytes| !bytes.is_empty());
    let (recharge, alerts, disputed) = decode_standing(standing)?;
    if rest.is_empty() {
        let state = state.with_open(lots, holds);
        let state = state.with_policy(top_ups, recharge, alerts);
        Ok(state.with_disputed(disputed))
    } else {
        Err(CodecError("bytes are left over"))
    }
}

impl Writer<'_> {
    fn hold(&mut self, hold: &Hold) {
        let Hold {
            id,
            amount,
            captured,
            released,
            expires_at,
            placed_at,
            invoice_id,
            status,
            parts,
            overdraft,
        } = hold;
        self.signed(id.number());
        self.amount(*amount);
        self.amount(*captured);
        self.amount(*released);
        self.signed(expires_at.micros());
        self.signed(placed_at.micros());
        self.signed(invoice_id.map_or(-1, InvoiceId::number));
        self.byte(status.code());
        self.length(parts.len());
        for part in parts {
            self.draw_key(&part.lot);
            self.amount(part.amount);
        }
        self.amount(*overdraft);
    }
}

impl Reader<'_> {
    fn hash(&mut self) -> Result<[u8; 32], CodecError> {
        let (hash, rest) = self
            .0
            .split_first_chunk::<32>()
            .ok_or(CodecError("it ends too early"))?;
        self.0 = rest;
        Ok(*hash)
    }

    fn hold(&mut self) -> Result<Hold, CodecError> {
        let mut hold = Hold {
            id: HoldId::from_number(self.signed()?),
            amount: self.amount()?,
            captured: self.amount()?,
            released: self.amount()?,
            expires_at: Timestamp::from_micros(self.signed()?),
            placed_at: Timestamp::from_micros(self.signed()?),
            invoice_id: Some(self.signed()?)
                .filter(|id| *id >= 0)
                .map(InvoiceId::from_number),
            status: HoldStatus::from_code(self.byte()?).ok_or(CodecError("unknown hold status"))?,
            parts: Vec::new(),
            overdraft: Amount::ZERO,
        };
        for _ in 0..self.length()? {
            hold.parts.push(HoldPart {
                lot: self.draw_key()?,
                amount: self.amount()?,
            });
        }
        hold.overdraft = self.amount()?;
        Ok(hold)
    }
}
