//! Following rows with checked steps: lots, holds and debt as they must be behind each row.

use crate::amount::Amount;
use crate::debt::{Debt, DebtSpan};
use crate::entry::{Entry, EntryKind, Event, HoldChange, LotChange, Part};
use crate::hold::{Hold, HoldPart, HoldStatus};
use crate::id::{HoldId, LotId};
use crate::lot::Lot;
use crate::reason::Reason;
use std::collections::BTreeMap;

pub(super) const RANGE: &str = "amounts stay in range";
pub(super) const LOTS: &str = "0 ≤ held ≤ remaining ≤ amount of each lot";
pub(super) const NAMED: &str = "parts name lots that the log opened";
pub(super) const OPENED: &str = "a lot is opened once, empty";
pub(super) const COST: &str =
    "the cost basis of a lot is its amount if its type is paid for, otherwise zero";
pub(super) const EXPIRED: &str = "no value of an expired lot, unless a hold reserved it before";
pub(super) const EXPIRY: &str = "expiry takes the unheld remainder of its lot";
pub(super) const CHANGED: &str = "a lot that is open and not past its date gets another";
pub(super) const WAY_OUT: &str =
    "value is withdrawn from withdrawable lots, and a void takes all that is unheld of one";
pub(super) const HOLDS: &str = "captured + released ≤ hold, and the rest is reserved";
pub(super) const ENDED: &str = "a hold ends once";
pub(super) const DEBT: &str = "debt is made, paid and canceled in order";

/// A row that can't be followed.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) invariant: &'static str,
    pub(super) detail: String,
}

fn broken<T>(invariant: &'static str, detail: impl Into<String>) -> Result<T, Broken> {
    Err(Broken {
        invariant,
        detail: detail.into(),
    })
}

fn add(left: Amount, right: Amount) -> Result<Amount, Broken> {
    left.checked_add(right)
        .map_or_else(|| broken(RANGE, "a sum is too large"), Ok)
}

fn subtract(left: Amount, right: Amount) -> Result<Amount, Broken> {
    left.checked_sub(right)
        .map_or_else(|| broken(RANGE, "a difference is too large"), Ok)
}

fn wide(amount: Amount) -> i128 {
    i128::from(amount.micros())
}

fn total(amounts: impl Iterator<Item = Amount>) -> i128 {
    amounts.map(wide).fold(0, i128::saturating_add)
}

/// What parts and debt add up to, whatever they are.
pub(super) fn sum_of_parts(event: &Event) -> i128 {
    let own = event
        .parts
        .iter()
        .filter(|part| part.pays_debt_from.is_none());
    let canceled = event.debt_canceled.iter().map(|span| span.amount);
    let made = event.debt_made.map_or(0, |span| wide(span.amount));
    total(own.map(|part| part.amount))
        .saturating_add(total(canceled))
        .saturating_sub(made)
}

/// All lots and holds that there ever were, and what is owed.
#[derive(Clone, Debug, Default)]
pub(super) struct Replay {
    pub(super) lots: BTreeMap<LotId, Lot>,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    paid_to: Amount,
    owed_to: Amount,
    canceled: Vec<DebtSpan>,
}

impl Replay {
    /// Takes a row, in the order in which the product applies it.
    pub(super) fn follow(&mut self, entry: &Entry) -> Result<(), Broken> {
        let event = &entry.event;
        for lot in &event.lots {
            self.open_lot(entry, lot)?;
        }
        if let Some(span) = event.debt_made {
            if span.from != self.owed_to || !span.amount.is_positive() {
                return broken(DEBT, "new debt does not begin where the last ended");
            }
            self.owed_to = add(span.from, span.amount)?;
            self.skip_gaps()?;
        }
        for span in &event.debt_canceled {
            self.cancel(*span)?;
        }
        for part in &event.parts {
            self.take_part(entry, part)?;
        }
        if let Some(change) = &event.hold {
            self.change_hold(entry, change)?;
        }
        if let Some(change) = &event.lot_change {
            self.change_lot(entry, change)?;
        }
        self.check_way_out(event)
    }

    /// Whether any value is left on lots.
    pub(super) fn is_empty(&self) -> bool {
        self.lots.values().all(|lot| lot.remaining.is_zero())
    }

    fn change_lot(&mut self, entry: &Entry, change: &LotChange) -> Result<(), Broken> {
        let lot = self.lots.get_mut(&change.lot.id);
        let Some(lot) = lot.filter(|lot| lot.draw_key() == change.lot) else {
            return broken(NAMED, format!("{} is another", change.lot.id));
        };
        let is_ahead = change.expires_at.is_none_or(|end| end > entry.at);
        if lot.is_expired(entry.at) || !is_ahead || !lot.remaining.is_positive() {
            return broken(CHANGED, format!("{}", lot.id));
        }
        lot.expires_at = change.expires_at;
        let open = self.holds.values_mut();
        for hold in open.filter(|hold| hold.status == HoldStatus::Open) {
            hold.rename_lot(change.key());
        }
        Ok(())
    }

