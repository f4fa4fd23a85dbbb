//! The figures of a run as a picture: a bar for each, for the page on performance.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::fmt::Write as _;

#[derive(Deserialize)]
struct Kept {
    figures: Vec<Bar>,
}

#[derive(Deserialize)]
struct Bar {
    group: String,
    name: String,
    per_second: u64,
}

const ROW: u64 = 30;
const LEFT: u64 = 430;
const LONGEST: u64 = 380;
const WIDTH: u64 = 900;

/// An SVG of the figures in `json`. Its text is readable on light and on dark pages.
pub(crate) fn draw(json: &str) -> Result<String> {
    let kept: Kept = serde_json::from_str(json).context("the figures are not those of a run")?;
    let most = kept.figures.iter().map(|bar| bar.per_second).max();
    let most = most.unwrap_or(1).max(1);
    let height = u64::try_from(kept.figures.len())? * ROW + 20;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"t d\">\n\
         <title id=\"t\">Operations per second</title>\n<desc id=\"d\">"
    );
    for bar in &kept.figures {
        write!(svg, "{}: {}. ", escaped(&bar.name), grouped(bar.per_second))?;
    }
    svg.push_str(
        "</desc>\n<style>text{font:13px system-ui,sans-serif;fill:#1c2733}.in_process{fill:#0b7a75}.http{fill:#2f6fb3}\
         .reads{fill:#7a5ea8}.row_lock{fill:#b3541e}@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>\n",
    );
    for (place, bar) in kept.figures.iter().enumerate() {
        let top = u64::try_from(place)? * ROW + 10;
        let width = (bar.per_second * LONGEST / most).max(1);
        let text = top + 16;
        writeln!(
            svg,
            "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{}\" x=\"{LEFT}\" y=\"{top}\" width=\"{width}\" height=\"{}\" rx=\"3\"/>\
             <text x=\"{}\" y=\"{text}\">{}</text>",
            LEFT - 8,
            escaped(&bar.name),
            escaped(&bar.group),
            ROW - 8,
            LEFT + width + 8,
            grouped(bar.per_second)
        )?;
    }
    svg.push_str("</svg>");
    Ok(svg)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_the_highest_figure_and_all_are_told_in_words() {
        let json = r#"{"figures":[{"group":"http","name":"a & b","per_second":2000},{"group":"reads","name":"c","per_second":1000000}],"notes":[]}"#;
        let svg = draw(json).expect("draws");
        assert!(svg.contains(r#"width="380""#) && svg.contains("a &amp; b: 2,000. c: 1,000,000."));
        assert!(draw("{}").is_err());
    }
}
