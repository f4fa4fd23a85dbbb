//! Days and months of the merchant's time zone (R23).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};
use tillbox_core::time::Timestamp;
use tillbox_store::sqlite::books::Span;

/// How long the periods of a report are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// A day.
    Day,
    /// A calendar month.
    Month,
}

impl Every {
    /// Every length.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// The name in the HTTP contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The first day of the period that a day lies in.
    fn start(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Month => day.first_of_month(),
        }
    }

    fn next(self, start: Date) -> Option<Date> {
        match self {
            Self::Day => start.tomorrow().ok(),
            Self::Month => start.checked_add(1.month()).ok(),
        }
    }
}

/// A day or a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    every: Every,
    start: Date,
    /// The instants of it that are asked for.
    pub span: Span,
}

impl Period {
    /// Its name: `2026-05-31`, or `2026-05`.
    pub fn name(&self) -> String {
        match self.every {
            Every::Day => self.start.to_string(),
            Every::Month => self.start.strftime("%Y-%m").to_string(),
        }
    }
}

/// The periods from the one in which `first` lies to the one in which `last` does, oldest first, cut to `span`.
pub(super) fn of(
    first: Timestamp,
    last: Timestamp,
    span: Span,
    every: Every,
    zone: &TimeZone,
) -> Vec<Period> {
    let mut periods = Vec::new();
    let Some(day) = day_of(first, zone) else {
        return periods;
    };
    let mut start = every.start(day);
    loop {
        let Some(from) = midnight(start, zone).filter(|from| *from <= last) else {
            return periods;
        };
        let Some(next) = every.next(start) else {
            return periods;
        };
        let to = midnight(next, zone).unwrap_or(Timestamp::NEVER);
        let span = Span {
            from: Some(span.from.map_or(from, |cut| cut.max(from))),
            to: Some(span.to.map_or(to, |cut| cut.min(to))),
        };
        if span.from < span.to {
            periods.push(Period { every, start, span });
        }
        start = next;
    }
}

fn day_of(at: Timestamp, zone: &TimeZone) -> Option<Date> {
    let instant = Instant::from_microsecond(at.micros()).ok()?;
    Some(instant.to_zoned(zone.clone()).date())
}

fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let start = day.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_micros(start.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    #[test]
    fn r23_periods_are_of_the_merchants_zone_and_cut_to_what_is_asked() {
        let zone = TimeZone::get("America/New_York").expect("a zone");
        let (first, last) = (at("2026-03-07T12:00:00Z"), at("2026-03-09T04:30:00Z"));
        let open = Span::default();
        let shown = |span, every| {
            let periods = of(first, last, span, every, &zone).into_iter();
            let show = |period: Period| {
                let ends =
                    [period.span.from, period.span.to].map(|end| end.expect("cut").to_string());
                format!("{} {} {}", period.name(), &ends[0][..16], &ends[1][..16])
            };
            periods.map(show).collect::<Vec<_>>()
        };
        // Summer time begins on 8 March: that day has 23 hours.
        assert_eq!(
            shown(open, Every::Day),
            [
                "2026-03-07 2026-03-07T05:00 2026-03-08T05:00",
                "2026-03-08 2026-03-08T05:00 2026-03-09T04:00",
                "2026-03-09 2026-03-09T04:00 2026-03-10T04:00",
            ]
        );
        let cut = Span {
            from: Some(at("2026-03-08T12:00:00Z")),
            to: Some(at("2026-03-09T04:00:00Z")),
        };
        assert_eq!(
            shown(cut, Every::Day),
            ["2026-03-08 2026-03-08T12:00 2026-03-09T04:00"]
        );
        assert_eq!(
            shown(open, Every::Month),
            ["2026-03 2026-03-01T05:00 2026-04-01T04:00"]
        );
    }
}
