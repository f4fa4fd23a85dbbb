//! The language of a page: the customer's own once it is known, before that the browser's.

use super::cookie;
use axum::http::{HeaderMap, header};
use std::cell::Cell;
use std::future::Future;
use tillbox_core::reason::Language;

tokio::task_local! {
    static CURRENT: Cell<Language>;
}

/// The language of the page that is being made.
pub(crate) fn current() -> Language {
    CURRENT.try_with(Cell::get).unwrap_or(Language::En)
}

/// From here on the page is in this language.
pub(crate) fn set(language: Language) {
    // Outside a page nobody asks for it.
    let _outside = CURRENT.try_with(|current| current.set(language));
}

/// Makes a page in a language, unless it is set to another on the way.
pub(crate) async fn scope<T>(language: Language, page: impl Future<Output = T>) -> T {
    CURRENT.scope(Cell::new(language), page).await
}

/// Of a locale such as `es-MX`.
pub(crate) fn of_locale(locale: &str) -> Language {
    let tongue = locale.split(['-', '_']).next().unwrap_or_default();
    if tongue.eq_ignore_ascii_case("es") {
        Language::Es
    } else {
        Language::En
    }
}

/// The cookie that remembers a choice.
pub(crate) const COOKIE: &str = "tillbox-language";

/// What forms and the cookie say of a language.
pub(crate) fn of_code(code: &str) -> Option<Language> {
    match code {
        "en" => Some(Language::En),
        "es" => Some(Language::Es),
        _ => None,
    }
}

/// The language that somebody has chosen in this browser.
pub(crate) fn chosen(headers: &HeaderMap) -> Option<Language> {
    cookie::find(headers, COOKIE).and_then(of_code)
}

/// Of the two languages that there are, the one that was chosen, or that the browser would rather have.
pub(crate) fn accepted(headers: &HeaderMap) -> Language {
    if let Some(chosen) = chosen(headers) {
        return chosen;
    }
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut best = (Language::En, 0);
    for choice in asked.split(',') {
        let (tongue, weight) = choice.split_once(';').unwrap_or((choice, ""));
        let tongue = tongue.trim();
        let is_known = ["en", "es"].iter().any(|known| {
            tongue
                .get(..2)
                .is_some_and(|start| start.eq_ignore_ascii_case(known))
                && matches!(tongue.as_bytes().get(2), None | Some(b'-'))
        });
        let weight = thousandths(weight);
        if is_known && weight > best.1 {
            best = (of_locale(tongue), weight);
        }
    }
    best.0
}

/// A weight such as `q=0.8`; one that is missing is the highest, one of another form counts for nothing.
fn thousandths(weight: &str) -> u32 {
    let weight = weight.trim();
    if weight.is_empty() {
        return 1_000;
    }
    let value = weight.strip_prefix("q=").unwrap_or_default().trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = format!("{whole}{fraction:0<3}");
    match digits.parse::<u32>() {
        Ok(weight) if fraction.len() <= 3 => weight.min(1_000),
        Ok(_) | Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_browser_is_asked_for_its_preference() {
        for (asked, expected) in [
            ("", Language::En),
            ("es", Language::Es),
            ("es-MX,en;q=0.5", Language::Es),
            ("en-GB,es;q=0.9", Language::En),
            ("de-DE,de;q=0.9,es;q=0.4,en;q=0.3", Language::Es),
            ("de, fr;q=0.9", Language::En),
            ("en;q=0.1, es;q=1.0", Language::Es),
            ("es;q=0", Language::En),
            ("est, esperanto", Language::En),
            ("es;q=banana", Language::En),
            ("é,s;;q=", Language::En),
        ] {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_bytes(asked.as_bytes()).expect("a value");
            headers.insert(header::ACCEPT_LANGUAGE, value);
            assert_eq!(accepted(&headers), expected, "{asked}");
        }
    }

    #[test]
    fn a_locale_has_a_language() {
        for (locale, expected) in [
            ("es", Language::Es),
            ("es-MX", Language::Es),
            ("en-US", Language::En),
            ("et", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(of_locale(locale), expected, "{locale}");
        }
    }
}