    /// Value leaves from the lots that it may leave from.
    fn check_way_out(&self, event: &Event) -> Result<(), Broken> {
        let lots = || {
            event
                .parts
                .iter()
                .filter_map(|part| self.lots.get(&part.lot.id))
        };
        let is_plain = event.parts.iter().all(|part| {
            part.amount.is_negative() && part.held.is_zero() && part.pays_debt_from.is_none()
        });
        let is_right = match (event.kind, event.reason) {
            (EntryKind::Withdrawn, Some(Reason::Withdrawal)) => {
                is_plain && lots().all(|lot| lot.withdrawable)
            }
            (EntryKind::LotVoided, Some(Reason::Reversal)) => {
                is_plain && lots().count() == 1 && lots().all(|lot| lot.unheld().is_zero())
            }
            // A refund takes what was given for the payment too, which can't be withdrawn.
            (EntryKind::TopUpRefunded, Some(Reason::Withdrawal))
            | (EntryKind::Forfeited, Some(Reason::Forfeiture)) => is_plain,
            (EntryKind::Withdrawn | EntryKind::LotVoided | EntryKind::Forfeited, _)
            | (_, Some(Reason::Withdrawal | Reason::Forfeiture)) => false,
            _ => true,
        };
        if is_right {
            Ok(())
        } else {
            broken(WAY_OUT, format!("{:?}", event.kind))
        }
    }

    pub(super) fn debt(&self) -> Debt {
        Debt::restore(self.paid_to, self.owed_to, self.canceled.clone())
    }

    /// Whether the sums of a state can be made without leaving their range.
    pub(super) fn sums_in_range(&self) -> Result<(), Broken> {
        let lots = total(self.lots.values().map(|lot| lot.remaining));
        let open = self.holds.values();
        let open = open.filter(|hold| hold.status == HoldStatus::Open);
        let holds = total(open.map(|hold| hold.amount));
        let most = wide(Amount::MAX_BALANCE);
        if lots > most || holds > most || wide(self.owed_to) > most {
            return broken(RANGE, "what is open sums up to more than a balance may be");
        }
        Ok(())
    }

    fn open_lot(&mut self, entry: &Entry, lot: &Lot) -> Result<(), Broken> {
        let empty = lot.remaining.is_zero() && lot.held.is_zero();
        let as_known = match self.lots.get(&lot.id) {
            // A refund opens a spent lot again.
            Some(known) => known == lot,
            None => lot.source == entry.id,
        };
        if !empty || !as_known || lot.amount.is_negative() {
            return broken(OPENED, format!("{}", lot.id));
        }
        let paid = if lot.funding.is_paid_for() {
            lot.amount
        } else {
            Amount::ZERO
        };
        if lot.cost_basis != paid {
            return broken(COST, format!("{}", lot.id));
        }
        self.lots.insert(lot.id, lot.clone());
        Ok(())
    }

    fn take_part(&mut self, entry: &Entry, part: &Part) -> Result<(), Broken> {
        let hold = entry.event.hold.as_ref();
        if let Some(from) = part.pays_debt_from {
            let amount = subtract(Amount::ZERO, part.amount)?;
            self.pay(DebtSpan { from, amount })?;
        }
        let Some(lot) = self.lots.get_mut(&part.lot.id) else {
            return broken(NAMED, format!("{} is not there", part.lot.id));
        };
        if lot.draw_key() != part.lot || lot.funding != part.funding {
            return broken(NAMED, format!("{} is another", lot.id));
        }
        check_expiry(entry, part, lot)?;
        lot.remaining = add(lot.remaining, part.amount)?;
        lot.held = add(lot.held, part.held)?;
        let held_is_right = !lot.held.is_negative() && lot.held <= lot.remaining;
        if !held_is_right || lot.remaining > lot.amount {
            return broken(LOTS, format!("{}", lot.id));
        }
        match hold {
            _ if part.held.is_zero() => Ok(()),
            Some(change) if part.held.is_positive() => self.reserve(entry, change, part),
            Some(change) => self.unreserve(change, part),
            None => broken(HOLDS, "held value moves without a hold"),
        }
    }

    fn reserve(&mut self, entry: &Entry, change: &HoldChange, part: &Part) -> Result<(), Broken> {
        let hold = self.hold(entry, change)?;
        let is_more = hold.is_of_dispute().then_some(part.lot.id);
        let mut known = hold.parts.iter_mut();
        match known.find(|known| Some(known.lot.id) == is_more) {
            Some(known) => known.amount = add(known.amount, part.held)?,
            None => hold.parts.push(HoldPart {
                lot: part.lot,
                amount: part.held,
            }),
        }
        Ok(())
    }

    fn unreserve(&mut self, change: &HoldChange, part: &Part) -> Result<(), Broken> {
        let hold = self.holds.get_mut(&change.id);
        let parts = hold.map(|hold| &mut hold.parts);
        let Some(parts) = parts else {
            return broken(HOLDS, format!("{} was never placed", change.id));
        };
        let reserved = parts.iter_mut().find(|known| known.lot.id == part.lot.id);
        let Some(reserved) = reserved else {
            return broken(HOLDS, format!("{} reserves nothing there", change.id));
        };
        reserved.amount = add(reserved.amount, part.held)?;
        if reserved.amount.is_negative() {
            return broken(HOLDS, format!("{} gives up more than it has", change.id));
        }
        parts.retain(|known| known.amount.is_positive());
        Ok(())
    }

