//! Settings as decisions see them.

use crate::settings::Settings;
use tillbox_core::policy::{Policies, Policy};
use tillbox_core::recharge::TopUpLimits;

impl Settings {
    /// What decisions need of the settings.
    pub(crate) fn policies(&self) -> Policies {
        let time_zone = jiff::tz::TimeZone::get(&self.time_zone);
        let standard = Policy {
            top_up_limits: TopUpLimits {
                maximum_balance: self.maximum_balance,
                ..TopUpLimits::default()
            },
            ..Policy::default()
        };
        Policies {
            standard,
            time_zone: time_zone.unwrap_or(jiff::tz::TimeZone::UTC),
            ..Policies::default()
        }
    }
}
