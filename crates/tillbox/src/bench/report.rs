//! The table that a run prints.

use std::fmt;
use std::time::Duration;

/// What a figure is one of: the chart shows each group in a colour of its own.
#[derive(Clone, Copy)]
pub(crate) enum Group {
    /// Debits without HTTP.
    InProcess,
    /// Debits over HTTP.
    Http,
    /// Reads over HTTP.
    Reads,
    /// Debits as they are usually done.
    RowLock,
}

impl Group {
    const fn name(self) -> &'static str {
        match self {
            Self::InProcess => "in_process",
            Self::Http => "http",
            Self::Reads => "reads",
            Self::RowLock => "row_lock",
        }
    }
}

/// One measured figure.
pub(crate) struct Figure {
    group: Group,
    name: String,
    per_second: u64,
    p50: Duration,
    p99: Duration,
    worst: Duration,
}

impl Figure {
    /// From the latency of each call; a call did so many `operations`.
    pub(crate) fn new(
        group: Group,
        name: String,
        mut latencies: Vec<Duration>,
        operations: usize,
        length: Duration,
    ) -> Self {
        latencies.sort_unstable();
        let at = |percent: usize| {
            let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
            latencies.get(index).copied().unwrap_or_default()
        };
        let done = u64::try_from(latencies.len() * operations).unwrap_or(u64::MAX);
        let milliseconds = u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1);
        Self {
            group,
            name,
            per_second: done * 1_000 / milliseconds,
            p50: at(50),
            p99: at(99),
            worst: at(100),
        }
    }
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Table {
    figures: Vec<Figure>,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let figures = self.figures.iter().map(|figure| {
            serde_json::json!({
                "group": figure.group.name(),
                "name": figure.name,
                "per_second": figure.per_second,
                "p50_us": micros(figure.p50),
                "p99_us": micros(figure.p99),
                "worst_us": micros(figure.worst),
            })
        });
        serde_json::json!({ "figures": figures.collect::<Vec<_>>(), "notes": self.notes })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .figures
            .iter()
            .map(|figure| figure.name.len())
            .max()
            .unwrap_or(0);
        writeln!(
            formatter,
            "{:width$}  {:>10}  {:>9}  {:>9}  {:>9}",
            "", "per second", "p50 ms", "p99 ms", "worst ms"
        )?;
        for figure in &self.figures {
            let ms = |duration: Duration| {
                format!(
                    "{}.{:02}",
                    duration.as_millis(),
                    duration.subsec_micros() / 10 % 100
                )
            };
            writeln!(
                formatter,
                "{:width$}  {:>10}  {:>9}  {:>9}  {:>9}",
                figure.name,
                figure.per_second,
                ms(figure.p50),
                ms(figure.p99),
                ms(figure.worst)
            )?;
        }
        for note in &self.notes {
            writeln!(formatter, "{note}")?;
        }
        Ok(())
    }
}
