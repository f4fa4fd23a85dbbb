//! Double entry, as a projection of the log: each allocation of a row is one pair of accounts, a debit and a credit of
//! the same amount, so that no row can be out of balance. Nothing of it is stored for its own sake.
//!
//! | what the allocation is | pair |
//! |---|---|
//! | value comes to a lot | the counterpart of the reason to the liability of the lot's funding type |
//! | value leaves a lot | that liability to the counterpart of the reason |
//! | a debit that no lot covers | the receivable to the counterpart of the reason |
//! | debt that is canceled | the counterpart of the reason to the receivable |
//! | debt that a lot pays, also late | the liability of the lot's funding type to the receivable |
//!
//! A row that takes of a payment, or gives back, may be of two things: of what was charged, which is money, and of what was
//! given with it, which never was. It says how much of it is the latter ([`given_moved`](crate::payback::Payback::given_moved)), wherever that lay: so
//! a bonus that was spent and is made good from cash counts as the bonus. That part is split off the allocations, from
//! lots that may not be paid out first, and its counterpart is promotional expense.
//!
//! So the liability of a funding type is always Σ remaining of its lots, and the receivable Σ debt. The counterpart
//! is chosen by [`counterpart`], without a default: a new reason must say where it goes.

#[cfg(test)]
mod tests;

use crate::amount::Amount;
use crate::entry::{EntryKind, Event, Part};
use crate::id::LotId;
use crate::lot::FundingType;
use crate::reason::Reason;

/// Where an account stands in a balance sheet or an income statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// Owned, or owed to the merchant.
    Asset,
    /// Owed by the merchant.
    Liability,
    /// Earned.
    Income,
    /// Spent.
    Expense,
}

impl AccountKind {
    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }
}

macro_rules! accounts {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $kind:ident;)*) => {
        /// The chart of accounts, fixed (L11).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Account {
            $($(#[$doc])* $variant,)*
        }

        impl Account {
            /// Every account, in the order in which a trial balance lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the HTTP contract.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The number in stored sums; never reused for another meaning.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code),* }
            }

            /// What it is.
            pub const fn kind(self) -> AccountKind {
                match self { $(Self::$variant => AccountKind::$kind),* }
            }
        }
    };
}

accounts! {
    /// What was paid in, at the payment provider or the bank.
    PaymentClearing = 1, "payment_clearing", Asset;
    /// What customers owe: Σ debt.
    Receivable = 2, "receivable", Asset;
    /// Σ remaining of cash lots.
    LiabilityCash = 3, "liability_cash", Liability;
    /// Σ remaining of promotional lots.
    LiabilityPromotional = 4, "liability_promotional", Liability;
    /// Σ remaining of lots of codes.
    LiabilityCodeRedemption = 5, "liability_code_redemption", Liability;
    /// Σ remaining of lots that were given instead of a refund to a card.
    LiabilityRefund = 6, "liability_refund", Liability;
    /// Σ remaining of lots that an operator made.
    LiabilityManualAdjustment = 7, "liability_manual_adjustment", Liability;
    /// What left wallets to be paid out: settled by the refund to the card, or by hand.
    Payouts = 8, "payouts", Liability;
    /// Earned by what was spent.
    Revenue = 9, "revenue", Income;
    /// Earned by paid value that expired or was forfeited.
    Breakage = 10, "breakage", Income;
    /// Value given as credit instead of a refund of money.
    RefundExpense = 11, "refund_expense", Expense;
    /// Value given away.
    PromotionalExpense = 12, "promotional_expense", Expense;
    /// Operators' corrections, either way.
    Adjustments = 13, "adjustments", Expense;
    /// What chargebacks cost for good. What one takes comes from lots and is then owed as debt (R28), so nothing is
    /// booked here by itself: it is for debt that is given up in the merchant's own books.
    ChargebackLoss = 14, "chargeback_loss", Expense;
    /// What payment providers charge. It is never taken from a wallet, so nothing is booked here by itself.
    ProviderFees = 15, "provider_fees", Expense;
}

impl Account {
    /// Back from the number in stored sums.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|account| account.code() == code)
    }

    /// What is owed of lots of that type.
    pub const fn liability(funding: FundingType) -> Self {
        match funding {
            FundingType::Cash => Self::LiabilityCash,
            FundingType::Promotional => Self::LiabilityPromotional,
            FundingType::CodeRedemption => Self::LiabilityCodeRedemption,
            FundingType::Refund => Self::LiabilityRefund,
            FundingType::ManualAdjustment => Self::LiabilityManualAdjustment,
        }
    }
}

/// A pair of accounts with what moved between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Posting {
    /// Debited.
    pub debit: Account,
    /// Credited.
    pub credit: Account,
    /// How much, above zero.
    pub amount: Amount,
    /// The lot that it is about; none where debt is made or canceled.
    pub lot: Option<LotId>,
}

/// What an allocation is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Lot(FundingType),
    Debt,
}

