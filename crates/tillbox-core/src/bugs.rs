//! Bugs that comparable systems have shipped, planted so that the tests can be tested.
//!
//! They exist only in a build with `RUSTFLAGS="--cfg tillbox_bugs"`, which is never the product; there the variable
//! `TILLBOX_BUG` names the one that is on. `tests/bugs/run` builds the tests so, switches each bug on, and demands that
//! at least two layers of tests find it.

/// Plants a bug: `seeded_bug!(Name: wrong; else right)` is a value, `seeded_bug!(Name: return wrong)` does more than
/// it should. In the product the first is `right`, and the second is nothing.
#[macro_export]
macro_rules! seeded_bug {
    ($bug:ident: $wrong:expr; else $right:expr) => {{
        #[cfg(tillbox_bugs)]
        let value = if $crate::bugs::is_on($crate::bugs::Bug::$bug) {
            $wrong
        } else {
            $right
        };
        #[cfg(not(tillbox_bugs))]
        let value = $right;
        value
    }};
    ($bug:ident: $wrong:expr) => {
        #[cfg(tillbox_bugs)]
        if $crate::bugs::is_on($crate::bugs::Bug::$bug) {
            $wrong;
        }
    };
}

#[cfg(all(tillbox_bugs, not(debug_assertions)))]
compile_error!("a build with planted bugs is for tests only");

#[cfg(tillbox_bugs)]
macro_rules! bugs {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        /// A bug that can be switched on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            $($(#[$doc])* $name,)*
        }

        impl Bug {
            fn named(name: &str) -> Option<Self> {
                match name {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

#[cfg(tillbox_bugs)]
bugs! {
    /// Holds are not subtracted when the balance is checked.
    HoldsNotSubtracted = "b01";
    /// What is credited beside another command is lost for the next.
    CreditLost = "b02";
    /// The balance is read outside of the transaction.
    BalanceReadBefore = "b03";
    /// A hold that has ended is captured all the same.
    EndedHoldIsOpen = "b04";
    /// Each of several captures sees the whole hold.
    CaptureSeesWholeHold = "b05";
    /// The same request twice has two effects.
    KeyIsForgotten = "b06";
    /// A payment is settled twice.
    SettledTwice = "b07";
    /// A charge under way does not keep the next one from being made.
    ChargeInFlightIgnored = "b08";
    /// A shortfall is charged in several small charges.
    OneStepPerCharge = "b09";
    /// A payment that was credited fails later, and keeps its credit.
    FailedAfterSettled = "b10";
    /// An alert is told again and again.
    AlertStaysArmed = "b11";
    /// Expiry takes an amount that was read before a hold took its share.
    ExpiryOfStaleAmount = "b12";
    /// A refund and a lost dispute of one payment both take back all of it.
    ClawedBackTwice = "b13";
    /// What has expired can be spent until a sweep comes by.
    ExpiredIsSpendable = "b14";
    /// A capture of less than nothing makes money.
    NegativeCapture = "b15";
    /// What the reply of a charge says is dropped: the credit waits for a notice.
    CreditWaitsForNotice = "b16";
    /// A notice is noted as taken before it is: its repetition is passed over.
    NoticeMarkedFirst = "b17";
    /// Two things get the same id.
    IdGivenTwice = "b19";
    /// A caller that hangs up takes its command with it.
    CanceledWithCaller = "b20";
    /// A write that failed is told as a want of funds.
    FailedWriteIsRefusal = "b21";
    /// Another merchant's wallet is found.
    OtherMerchantsWallet = "b22";
    /// A debit is given back again and again.
    RefundedTwice = "b25";
}

/// Whether that bug is on in this process.
#[cfg(tillbox_bugs)]
pub fn is_on(bug: Bug) -> bool {
    static ON: std::sync::OnceLock<Option<Bug>> = std::sync::OnceLock::new();
    let on = ON.get_or_init(|| {
        let name = std::env::var("TILLBOX_BUG").ok()?;
        Some(Bug::named(&name).expect("TILLBOX_BUG names a planted bug"))
    });
    *on == Some(bug)
}
