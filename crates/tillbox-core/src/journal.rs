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
    Lot {
        funding: FundingType,
        withdrawable: bool,
    },
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
    let mut postings = Vec::with_capacity(event.parts.len());
    for part in event.parts.iter().filter(|part| !part.amount.is_zero()) {
        let other = match part.pays_debt_from {
            Some(_) => Account::Receivable,
            None => against(Source::of(part)),
        };
        let liability = Account::liability(part.funding);
        postings.push(pair(liability, other, part.amount, Some(part.lot.id)));
    }
    if let Some(made) = event.debt_made {
        let other = against(Source::Debt);
        postings.push(pair(Account::Receivable, other, -made.amount, None));
    }
    for canceled in &event.debt_canceled {
        let other = against(Source::Debt);
        postings.push(pair(Account::Receivable, other, canceled.amount, None));
    }
    postings
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

impl Source {
    fn of(part: &Part) -> Self {
        Self::Lot {
            funding: part.funding,
            withdrawable: part.lot.withdrawable,
        }
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
        Reason::Withdrawal => paid_out(source, Account::Payouts),
        Reason::Expiry | Reason::Forfeiture => lost(source),
        Reason::Chargeback => paid_out(source, Account::PaymentClearing),
    }
}

/// Where the value of a lot came from.
fn origin(source: Source) -> Account {
    match source {
        Source::Lot { funding, .. } => match funding {
            FundingType::Cash => Account::PaymentClearing,
            FundingType::Promotional | FundingType::CodeRedemption => Account::PromotionalExpense,
            FundingType::Refund => Account::RefundExpense,
            FundingType::ManualAdjustment => Account::Adjustments,
        },
        Source::Debt => Account::Adjustments,
    }
}

/// Value that leaves with money. What can't be paid out is a bonus that is clawed back: it was never money.
fn paid_out(source: Source, money: Account) -> Account {
    match source {
        Source::Lot {
            withdrawable: false,
            ..
        } => Account::PromotionalExpense,
        Source::Lot { .. } | Source::Debt => money,
    }
}

/// Value that nobody will spend: income if it was paid for, otherwise its cost comes back (R12).
fn lost(source: Source) -> Account {
    match source {
        Source::Lot { funding, .. } if funding.is_paid_for() => Account::Breakage,
        Source::Lot { .. } => Account::PromotionalExpense,
        Source::Debt => Account::ChargebackLoss,
    }
}
