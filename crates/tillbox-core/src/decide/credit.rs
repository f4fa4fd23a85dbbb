//! Credit: value in, as one lot, which pays debt at once (R6).

use super::{Context, MAX_OPEN, require_in_range, require_status};
use crate::amount::Amount;
use crate::command::Credit;
use crate::draw::{Freed, pay_debt};
use crate::entry::{EntryKind, Event, Note, Part};
use crate::id::LotId;
use crate::lot::{DEFAULT_PRIORITY, FundingType, Lot};
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::wallet::{WalletState, WalletStatus};

pub(super) fn decide(
    state: &WalletState,
    credit: &Credit,
    context: &Context<'_>,
) -> Result<Event, Rejection> {
    require_status(
        state,
        &[
            WalletStatus::PendingActivation,
            WalletStatus::Active,
            WalletStatus::Frozen,
        ],
    )?;
    let expires_at = credit
        .expiry
        .map(|expiry| in_the_future(expiry.at(context.now), context.now))
        .transpose()?;
    require_in_range(credit.amount)?;
    let below_maximum = credit.maximum_balance.map(|maximum| {
        maximum
            .checked_sub(state.balance)
            .map_or(Amount::MAX_BALANCE, Amount::or_zero)
    });
    require_room(credit.amount, below_maximum.unwrap_or(Amount::MAX_BALANCE))?;
    require_room(credit.amount, state.room_above())?;
    if state.lots().len() >= MAX_OPEN {
        return Err(Rejection::TooMany("lots"));
    }
    let standard = new_lot(state, credit.amount, credit.funding, context);
    let lot = NewLot {
        priority: credit.priority,
        expires_at: expires_at.or(standard.expires_at),
        ..standard
    };
    let event = Event {
        reason: Some(credit.reason),
        ..Event::new(EntryKind::Credit, credit.note.clone())
    };
    Ok(value_in(state, event, lot, context))
}

/// Keeps what comes in within `room` (R4).
pub(super) fn require_room(amount: Amount, room: Amount) -> Result<(), Rejection> {
    if amount > room {
        return Err(Rejection::AmountOutOfRange {
            minimum: None,
            maximum: Some(room),
        });
    }
    Ok(())
}

/// Keeps the end of a lot behind `now`.
pub(super) fn in_the_future(end: Timestamp, now: Timestamp) -> Result<Timestamp, Rejection> {
    if end > now && end < Timestamp::NEVER {
        Ok(end)
    } else {
        Err(Rejection::ExpiryOutOfRange {
            earliest: now,
            latest: Timestamp::NEVER,
        })
    }
}

/// A lot of that origin with what the merchant's settings say.
pub(super) fn new_lot(
    state: &WalletState,
    amount: Amount,
    funding: FundingType,
    context: &Context<'_>,
) -> NewLot {
    let policy = context.policies.of(state.currency);
    NewLot {
        amount,
        funding,
        priority: DEFAULT_PRIORITY,
        expires_at: policy.expires_at(funding, context.now),
    }
}

#[derive(Clone, Copy)]
pub(super) struct NewLot {
    pub(super) amount: Amount,
    pub(super) funding: FundingType,
    pub(super) priority: u8,
    pub(super) expires_at: Option<Timestamp>,
}

/// Completes `event` with a lot of its own, and with what that lot pays of the debt. There is room for it.
pub(super) fn value_in(
    state: &WalletState,
    event: Event,
    new: NewLot,
    context: &Context<'_>,
) -> Event {
    let lot = Lot {
        id: LotId::from_number(context.entry_id.number()),
        funding: new.funding,
        withdrawable: new.funding.withdrawable(),
        priority: new.priority,
        expires_at: new.expires_at,
        created_at: context.now,
        amount: new.amount,
        cost_basis: if new.funding.is_paid_for() {
            new.amount
        } else {
            Amount::ZERO
        },
        source: context.entry_id,
        succeeds: None,
        remaining: Amount::ZERO,
        held: Amount::ZERO,
    };
    let made = Part {
        lot: lot.draw_key(),
        funding: lot.funding,
        amount: new.amount,
        held: Amount::ZERO,
        pays_debt_from: None,
    };
    let freed = Freed {
        lot: lot.clone(),
        amount: new.amount,
    };
    let mut parts = vec![made];
    parts.extend(pay_debt(&state.debt, vec![freed], context.now));
    Event {
        amount: new.amount,
        parts,
        lots: vec![lot],
        ..event
    }
}

impl Credit {
    /// A credit with the defaults of its funding type.
    pub fn new(amount: Amount, funding: FundingType) -> Self {
        let reason = match funding {
            FundingType::Cash => Reason::TopUp,
            FundingType::Promotional => Reason::Promotional,
            FundingType::CodeRedemption => Reason::CodeRedemption,
            FundingType::Refund => Reason::Refund,
            FundingType::ManualAdjustment => Reason::ManualAdjustment,
        };
        let priority = DEFAULT_PRIORITY;
        Self {
            amount,
            funding,
            reason,
            priority,
            expiry: None,
            maximum_balance: None,
            note: Note::default(),
        }
    }
}
