//! Debt: a queue in which the oldest debit is paid first, kept as offsets.
//!
//! Each unit of debt ever made has an offset: the first debit that made debt 5 holds the offsets 0 to 5,
//! the next that made 3 holds 5 to 8. Payments go through the offsets from below. So a payment is told to
//! its debits by its span alone (R6), and the state stays small however many debits made the debt. A refund
//! that cancels unpaid debt leaves a gap, which payments skip.

use crate::amount::Amount;

/// A stretch of debt by offset: `from` up to `from + amount`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebtSpan {
    /// The first offset, in micro-units of debt ever made.
    pub from: Amount,
    /// How much, above zero.
    pub amount: Amount,
}

impl DebtSpan {
    /// The offset behind the last.
    pub fn end(&self) -> Amount {
        self.from + self.amount
    }

    /// What two spans share.
    pub fn overlap(&self, other: &Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let end = self.end().min(other.end());
        (end > from).then(|| Self {
            from,
            amount: end - from,
        })
    }
}

/// What a wallet owes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Debt {
    paid_to: Amount,
    owed_to: Amount,
    canceled: Vec<DebtSpan>,
}

impl Debt {
    /// From stored offsets; gaps lie between the two and rise.
    pub fn restore(paid_to: Amount, owed_to: Amount, canceled: Vec<DebtSpan>) -> Self {
        Self {
            paid_to,
            owed_to,
            canceled,
        }
    }

    /// The offset below which all is paid or canceled.
    pub fn paid_to(&self) -> Amount {
        self.paid_to
    }

    /// The offset at which the next debt begins.
    pub fn owed_to(&self) -> Amount {
        self.owed_to
    }

    /// The gaps above `paid_to`, rising.
    pub fn canceled(&self) -> &[DebtSpan] {
        &self.canceled
    }

    /// What is owed.
    pub fn total(&self) -> Amount {
        self.owed_to - self.paid_to - self.canceled.iter().map(|gap| gap.amount).sum()
    }

    /// The span of debt that a debit makes now.
    pub fn next_span(&self, amount: Amount) -> Option<DebtSpan> {
        amount.is_positive().then_some(DebtSpan {
            from: self.owed_to,
            amount,
        })
    }

    /// The oldest unpaid debt up to `amount`, in order, around the gaps.
    pub fn oldest(&self, amount: Amount) -> Vec<DebtSpan> {
        let whole = DebtSpan {
            from: self.paid_to,
            amount: self.owed_to - self.paid_to,
        };
        let mut left = amount;
        let mut spans = self.unpaid_within(whole);
        spans.retain_mut(|span| {
            span.amount = span.amount.min(left);
            left -= span.amount;
            span.amount.is_positive()
        });
        spans
    }

    /// What of `span` is neither paid nor canceled.
    pub fn unpaid_within(&self, span: DebtSpan) -> Vec<DebtSpan> {
        let mut from = span.from.max(self.paid_to);
        let mut spans = Vec::new();
        for gap in &self.canceled {
            let end = gap.from.min(span.end());
            if end > from {
                spans.push(DebtSpan {
                    from,
                    amount: end - from,
                });
            }
            from = from.max(gap.end());
        }
        if span.end() > from {
            spans.push(DebtSpan {
                from,
                amount: span.end() - from,
            });
        }
        spans
    }

    pub(crate) fn incur(&mut self, span: DebtSpan) {
        assert_eq!(
            span.from, self.owed_to,
            "debt begins where the last debt ended"
        );
        self.owed_to = span.end();
        self.skip_gaps();
    }

    pub(crate) fn pay(&mut self, span: DebtSpan) {
        assert_eq!(span.from, self.paid_to, "the oldest debt is paid first");
        self.paid_to = span.end();
        assert!(self.paid_to <= self.owed_to, "no more is paid than owed");
        self.skip_gaps();
    }

    pub(crate) fn cancel(&mut self, span: DebtSpan) {
        let place = self.canceled.partition_point(|gap| gap.from < span.from);
        self.canceled.insert(place, span);
        self.skip_gaps();
    }

    fn skip_gaps(&mut self) {
        while let Some(gap) = self.canceled.first().copied() {
            if gap.from != self.paid_to {
                break;
            }
            self.paid_to = gap.end();
            self.canceled.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, amount: i64) -> DebtSpan {
        DebtSpan {
            from: Amount::from_micros(from),
            amount: Amount::from_micros(amount),
        }
    }

    #[test]
    fn payments_go_around_what_a_refund_canceled() {
        let mut debt = Debt::default();
        debt.incur(span(0, 5));
        debt.incur(span(5, 3));
        debt.incur(span(8, 4));
        debt.cancel(span(5, 3));
        assert_eq!(debt.total(), Amount::from_micros(9));
        assert_eq!(
            debt.oldest(Amount::from_micros(7)),
            vec![span(0, 5), span(8, 2)]
        );
        debt.pay(span(0, 5));
        assert_eq!(debt.paid_to(), Amount::from_micros(8));
        debt.pay(span(8, 2));
        assert_eq!(debt.total(), Amount::from_micros(2));
        assert_eq!(debt.unpaid_within(span(8, 4)), vec![span(10, 2)]);
    }
}
