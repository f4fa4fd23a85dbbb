//! The balance card: what is available, what makes it up, how it went, how long it lasts.

use super::Fact;
use crate::charts::sparkline::Svg;
use crate::words::money::Markup;

/// The balance card.
#[derive(Clone, Debug)]
pub(crate) struct Balance {
    pub(crate) currency_name: String,
    pub(crate) available: Markup,
    pub(crate) available_plain: Markup,
    pub(crate) updated: String,
    pub(crate) updated_machine: String,
    pub(crate) runway: Option<Runway>,
    /// Opens into the facts.
    pub(crate) sentence: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) chart: Option<ChartView>,
}

/// How long it lasts.
#[derive(Clone, Debug)]
pub(crate) struct Runway {
    pub(crate) heading: String,
    pub(crate) text: String,
}

/// The last days, as a picture and as a table.
#[derive(Clone, Debug)]
pub(crate) struct ChartView {
    pub(crate) svg: Svg,
    pub(crate) title: String,
    pub(crate) rows: Vec<Fact>,
}
