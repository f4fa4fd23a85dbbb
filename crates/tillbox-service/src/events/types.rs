//! The types of events.

macro_rules! types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What an event tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventType {
            $($(#[$doc])* $variant,)*
        }

        impl EventType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the HTTP contract.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

types! {
    /// A wallet was opened.
    WalletCreated = "wallet.created";
    /// A wallet has another name, other metadata or another overdraft limit.
    WalletUpdated = "wallet.updated";
    /// A payment method was saved.
    PaymentMethodAttached = "payment_method.attached";
    /// A payment method was removed.
    PaymentMethodDetached = "payment_method.detached";
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

    #[test]
    fn names_are_unique_and_the_store_knows_its_own() {
        for event_type in EventType::ALL {
            assert_eq!(EventType::from_name(event_type.name()), Some(*event_type));
        }
        assert_eq!(
            EventType::WalletCreated.name(),
            tillbox_store::sqlite::outbox::WALLET_CREATED
        );
    }
}
