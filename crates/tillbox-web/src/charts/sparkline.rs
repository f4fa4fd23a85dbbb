//! The course of a balance over some days.
//!
//! The outer SVG is as wide as its place and 130 pixels high, and holds texts and rules; the inner one stretches and
//! holds the lines alone, so that no text is ever distorted. Everything is reckoned in integers: hundredths of a
//! percent across, hundredths of a pixel down.

use crate::words::money::MoneyForm;
use askama::Template;
use askama::filters::HtmlSafe;
use std::fmt;
use tillbox_core::amount::Amount;

/// What is drawn, with its texts.
#[derive(Clone, Debug)]
pub(crate) struct Sparkline {
    /// The finding.
    pub(crate) title: String,
    /// For those who don't see it.
    pub(crate) description: String,
    /// Day by day, the last one now.
    pub(crate) values: Vec<Amount>,
    /// In how many days it reaches zero at the present pace, and which day that is, where it is soon.
    pub(crate) zero: Option<(i64, String)>,
    /// Below which it counts as low, and what is said there.
    pub(crate) limit: Option<(Amount, String)>,
    pub(crate) first_day: String,
    pub(crate) today: String,
    /// How money is written at the scale.
    pub(crate) money: MoneyForm,
}

/// A finished drawing: its texts are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Svg(String);

impl HtmlSafe for Svg {}

impl fmt::Display for Svg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A place: hundredths of a pixel or of a percent, printed with two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(i64);

impl Place {
    fn plus(self, more: i64) -> Self {
        Self(self.0 + more)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.abs();
        write!(formatter, "{sign}{}.{:02}", size / 100, size % 100)
    }
}

struct Rule {
    at: Place,
    label: String,
}

struct Limit {
    at: Place,
    is_at_end: bool,
    label_at: Place,
    label: String,
}

struct Now {
    across: Place,
    at: Place,
    label_at: Place,
    shift: i64,
    is_at_edge: bool,
    label: String,
}

/// At the side of the picture where the line's end is not.
const EDGE: i64 = 8_500;

#[derive(Template)]
#[template(path = "charts/sparkline.html")]
struct Drawing {
    title: String,
    description: String,
    rules: Vec<Rule>,
    line: String,
    area: String,
    ahead: Option<String>,
    limit: Option<Limit>,
    base: Place,
    now: Now,
    first_day: String,
    today: String,
    zero: Option<(Place, String)>,
}

/// The whole width, in hundredths of a percent.
const WIDTH: i64 = 10_000;
/// Where the line's ground is, in hundredths of a pixel.
const GROUND: i64 = 10_400;
/// How high the highest rule is above it: there is room for its text.
const HEIGHT: i64 = 9_240;
/// The height of a line of text.
const TEXT: i64 = 1_500;

/// What the picture spans.
struct Scale {
    lowest: i128,
    highest: i128,
    step: i64,
    days: i64,
}

impl Scale {
    fn of(chart: &Sparkline) -> Self {
        let limit = chart.limit.as_ref().map(|(limit, _)| *limit);
        let values = || chart.values.iter().copied().chain(limit);
        let most = values().max().unwrap_or(Amount::ZERO).or_zero();
        let least = values().min().unwrap_or(Amount::ZERO).min(Amount::ZERO);
        let step = round_step(most);
        let past = i64::try_from(chart.values.len()).unwrap_or(1).max(2) - 1;
        Self {
            lowest: i128::from(least.micros()),
            highest: i128::from(step) * 2,
            step,
            days: past + chart.zero.as_ref().map_or(0, |(days, _)| days.max(&1) + 1),
        }
    }

    fn down(&self, value: Amount) -> i64 {
        let above = i128::from(value.micros()) - self.lowest;
        let part = above * i128::from(HEIGHT) / (self.highest - self.lowest).max(1);
        GROUND - i64::try_from(part).unwrap_or(0)
    }

    fn across(&self, day: i64) -> i64 {
        day * WIDTH / self.days.max(1)
    }
}

