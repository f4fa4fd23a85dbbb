//! The body of a row as bytes: what the chain hashes and what the store keeps in one column.
//!
//! In this order: the shape of its answer (1 byte, [`SHAPE`]), flags (2 bytes, which optional fields follow; the
//! highest says that 2 more bytes of flags come), then the fields
//! of [`Event`] that have no column of their own. Numbers are LEB128, signed ones zigzag; lists start with
//! their length. A lot that the row brings in is written whole; other lots are named with their draw key, so
//! that a row can be replayed from the log alone. Test vectors stand in `decide/tests/log.rs`: they never change.

mod money_in;
mod payback;
mod state;

pub use money_in::{decode_standing, encode_standing};
pub use payback::{decode_payback, encode_payback};
pub use state::{decode_state, encode_state};

use super::{Actor, Entry, EntryKind, Event, HoldChange, LotChange, Note, Part, SHAPE, UsageFacts};
use crate::amount::Amount;
use crate::debt::DebtSpan;
use crate::hold::HoldStatus;
use crate::id::{ApiKeyId, CustomerId, EntryId, HoldId, InvoiceId, LotId, TopUpId};
use crate::lot::{DrawKey, FundingType, Lot};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::wallet::WalletStatus;

const DEBT_MADE: u16 = 1;
const HOLD: u16 = 2;
const USAGE: u16 = 4;
const REFUND_OF: u16 = 8;
const TOP_UP: u16 = 16;
const STATUS: u16 = 32;
const OVERDRAFT: u16 = 64;
const EFFECTIVE: u16 = 128;
const ACTOR_KEY: u16 = 256;
const DEBT_CANCELED: u16 = 512;
const TOP_UP_CHANGE: u16 = 1024;
const RECHARGE: u16 = 2048;
const ALERTS: u16 = 4096;
const ACTOR_CUSTOMER: u16 = 8192;
const MORE: u16 = 32768;
const ALL_FLAGS: u16 = 16383 | MORE;
// Of the further flags.
const LOT_CHANGE: u16 = 1;
const DESTINATION: u16 = 2;
const PAYBACK: u16 = 4;
const ALL_MORE: u16 = 7;

