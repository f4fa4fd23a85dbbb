//! Why money moved, and what type of transaction that makes (R3).

/// The type of a transaction: decides its sign, and the column in which a person looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionType {
    /// Value in.
    Credit,
    /// Value out.
    Debit,
    /// Value back in.
    Refund,
    /// A correction, either way.
    Adjustment,
}

impl TransactionType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Credit, Self::Debit, Self::Refund, Self::Adjustment];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::Refund => "refund",
            Self::Adjustment => "adjustment",
        }
    }
}

/// The language in which a description is written when the caller gave none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $type:ident, $en:literal, $es:literal;)*) => {
        /// Why a transaction was made (L2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of their codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the HTTP contract.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The number in the log; never reused for another meaning. Zero is kept for "none".
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code),* }
            }

            /// The type that it makes (R3).
            pub const fn transaction_type(self) -> TransactionType {
                match self { $(Self::$variant => TransactionType::$type),* }
            }

            /// What a transaction is called when the caller did not say (L2).
            pub const fn default_description(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, Language::En) => $en, (Self::$variant, Language::Es) => $es,)*
                }
            }
        }
    };
}

reasons! {
    /// Paid in by the customer.
    TopUp = 1, "top_up", Credit, "Wallet refill", "Recarga";
    /// Paid in by the system, on the customer's standing order.
    AutoRecharge = 2, "auto_recharge", Credit, "Automatic refill", "Recarga automática";
    /// The first payment, which opens the wallet.
    Activation = 3, "activation", Credit, "Wallet activation", "Activación del monedero";
    /// Given by the merchant.
    Promotional = 4, "promotional", Credit, "Promotional credit", "Crédito promocional";
    /// Given with a top-up.
    Bonus = 5, "bonus", Credit, "Top-up bonus", "Bonificación por recarga";
    /// Redeemed from a code.
    CodeRedemption = 6, "code_redemption", Credit, "Code redeemed", "Código canjeado";
    /// Metered use.
    Usage = 7, "usage", Debit, "Usage", "Consumo";
    /// Use beyond what a plan includes.
    Overage = 8, "overage", Debit, "Usage beyond the plan", "Consumo fuera del plan";
    /// Something bought once.
    Purchase = 9, "purchase", Debit, "Purchase", "Compra";
    /// The fee of a plan.
    Subscription = 10, "subscription", Debit, "Subscription", "Suscripción";
    /// Something paid each month.
    RecurringCharge = 11, "recurring_charge", Debit, "Recurring charge", "Cargo recurrente";
    /// An invoice, paid from the wallet.
    InvoicePayment = 12, "invoice_payment", Debit, "Invoice payment", "Pago de factura";
    /// A debit given back, or credit instead of a refund to a card.
    Refund = 13, "refund", Refund, "Refund", "Reembolso";
    /// Corrected by an operator.
    ManualAdjustment = 14, "manual_adjustment", Adjustment, "Adjustment", "Ajuste";
    /// Paid out.
    Withdrawal = 15, "withdrawal", Debit, "Withdrawal", "Retirada";
    /// Past its date.
    Expiry = 16, "expiry", Debit, "Credit expired", "Crédito caducado";
    /// Given up when the wallet was closed.
    Forfeiture = 17, "forfeiture", Debit, "Balance forfeited", "Saldo perdido";
    /// Taken back by the bank.
    Chargeback = 18, "chargeback", Debit, "Chargeback", "Contracargo";
    /// Opposite entries of an earlier transaction.
    Reversal = 19, "reversal", Adjustment, "Reversal", "Reversión";
}

impl Reason {
    /// Back from the number in the log.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.code() == code)
    }

    /// Back from the name in the HTTP contract.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.name() == name)
    }

    /// Whether value of this reason was used up by the customer, rather than moved, corrected or lost.
    pub const fn is_spending(self) -> bool {
        matches!(
            self,
            Self::Usage
                | Self::Overage
                | Self::Purchase
                | Self::Subscription
                | Self::RecurringCharge
                | Self::InvoicePayment
        )
    }

    /// Whether value of this reason was lost to the customer unused (R12).
    pub const fn is_lapse(self) -> bool {
        matches!(self, Self::Expiry | Self::Forfeiture)
    }

    /// Whether a transaction of this reason may be refunded to its wallet (R29).
    pub const fn is_refundable(self) -> bool {
        matches!(
            self,
            Self::Usage
                | Self::Overage
                | Self::Purchase
                | Self::Subscription
                | Self::RecurringCharge
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
            assert_eq!(Reason::from_name(reason.name()), Some(*reason));
        }
    }
}