/// The least of 1, 2 and 5 times a power of ten of which two reach the amount.
fn round_step(amount: Amount) -> i64 {
    let half = (amount.micros() / 2 + amount.micros() % 2).max(1);
    let mut power: i64 = 1;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= half {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

impl Sparkline {
    /// Draws it; none where there are less than two days.
    pub(crate) fn draw(self) -> Option<Svg> {
        let (now_value, last) = match self.values.as_slice() {
            [_, .., now] => (*now, i64::try_from(self.values.len() - 1).ok()?),
            [] | [_] => return None,
        };
        let scale = Scale::of(&self);
        let base = scale.down(Amount::ZERO);
        let points = self.values.iter().zip(0_i64..);
        let points: Vec<String> = points
            .map(|(value, day)| format!("{} {}", scale.across(day), scale.down(*value)))
            .collect();
        let line = format!("M{}", points.join(" "));
        let (now_across, now_down) = (scale.across(last), scale.down(now_value));
        let area = format!("{line} {now_across} {base} 0 {base}Z");
        let zero_across = self
            .zero
            .as_ref()
            .map(|(days, _)| scale.across(last + days));
        let is_at_edge = now_across > EDGE;
        let rules = [scale.step, scale.step.saturating_mul(2)].map(|micros| {
            let amount = Amount::from_micros(micros);
            Rule {
                at: Place(scale.down(amount)),
                label: self.money.short(amount).to_string(),
            }
        });
        let limit = self.limit.map(|(limit, label)| {
            let at = scale.down(limit);
            // On that side where the line is farther from it.
            let third = self.values.len().div_ceil(3);
            let nearest = |values: &[Amount]| {
                let distances = values.iter().map(|value| (scale.down(*value) - at).abs());
                distances.min().unwrap_or(0)
            };
            let (start, end) = (
                nearest(&self.values[..third]),
                nearest(&self.values[self.values.len() - third..]),
            );
            let below = at + TEXT;
            let label_at = if below < GROUND { below } else { at - TEXT / 3 };
            Limit {
                at: Place(at),
                is_at_end: end > start && zero_across.is_none(),
                label_at: Place(label_at),
                label,
            }
        });
        let drawing = Drawing {
            title: self.title,
            description: self.description,
            rules: rules.into(),
            ahead: zero_across.map(|across| format!("M{now_across} {now_down} {across} {base}")),
            zero: zero_across
                .zip(self.zero)
                .map(|(across, (_, day))| (Place(across), day)),
            line,
            area,
            limit,
            base: Place(base),
            now: Now {
                across: Place(now_across),
                at: Place(now_down),
                label_at: Place((now_down - 900).max(TEXT)),
                shift: if is_at_edge { 0 } else { 8 },
                is_at_edge,
                label: self.money.money(now_value).to_string(),
            },
            first_day: self.first_day,
            today: self.today,
        };
        match drawing.render() {
            Ok(svg) => Some(Svg(svg)),
            Err(error) => {
                tracing::error!(%error, "a chart could not be drawn");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tillbox_core::currency::Currency;
    use tillbox_core::reason::Language;

    fn money(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    fn chart(values: &[&str]) -> Sparkline {
        Sparkline {
            title: "Balance <b>".to_owned(),
            description: "From & to".to_owned(),
            values: values.iter().map(|value| money(value)).collect(),
            zero: None,
            limit: None,
            first_day: "1 May".to_owned(),
            today: "Today".to_owned(),
            money: MoneyForm::new(Currency::parse("USD").expect("USD"), Language::En),
        }
    }

    #[test]
    fn scales_end_at_round_numbers() {
        for (most, step) in [
            ("79.99", "50"),
            ("58.42", "50"),
            ("40", "20"),
            ("40.01", "50"),
            ("0.0075", "0.005"),
            ("0", "0.000001"),
            ("1000000000000", "500000000000"),
        ] {
            assert_eq!(
                Amount::from_micros(round_step(money(most))),
                money(step),
                "{most}"
            );
        }
    }

    #[test]
    fn it_begins_and_ends_where_it_should_and_is_filled_from_zero() {
        let svg = chart(&["0", "20", "40"])
            .draw()
            .expect("a drawing")
            .to_string();
        assert!(
            svg.contains(r#"class="line" d="M0 10400 5000 5780 10000 1160""#),
            "{svg}"
        );
        assert!(svg.contains(r#"10000 1160 10000 10400 0 10400Z""#), "{svg}");
        assert!(
            svg.contains(">$20</text>") && svg.contains(">$40</text>"),
            "{svg}"
        );
        assert!(svg.contains(">$40.00</text>"), "{svg}");
    }

    #[test]
    fn debt_lies_below_the_ground() {
        let svg = chart(&["10", "-10"]).draw().expect("a drawing").to_string();
        assert!(svg.contains(r#"d="M0 1160 10000 10400""#), "{svg}");
        assert!(
            svg.contains(r#"class="base" x1="0" x2="100%" y1="57.80""#),
            "{svg}"
        );
    }

    #[test]
    fn texts_are_escaped() {
        let svg = chart(&["1", "2"]).draw().expect("a drawing").to_string();
        assert!(
            svg.contains("Balance &#60;b&#62;") && svg.contains("From &#38; to"),
            "{svg}"
        );
    }

    #[test]
    fn one_day_makes_no_line() {
        assert_eq!(chart(&["1"]).draw(), None);
        assert_eq!(chart(&[]).draw(), None);
    }

    #[test]
    fn what_lies_ahead_is_dotted_down_to_zero() {
        let zero = Some((3, "23 Nov".to_owned()));
        let svg = Sparkline {
            zero,
            ..chart(&["4", "4", "4"])
        };
        let svg = svg.draw().expect("a drawing").to_string();
        assert!(svg.contains(r#"class="line ahead" d="M3333"#), "{svg}");
        assert!(svg.contains("23 Nov"), "{svg}");
    }
}