/// The postings of a row, in the order of its allocations. `reverses` is the reason of the transaction that a
/// [`Reason::Reversal`] undoes; none where it undoes the credit that made the lot. No other row needs it.
pub fn postings(event: &Event, reverses: Option<Reason>) -> Vec<Posting> {
    let gives_back = event.kind == EntryKind::Refund;
    let reason = match event.reason {
        Some(Reason::Reversal) => reverses.unwrap_or(Reason::Reversal),
        // A row without a reason moves no money: of its lots it only pays debt.
        reason => reason.unwrap_or(Reason::ManualAdjustment),
    };
    // A lot that is taken back goes where it came from.
    let is_void = event.kind == EntryKind::LotVoided;
    let against = |source| {
        if is_void {
            origin(source)
        } else {
            counterpart(reason, source, gives_back)
        }
    };
    let mut given = Given::of(event);
    let mut postings = Vec::with_capacity(event.parts.len());
    for part in event.parts.iter().filter(|part| !part.amount.is_zero()) {
        let liability = Account::liability(part.funding);
        let mut post = |other, amount: Amount| {
            if !amount.is_zero() {
                postings.push(pair(liability, other, amount, Some(part.lot.id)));
            }
        };
        if part.pays_debt_from.is_some() {
            post(Account::Receivable, part.amount);
            continue;
        }
        let share = given.share_of(part);
        post(against(Source::Lot(part.funding)), part.amount - share);
        post(Account::PromotionalExpense, share);
    }
    let made = event.debt_made.map(|made| -made.amount);
    let canceled = event.debt_canceled.iter().map(|canceled| canceled.amount);
    for amount in made.into_iter().chain(canceled) {
        let share = given.share_of_debt(amount);
        for (other, amount) in [
            (against(Source::Debt), amount - share),
            (Account::PromotionalExpense, share),
        ] {
            if !amount.is_zero() {
                postings.push(pair(Account::Receivable, other, amount, None));
            }
        }
    }
    postings
}

/// What is still to be split off a row's allocations, as it is of what was given with a payment. Of lots that may not be
/// paid out it takes first, then of others, then of debt.
struct Given {
    /// Of lots that may not be paid out.
    bonus: Amount,
    /// Of all else.
    rest: Amount,
}

impl Given {
    fn of(event: &Event) -> Self {
        let given = event.payback.as_deref();
        let given = given.map_or(Amount::ZERO, |payback| payback.given_moved);
        let parts = event.own_parts().filter(|part| !part.lot.withdrawable);
        let in_bonus: Amount = parts.map(|part| part.amount.abs()).sum();
        let bonus = given.min(in_bonus);
        Self {
            bonus,
            rest: given - bonus,
        }
    }

    /// The share of a part, with its sign.
    fn share_of(&mut self, part: &Part) -> Amount {
        let left = if part.lot.withdrawable {
            &mut self.rest
        } else {
            &mut self.bonus
        };
        split_off(left, part.amount)
    }

    fn share_of_debt(&mut self, amount: Amount) -> Amount {
        split_off(&mut self.rest, amount)
    }
}

/// As much of `amount` as is left, with its sign.
fn split_off(left: &mut Amount, amount: Amount) -> Amount {
    let share = amount.abs().min(*left);
    *left -= share;
    if amount.is_negative() { -share } else { share }
}

/// Credits `account` with a positive amount and debits it with a negative one; the other side goes to `other`.
fn pair(account: Account, other: Account, amount: Amount, lot: Option<LotId>) -> Posting {
    let (debit, credit) = if amount.is_negative() {
        (account, other)
    } else {
        (other, account)
    };
    Posting {
        debit,
        credit,
        amount: amount.abs(),
        lot,
    }
}

/// The account on the other side of a lot's liability, or of the receivable.
fn counterpart(reason: Reason, source: Source, gives_back: bool) -> Account {
    match reason {
        // A debit given back takes its income back; a credit of that name, in place of a refund of money, is a cost.
        Reason::Refund if gives_back => Account::Revenue,
        Reason::TopUp
        | Reason::AutoRecharge
        | Reason::Activation
        | Reason::Promotional
        | Reason::Bonus
        | Reason::CodeRedemption
        | Reason::Refund
        // A lot that is taken back for itself: the opposite of the credit that made it.
        | Reason::Reversal => origin(source),
        // Spending gives income, whatever it is paid with: given value was spent on when it was granted.
        Reason::Usage
        | Reason::Overage
        | Reason::Purchase
        | Reason::Subscription
        | Reason::RecurringCharge
        | Reason::InvoicePayment => Account::Revenue,
        Reason::ManualAdjustment => Account::Adjustments,
        Reason::Withdrawal => Account::Payouts,
        Reason::Expiry | Reason::Forfeiture => lost(source),
        Reason::Chargeback => Account::PaymentClearing,
    }
}

/// Where the value of a lot came from.
fn origin(source: Source) -> Account {
    match source {
        Source::Lot(funding) => match funding {
            FundingType::Cash => Account::PaymentClearing,
            FundingType::Promotional | FundingType::CodeRedemption => Account::PromotionalExpense,
            FundingType::Refund => Account::RefundExpense,
            FundingType::ManualAdjustment => Account::Adjustments,
        },
        Source::Debt => Account::Adjustments,
    }
}

/// Value that nobody will spend: income if it was paid for, otherwise its cost comes back (R12).
fn lost(source: Source) -> Account {
    match source {
        Source::Lot(funding) if funding.is_paid_for() => Account::Breakage,
        Source::Lot(_) => Account::PromotionalExpense,
        Source::Debt => Account::ChargebackLoss,
    }
}