/// The bytes are no body of a format that this version reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row of the log is not readable: {0}")]
pub struct CodecError(&'static str);

/// Appends the body of `entry`.
pub fn encode_body(entry: &Entry, out: &mut Vec<u8>) {
    let event = &entry.event;
    let mut flags = 0_u16;
    let mut flag = |bit: u16, present: bool| {
        if present {
            flags |= bit;
        }
    };
    flag(DEBT_MADE, event.debt_made.is_some());
    flag(HOLD, event.hold.is_some());
    flag(USAGE, event.usage.is_some());
    flag(REFUND_OF, event.refund_of.is_some());
    flag(TOP_UP, event.top_up_id.is_some());
    flag(STATUS, event.status.is_some());
    flag(OVERDRAFT, event.overdraft_limit.is_some());
    flag(EFFECTIVE, event.effective_at.is_some());
    flag(ACTOR_KEY, matches!(entry.actor, Actor::ApiKey(_)));
    flag(DEBT_CANCELED, !event.debt_canceled.is_empty());
    flag(TOP_UP_CHANGE, event.top_up.is_some());
    flag(RECHARGE, event.recharge.is_some());
    flag(ALERTS, event.alerts.is_some());
    flag(ACTOR_CUSTOMER, matches!(entry.actor, Actor::Customer(_)));

    let mut more = 0_u16;
    more |= if event.lot_change.is_some() {
        LOT_CHANGE
    } else {
        0
    };
    more |= if event.destination.is_some() {
        DESTINATION
    } else {
        0
    };
    more |= if event.payback.is_some() { PAYBACK } else { 0 };

    let mut writer = Writer(out);
    writer.byte(event.shape);
    if more == 0 {
        writer.0.extend_from_slice(&flags.to_be_bytes());
    } else {
        writer.0.extend_from_slice(&(flags | MORE).to_be_bytes());
        writer.0.extend_from_slice(&more.to_be_bytes());
    }
    match entry.actor {
        Actor::System => {}
        Actor::ApiKey(id) => writer.signed(id.number()),
        Actor::Customer(id) => writer.signed(id.number()),
    }
    writer.length(event.parts.len());
    for part in &event.parts {
        writer.draw_key(&part.lot);
        writer.byte(part.funding.code());
        writer.amount(part.amount);
        writer.amount(part.held);
        match part.pays_debt_from {
            Some(from) => {
                writer.byte(1);
                writer.amount(from);
            }
            None => writer.byte(0),
        }
    }
    writer.length(event.lots.len());
    for lot in &event.lots {
        writer.lot(lot);
    }
    if let Some(span) = event.debt_made {
        writer.span(span);
    }
    if !event.debt_canceled.is_empty() {
        writer.length(event.debt_canceled.len());
        for span in &event.debt_canceled {
            writer.span(*span);
        }
    }
    if let Some(hold) = &event.hold {
        writer.signed(hold.id.number());
        writer.amount(hold.amount);
        writer.amount(hold.captured);
        writer.amount(hold.released);
        writer.amount(hold.overdraft);
        writer.signed(hold.expires_at.micros());
        writer.signed(hold.placed_at.micros());
        writer.signed(hold.invoice_id.map_or(-1, InvoiceId::number));
        writer.byte(hold.status.code());
    }
    if let Some(usage) = &event.usage {
        writer.text(&usage.price_key);
        writer.signed(usage.quantity);
        writer.signed(usage.billed_quantity);
    }
    if let Some(id) = event.refund_of {
        writer.signed(id.number());
    }
    if let Some(id) = event.top_up_id {
        writer.signed(id.number());
    }
    if let Some(status) = event.status {
        writer.byte(status.code());
    }
    if let Some(limit) = event.overdraft_limit {
        writer.amount(limit);
    }
    if let Some(at) = event.effective_at {
        writer.signed(at.micros());
    }
    if let Some(top_up) = &event.top_up {
        writer.top_up(top_up);
    }
    if let Some(recharge) = &event.recharge {
        writer.recharge(recharge);
    }
    if let Some(change) = &event.alerts {
        writer.alerts_change(change);
    }
    if let Some(change) = &event.lot_change {
        writer.draw_key(&change.lot);
        writer.instant_or_never(change.expires_at);
    }
    if let Some(destination) = &event.destination {
        writer.destination(destination);
    }
    if let Some(payback) = &event.payback {
        writer.payback(payback);
    }
}

/// Reads a body back: who caused the row, and its event without the fields that have columns
/// (`amount` and `note`), which the caller fills in.
pub fn decode_body(
    bytes: &[u8],
    kind: EntryKind,
    reason: Option<Reason>,
    amount: Amount,
    note: Note,
) -> Result<(Actor, Event), CodecError> {
    let mut reader = Reader(bytes);
    let shape = reader.byte()?;
    if !(1..=SHAPE).contains(&shape) {
        return Err(CodecError("its format is of a later version"));
    }
    let flags = u16::from_be_bytes([reader.byte()?, reader.byte()?]);
    if flags & !ALL_FLAGS != 0 {
        return Err(CodecError("it has fields of a later version"));
    }
    let more = if flags & MORE == 0 {
        0
    } else {
        u16::from_be_bytes([reader.byte()?, reader.byte()?])
    };
    if more & !ALL_MORE != 0 || (more == 0) != (flags & MORE == 0) {
        return Err(CodecError("it has fields of a later version"));
    }
    let has = |bit: u16| flags & bit != 0;
    let actor = match (has(ACTOR_KEY), has(ACTOR_CUSTOMER)) {
        (false, false) => Actor::System,
        (true, false) => Actor::ApiKey(ApiKeyId::from_number(reader.signed()?)),
        (false, true) => Actor::Customer(CustomerId::from_number(reader.signed()?)),
        (true, true) => return Err(CodecError("two have caused it")),
    };
    let mut event = Event::new(kind, note);
    event.shape = shape;
    event.reason = reason;
    event.amount = amount;
    for _ in 0..reader.length()? {
        event.parts.push(Part {
            lot: reader.draw_key()?,
            funding: reader.funding()?,
            amount: reader.amount()?,
            held: reader.amount()?,
            pays_debt_from: if reader.byte()? == 1 {
                Some(reader.amount()?)
            } else {
                None
            },
        });
    }
    for _ in 0..reader.length()? {
        event.lots.push(reader.lot()?);
    }
    if has(DEBT_MADE) {
        event.debt_made = Some(reader.span()?);
    }
    if has(DEBT_CANCELED) {
        for _ in 0..reader.length()? {
            event.debt_canceled.push(reader.span()?);
        }
    }
    if has(HOLD) {
        event.hold = Some(HoldChange {
            id: HoldId::from_number(reader.signed()?),
            amount: reader.amount()?,
            captured: reader.amount()?,
            released: reader.amount()?,
            overdraft: reader.amount()?,
            expires_at: Timestamp::from_micros(reader.signed()?),
            placed_at: Timestamp::from_micros(reader.signed()?),
            invoice_id: Some(reader.signed()?)
                .filter(|id| *id >= 0)
                .map(InvoiceId::from_number),
            status: HoldStatus::from_code(reader.byte()?)
                .ok_or(CodecError("unknown hold status"))?,
        });
    }
    if has(USAGE) {
        event.usage = Some(UsageFacts {
            price_key: reader.text()?,
            quantity: reader.signed()?,
            billed_quantity: reader.signed()?,
        });
    }
    if has(REFUND_OF) {
        event.refund_of = Some(EntryId::from_number(reader.signed()?));
    }
    if has(TOP_UP) {
        event.top_up_id = Some(TopUpId::from_number(reader.signed()?));
    }
    if has(STATUS) {
        let status = WalletStatus::from_code(reader.byte()?);
        event.status = Some(status.ok_or(CodecError("unknown wallet status"))?);
    }
    if has(OVERDRAFT) {
        event.overdraft_limit = Some(reader.amount()?);
    }
    if has(EFFECTIVE) {
        event.effective_at = Some(Timestamp::from_micros(reader.signed()?));
    }
    if has(TOP_UP_CHANGE) {
        event.top_up = Some(Box::new(reader.top_up()?));
    }
    if has(RECHARGE) {
        event.recharge = Some(Box::new(reader.recharge()?));
    }
    if has(ALERTS) {
        event.alerts = Some(reader.alerts_change()?);
    }
    if more & LOT_CHANGE != 0 {
        event.lot_change = Some(LotChange {
            lot: reader.draw_key()?,
            expires_at: reader.instant_or_never()?,
        });
    }
    if more & DESTINATION != 0 {
        event.destination = Some(reader.destination()?);
    }
    if more & PAYBACK != 0 {
        event.payback = Some(Box::new(reader.payback()?));
    }
    if reader.0.is_empty() {
        Ok((actor, event))
    } else {
        Err(CodecError("bytes are left over"))
    }
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn unsigned(&mut self, mut number: u64) {
        loop {
            let low = u8::try_from(number & 0x7f).unwrap_or(0);
            number = number.checked_shr(7).unwrap_or(0);
            if number == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }

    fn signed(&mut self, number: i64) {
        let zigzag = number.wrapping_shl(1) ^ number.wrapping_shr(63);
        self.unsigned(u64::from_ne_bytes(zigzag.to_ne_bytes()));
    }

    fn amount(&mut self, amount: Amount) {
        self.signed(amount.micros());
    }

    fn length(&mut self, length: usize) {
        self.unsigned(u64::try_from(length).unwrap_or(u64::MAX));
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn span(&mut self, span: DebtSpan) {
        self.amount(span.from);
        self.amount(span.amount);
    }

    fn instant_or_never(&mut self, at: Option<Timestamp>) {
        self.signed(
            at.filter(|at| *at != Timestamp::NEVER)
                .map_or(-1, Timestamp::micros),
        );
    }

    fn draw_key(&mut self, key: &DrawKey) {
        self.byte(key.priority);
        self.instant_or_never(Some(key.expires_at));
        self.byte(u8::from(key.withdrawable));
        self.signed(key.created_at.micros());
        self.signed(key.id.number());
    }

    fn lot(&mut self, lot: &Lot) {
        self.signed(lot.id.number());
        self.byte(lot.funding.code());
        self.byte(u8::from(lot.withdrawable));
        self.byte(lot.priority);
        self.instant_or_never(lot.expires_at);
        self.signed(lot.created_at.micros());
        self.amount(lot.amount);
        self.amount(lot.cost_basis);
        self.signed(lot.source.number());
        self.signed(lot.succeeds.map_or(-1, LotId::number));
        self.amount(lot.remaining);
        self.amount(lot.held);
    }
}

struct Reader<'a>(&'a [u8]);

const SHORT: CodecError = CodecError("it ends too early");

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.0.split_first().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*first)
    }

    fn unsigned(&mut self) -> Result<u64, CodecError> {
        let mut number = 0_u64;
        for place in 0..10_u32 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits.checked_shl(place.saturating_mul(7)).unwrap_or(0);
            if place == 9 && bits > 1 {
                return Err(CodecError("a number is too large"));
            }
            number |= shifted;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(CodecError("a number is too long"))
    }

    fn signed(&mut self) -> Result<i64, CodecError> {
        let zigzag = self.unsigned()?;
        let half = i64::from_ne_bytes(zigzag.checked_shr(1).unwrap_or(0).to_ne_bytes());
        Ok(if zigzag & 1 == 1 { !half } else { half })
    }

    fn amount(&mut self) -> Result<Amount, CodecError> {
        self.signed().map(Amount::from_micros)
    }

    /// A length that the bytes left can hold, so that no input makes us allocate more than it is.
    fn length(&mut self) -> Result<usize, CodecError> {
        let length = usize::try_from(self.unsigned()?).map_err(|_too_large| SHORT)?;
        if length > self.0.len() {
            Err(SHORT)
        } else {
            Ok(length)
        }
    }

    fn text(&mut self) -> Result<Box<str>, CodecError> {
        let length = self.length()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        std::str::from_utf8(bytes)
            .map(Box::from)
            .map_err(|_not_utf8| CodecError("a text is not UTF-8"))
    }

    fn span(&mut self) -> Result<DebtSpan, CodecError> {
        Ok(DebtSpan {
            from: self.amount()?,
            amount: self.amount()?,
        })
    }

    fn instant_or_never(&mut self) -> Result<Option<Timestamp>, CodecError> {
        Ok(Some(self.signed()?)
            .filter(|micros| *micros >= 0)
            .map(Timestamp::from_micros))
    }

    fn funding(&mut self) -> Result<FundingType, CodecError> {
        FundingType::from_code(self.byte()?).ok_or(CodecError("unknown funding type"))
    }

    fn draw_key(&mut self) -> Result<DrawKey, CodecError> {
        Ok(DrawKey {
            priority: self.byte()?,
            expires_at: self.instant_or_never()?.unwrap_or(Timestamp::NEVER),
            withdrawable: self.byte()? == 1,
            created_at: Timestamp::from_micros(self.signed()?),
            id: LotId::from_number(self.signed()?),
        })
    }

    fn lot(&mut self) -> Result<Lot, CodecError> {
        Ok(Lot {
            id: LotId::from_number(self.signed()?),
            funding: self.funding()?,
            withdrawable: self.byte()? == 1,
            priority: self.byte()?,
            expires_at: self.instant_or_never()?,
            created_at: Timestamp::from_micros(self.signed()?),
            amount: self.amount()?,
            cost_basis: self.amount()?,
            source: EntryId::from_number(self.signed()?),
            succeeds: Some(self.signed()?)
                .filter(|id| *id >= 0)
                .map(LotId::from_number),
            remaining: self.amount()?,
            held: self.amount()?,
        })
    }
}
