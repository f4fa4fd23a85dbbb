//! The types of events.

macro_rules! types {
    ($($(#[$doc:meta])* $variant:ident = $place:literal, $name:literal;)*) => {
        /// What an event tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventType {
            $($(#[$doc])* $variant,)*
        }

        impl EventType {
            /// Every type, in the order of their places.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the HTTP contract.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The place among the events of one row, which has at most one of each type. It is a part of the event's
            /// id: never changed, and never given to another type.
            pub const fn place(self) -> u16 {
                match self { $(Self::$variant => $place),* }
            }
        }
    };
}

types! {
    /// A wallet was opened.
    WalletCreated = 1, "wallet.created";
    /// Money moved.
    TransactionCreated = 10, "transaction.created";
    /// Value was reserved.
    HoldCreated = 20, "hold.created";
    /// Reserved value was spent, all of it or a part.
    HoldCaptured = 21, "hold.captured";
    /// Reserved value was given back.
    HoldReleased = 22, "hold.released";
    /// A hold ended by the clock.
    HoldExpired = 23, "hold.expired";
    /// Value is past its date.
    LotExpired = 30, "lot.expired";
    /// Value expires in 30, 7 or 1 days.
    LotExpiring = 31, "lot.expiring";
    /// A top-up waits for its outcome.
    TopUpPending = 40, "top_up.pending";
    /// A top-up waits for the customer.
    TopUpRequiresAction = 41, "top_up.requires_action";
    /// A top-up was paid and credited.
    TopUpSucceeded = 42, "top_up.succeeded";
    /// A top-up was not paid.
    TopUpFailed = 43, "top_up.failed";
    /// A top-up was given up.
    TopUpCanceled = 44, "top_up.canceled";
    /// A top-up was paid back to its card, wholly or in part.
    TopUpRefunded = 45, "top_up.refunded";
    /// The bank disputes a payment.
    DisputeOpened = 50, "dispute.opened";
    /// The bank has taken a payment back.
    DisputeLost = 51, "dispute.lost";
    /// A disputed payment stays, or has come back.
    DisputeWon = 52, "dispute.won";
    /// Something was paid from the wallet.
    WalletPaymentMade = 60, "wallet.payment_made";
    /// Value came in.
    WalletToppedUp = 61, "wallet.topped_up";
    /// The first payment opened the wallet.
    WalletActivated = 62, "wallet.activated";
    /// Spending was stopped.
    WalletFrozen = 63, "wallet.frozen";
    /// Spending is allowed again.
    WalletUnfrozen = 64, "wallet.unfrozen";
    /// The wallet is over.
    WalletClosed = 65, "wallet.closed";
    /// The wallet has another name, metadata, limit or setting.
    WalletUpdated = 66, "wallet.updated";
    /// The balance fell below a threshold, or to zero.
    WalletBalanceLow = 67, "wallet.balance_low";
    /// The balance is well above a threshold again.
    WalletBalanceRecovered = 68, "wallet.balance_recovered";
    /// An automatic top-up was not paid.
    WalletAutoTopUpFailed = 69, "wallet.auto_top_up_failed";
    /// Auto-recharge began a top-up.
    AutoRechargeTriggered = 80, "auto_recharge.triggered";
    /// Auto-recharge was held back by a limit.
    AutoRechargeSkipped = 81, "auto_recharge.skipped";
    /// Auto-recharge waits for a person.
    AutoRechargePaused = 82, "auto_recharge.paused";
    /// Auto-recharge watches again.
    AutoRechargeResumed = 83, "auto_recharge.resumed";
    /// Auto-recharge has used 80, 90 or 100 % of its month's cap.
    AutoRechargeCapReached = 84, "auto_recharge.cap_reached";
    /// A payment method was saved.
    PaymentMethodAttached = 100, "payment_method.attached";
    /// A payment method was removed.
    PaymentMethodDetached = 101, "payment_method.detached";
}

impl EventType {
    /// Back from the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tillbox_core::id::EventId;
    use tillbox_store::sqlite::outbox;

    #[test]
    fn every_type_is_documented() {
        let page = include_str!("../../../../docs/events.md");
        for event_type in EventType::ALL {
            let name = format!("`{}`", event_type.name());
            assert!(page.contains(&name), "{name}");
        }
    }

    #[test]
    fn names_and_places_are_unique_and_the_store_knows_its_own() {
        for event_type in EventType::ALL {
            assert_eq!(EventType::from_name(event_type.name()), Some(*event_type));
            assert!(event_type.place() < EventId::PLACES);
        }
        let places = EventType::ALL.iter().map(|event_type| event_type.place());
        assert!(places.is_sorted_by(|one, next| one < next));
        assert_eq!(EventType::WalletCreated.name(), outbox::WALLET_CREATED);
        assert_eq!(EventType::WalletUpdated.name(), outbox::WALLET_UPDATED);
    }
}
