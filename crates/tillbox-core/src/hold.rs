//! Holds: value reserved for a while, on lots in draw order and then on the overdraft (R13).

use crate::amount::Amount;
use crate::id::{HoldId, InvoiceId, LotId};
use crate::lot::DrawKey;
use crate::time::Timestamp;

/// How a hold stands; all but `Open` say how it ended (R14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldStatus {
    /// It reserves value.
    Open,
    /// Captured, wholly or with the rest returned.
    Captured,
    /// Given back by a person.
    Released,
    /// Given back by the clock.
    Expired,
}

impl HoldStatus {
    /// Every status, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Open, Self::Captured, Self::Released, Self::Expired];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    /// The number in the log.
    pub const fn code(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Captured => 1,
            Self::Released => 2,
            Self::Expired => 3,
        }
    }

    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// What a hold still reserves on one lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldPart {
    /// The lot.
    pub lot: DrawKey,
    /// How much of it, above zero.
    pub amount: Amount,
}

/// A hold with what it still reserves. `amount = captured + released + remaining` at all times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The number of the log row that placed it.
    pub id: HoldId,
    /// What it was placed with; what a dispute reserves may grow.
    pub amount: Amount,
    /// What was spent of it.
    pub captured: Amount,
    /// What was given back of it.
    pub released: Amount,
    /// From this instant on it is over, booked or not (R15).
    pub expires_at: Timestamp,
    /// When it was placed; an extension counts its 30 days from here.
    pub placed_at: Timestamp,
    /// The invoice that it waits for (R17).
    pub invoice_id: Option<InvoiceId>,
    /// How it stands.
    pub status: HoldStatus,
    /// What it reserves on lots, in the order in which it was reserved.
    pub parts: Vec<HoldPart>,
    /// What it reserves on the overdraft.
    pub overdraft: Amount,
}

impl Hold {
    /// Whether a dispute reserves value by it: the clock does not end it, and no caller does (R28).
    pub fn is_of_dispute(&self) -> bool {
        self.expires_at == Timestamp::NEVER
    }

    /// What it still reserves.
    pub fn remaining(&self) -> Amount {
        self.amount - self.captured - self.released
    }

    /// Whether it reserves value of that lot.
    pub fn is_on(&self, lot: LotId) -> bool {
        self.parts.iter().any(|part| part.lot.id == lot)
    }

    /// Names the lot of that id by its new place.
    pub(crate) fn rename_lot(&mut self, lot: DrawKey) {
        let mut parts = self.parts.iter_mut();
        if let Some(part) = parts.find(|part| part.lot.id == lot.id) {
            part.lot = lot;
        }
    }

    /// Reserves more: one part for each lot. Only what a dispute reserves of a lot may grow.
    pub(crate) fn reserve(&mut self, more: HoldPart) {
        let is_more = self.is_of_dispute().then_some(more.lot.id);
        let mut parts = self.parts.iter_mut();
        match parts.find(|part| Some(part.lot.id) == is_more) {
            Some(part) => part.amount += more.amount,
            None => self.parts.push(more),
        }
    }

    /// What it reserves on that lot.
    pub fn reserved_on(&self, lot: LotId) -> Amount {
        let parts = self.parts.iter().filter(|part| part.lot.id == lot);
        parts.map(|part| part.amount).sum()
    }

    /// Takes `amount` off what it reserves on a lot. The caller has decided that so much is there.
    pub(crate) fn unreserve(&mut self, lot: LotId, amount: Amount) {
        let part = self.parts.iter_mut().find(|part| part.lot.id == lot);
        let part = part.expect("a hold gave up value of a lot that it does not reserve");
        part.amount -= amount;
        assert!(
            !part.amount.is_negative(),
            "a hold gave up more than it reserves"
        );
        self.parts.retain(|part| part.amount.is_positive());
    }
}
