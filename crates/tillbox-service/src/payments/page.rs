//! What a hosted payment page is asked with, kept beside its top-up until the page is made.

use serde::{Deserialize, Serialize};
use tillbox_core::top_up::Channel;

/// A hosted page for a top-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Checkout, or a link to pass on.
    pub channel: Channel,
    /// How the page behaves.
    pub terms: PageTerms,
}

impl PageRequest {
    /// A page that anybody may be sent to: nothing is saved, and it leads back to our own return page.
    pub fn link(lives_seconds: i64) -> Self {
        Self {
            channel: Channel::Link,
            terms: PageTerms {
                success_url: None,
                cancel_url: None,
                save_payment_method: false,
                allow_promotion_codes: true,
                lives_seconds,
            },
        }
    }
}

/// How a hosted page behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageTerms {
    /// Where the customer goes once it is paid; none: our own return page.
    pub success_url: Option<String>,
    /// Where the customer goes who turns back; none: our own return page.
    pub cancel_url: Option<String>,
    /// Whether the page offers to save the card.
    pub save_payment_method: bool,
    /// Whether the page takes promotion codes.
    pub allow_promotion_codes: bool,
    /// Seconds that the page lives.
    pub lives_seconds: i64,
}
