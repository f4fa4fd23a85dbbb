//! Dates and times as people read them, in the merchant's time zone: "20 Nov, 14:25", "20 nov, 14:25".

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use tillbox_core::reason::Language;
use tillbox_core::time::Timestamp;

/// How instants are written on a page: in which zone and language, and as seen from which now.
#[derive(Clone, Debug)]
pub(crate) struct Dates {
    zone: TimeZone,
    language: Language,
    now: Zoned,
}

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const DAYS_EN: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const DAYS_ES: [&str; 7] = [
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
];

fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    let instant = jiff::Timestamp::from_microsecond(at.micros());
    instant
        .unwrap_or(jiff::Timestamp::MAX)
        .to_zoned(zone.clone())
}

fn index(number: i8) -> usize {
    usize::try_from(number.saturating_sub(1)).unwrap_or(0)
}

impl Dates {
    pub(crate) fn new(zone: &TimeZone, language: Language, now: Timestamp) -> Self {
        Self {
            zone: zone.clone(),
            language,
            now: zoned(now, zone),
        }
    }

    /// Today.
    pub(crate) fn today(&self) -> Date {
        self.now.date()
    }

    /// The day of an instant.
    pub(crate) fn date_of(&self, at: Timestamp) -> Date {
        zoned(at, &self.zone).date()
    }

    fn month(&self, date: Date) -> &'static str {
        let months = match self.language {
            Language::En => MONTHS_EN,
            Language::Es => MONTHS_ES,
        };
        months.get(index(date.month())).copied().unwrap_or_default()
    }

    /// "20 Nov"; of another year "20 Nov 2025".
    pub(crate) fn day(&self, date: Date) -> String {
        let month = self.month(date);
        // Every month of both languages is told from the others by three letters; none has an accent there.
        let short = month.get(..3).unwrap_or(month);
        if date.year() == self.today().year() {
            format!("{} {short}", date.day())
        } else {
            format!("{} {short} {}", date.day(), date.year())
        }
    }

    /// "20 Nov" of an instant.
    pub(crate) fn day_of(&self, at: Timestamp) -> String {
        self.day(self.date_of(at))
    }

    /// "20 Nov, 14:25".
    pub(crate) fn day_time(&self, at: Timestamp) -> String {
        format!("{}, {}", self.day_of(at), self.time(at))
    }

    /// "14:25".
    pub(crate) fn time(&self, at: Timestamp) -> String {
        zoned(at, &self.zone).strftime("%H:%M").to_string()
    }

    /// "today at 14:25", "yesterday at 14:25", "20 Nov at 14:25".
    pub(crate) fn lately(&self, at: Timestamp) -> String {
        let date = self.date_of(at);
        let today = self.today();
        let is_yesterday = today
            .checked_sub(1.day())
            .is_ok_and(|yesterday| yesterday == date);
        let (day, at_time) = match self.language {
            Language::En if date == today => ("today".to_owned(), "at"),
            Language::En if is_yesterday => ("yesterday".to_owned(), "at"),
            Language::En => (self.day(date), "at"),
            Language::Es if date == today => ("hoy".to_owned(), "a las"),
            Language::Es if is_yesterday => ("ayer".to_owned(), "a las"),
            Language::Es => (format!("el {}", self.day(date)), "a las"),
        };
        format!("{day} {at_time} {}", self.time(at))
    }

    /// "Monday, 23 November", "lunes, 23 de noviembre".
    pub(crate) fn long_day(&self, date: Date) -> String {
        let weekday = index(date.weekday().to_monday_one_offset());
        let (day, month) = (date.day(), self.month(date));
        match self.language {
            Language::En => format!("{}, {day} {month}", DAYS_EN.get(weekday).unwrap_or(&"")),
            Language::Es => format!("{}, {day} de {month}", DAYS_ES.get(weekday).unwrap_or(&"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(language: Language) -> Dates {
        let zone = TimeZone::get("America/New_York").expect("a zone");
        Dates::new(&zone, language, at("2026-11-20T19:25:00Z"))
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    #[test]
    fn instants_are_of_the_merchants_zone() {
        let (en, es) = (dates(Language::En), dates(Language::Es));
        let evening = at("2026-11-20T04:30:00Z");
        assert_eq!(en.day_time(evening), "19 Nov, 23:30");
        assert_eq!(es.day_time(evening), "19 nov, 23:30");
        assert_eq!(en.lately(evening), "yesterday at 23:30");
        assert_eq!(es.lately(at("2026-11-20T19:25:00Z")), "hoy a las 14:25");
        assert_eq!(
            es.lately(at("2026-11-01T19:25:00Z")),
            "el 1 nov a las 14:25"
        );
    }

    #[test]
    fn another_year_is_named() {
        assert_eq!(
            dates(Language::En).day_of(at("2025-12-31T12:00:00Z")),
            "31 Dec 2025"
        );
        assert_eq!(
            dates(Language::Es).day_of(at("2027-01-31T12:00:00Z")),
            "31 ene 2027"
        );
    }

    #[test]
    fn long_days_have_their_weekday() {
        let monday = "2026-11-23".parse().expect("a date");
        assert_eq!(dates(Language::En).long_day(monday), "Monday, 23 November");
        assert_eq!(
            dates(Language::Es).long_day(monday),
            "lunes, 23 de noviembre"
        );
    }
}