    /// The open hold that a row is about; the row that places it carries its number.
    fn hold(&mut self, entry: &Entry, change: &HoldChange) -> Result<&mut Hold, Broken> {
        let is_placing = matches!(
            entry.event.kind,
            EntryKind::HoldPlaced | EntryKind::DisputeChanged
        );
        let places = is_placing && change.id.number() == entry.id.number();
        if places {
            self.holds
                .entry(change.id)
                .or_insert_with(|| change.placed());
        }
        match self.holds.get_mut(&change.id) {
            Some(hold) if hold.status == HoldStatus::Open => Ok(hold),
            Some(_) => broken(ENDED, format!("{}", change.id)),
            None => broken(HOLDS, format!("{} was never placed", change.id)),
        }
    }

    fn change_hold(&mut self, entry: &Entry, change: &HoldChange) -> Result<(), Broken> {
        let more = entry.event.parts.iter().map(|part| part.held);
        let more = total(more.filter(|held| held.is_positive()));
        let hold = self.hold(entry, change)?;
        // What a dispute reserves grows by what its row reserves; whatever else was placed stays as it was.
        let grows = hold.is_of_dispute()
            && entry.event.kind == EntryKind::DisputeChanged
            && change.id.number() != entry.id.number();
        let placed = wide(hold.amount).saturating_add(if grows { more } else { 0 });
        let as_placed = placed == wide(change.amount)
            && hold.placed_at == change.placed_at
            && hold.invoice_id == change.invoice_id;
        let rising = hold.captured <= change.captured && hold.released <= change.released;
        hold.amount = change.amount;
        hold.captured = change.captured;
        hold.released = change.released;
        hold.overdraft = add(hold.overdraft, change.overdraft)?;
        hold.expires_at = change.expires_at;
        hold.status = change.status;
        let used = wide(hold.captured).saturating_add(wide(hold.released));
        let remaining = wide(hold.amount).saturating_sub(used);
        let parts = total(hold.parts.iter().map(|part| part.amount));
        let reserved = parts.saturating_add(wide(hold.overdraft));
        let ended_empty = hold.status == HoldStatus::Open || remaining == 0;
        let covered = remaining >= 0 && reserved == remaining && !hold.overdraft.is_negative();
        if as_placed && rising && covered && ended_empty {
            Ok(())
        } else {
            broken(HOLDS, format!("{}", change.id))
        }
    }

    fn pay(&mut self, span: DebtSpan) -> Result<(), Broken> {
        let end = add(span.from, span.amount)?;
        let gap = self.canceled.first().map(|gap| gap.from);
        let limit = gap.unwrap_or(self.owed_to);
        if span.from != self.paid_to || !span.amount.is_positive() || end > limit {
            return broken(DEBT, "a payment is not of the oldest debt");
        }
        self.paid_to = end;
        self.skip_gaps()
    }

    fn cancel(&mut self, span: DebtSpan) -> Result<(), Broken> {
        let end = add(span.from, span.amount)?;
        let place = self.canceled.partition_point(|gap| gap.from < span.from);
        let (before, behind) = self.canceled.split_at_checked(place).unwrap_or_default();
        let start = match before.last() {
            Some(gap) => add(gap.from, gap.amount)?,
            None => self.paid_to,
        };
        let limit = behind.first().map_or(self.owed_to, |gap| gap.from);
        if span.from < start || end > limit || !span.amount.is_positive() {
            return broken(DEBT, "what is canceled is not owed");
        }
        self.canceled.insert(place, span);
        self.skip_gaps()
    }

    fn skip_gaps(&mut self) -> Result<(), Broken> {
        while let Some(gap) = self.canceled.first().copied() {
            if gap.from != self.paid_to {
                break;
            }
            self.paid_to = add(gap.from, gap.amount)?;
            self.canceled.remove(0);
        }
        Ok(())
    }
}

/// Value past its date goes back or expires; it is spent or reserved only by a hold that was placed before.
fn check_expiry(entry: &Entry, part: &Part, lot: &Lot) -> Result<(), Broken> {
    let event = &entry.event;
    let expired = lot.is_expired(event.effective_at.unwrap_or(entry.at));
    if event.kind == EntryKind::LotExpired {
        let unheld = subtract(lot.remaining, lot.held)?;
        if !lot.is_expired(entry.at) || add(unheld, part.amount)? != Amount::ZERO {
            return broken(EXPIRY, format!("{}", lot.id));
        }
        return Ok(());
    }
    let spends = part.amount.is_negative() || part.held.is_positive();
    if !expired || !spends {
        return Ok(());
    }
    let reserved_before = part.held == part.amount
        && event
            .hold
            .as_ref()
            .is_some_and(|hold| lot.expires_at.is_some_and(|at| hold.placed_at < at));
    if reserved_before {
        Ok(())
    } else {
        broken(EXPIRED, format!("{}", lot.id))
    }
}
