//! Whether a form came from a page of ours: what the browser says of it, where it says anything.
//!
//! A form of a session also carries a token that only our own page knows ([`super::form`]). This is the second check,
//! and the only one before there is a session: nobody shall be signed in by another site's form.

use axum::http::{HeaderMap, header};
use tillbox_service::PublicUrl;

/// False where the browser says that another site sent it.
///
/// `Sec-Fetch-Site` is sent by every present browser over TLS and on a laptop. `Origin` speaks where that is missing;
/// it is `null` where pages keep their address to themselves, as ours do, and then says nothing.
pub(crate) fn is_ours(headers: &HeaderMap, url: &PublicUrl) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let host = text(header::HOST.as_str()).unwrap_or_default();
    match text(header::ORIGIN.as_str()) {
        None | Some("null") => true,
        Some(origin) => {
            let sender = origin.split_once("://").map(|(_, host)| host);
            origin.eq_ignore_ascii_case(url.as_str())
                || sender.is_some_and(|sender| sender.eq_ignore_ascii_case(host))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    #[test]
    fn another_sites_forms_are_told_apart() {
        let url = PublicUrl::parse("https://wallet.example.com").expect("an address");
        let table: &[(&[(&str, &str)], bool)] = &[
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://wallet.example.com")], true),
            (&[("origin", "https://evil.example")], false),
            (
                &[("origin", "https://wallet.example.com.evil.example")],
                false,
            ),
            (&[("origin", "null")], true),
            (
                &[
                    ("origin", "https://wallet.example.com"),
                    ("sec-fetch-site", "cross-site"),
                ],
                false,
            ),
            (
                &[
                    ("origin", "http://localhost:8420"),
                    ("host", "localhost:8420"),
                ],
                true,
            ),
            (
                &[
                    ("origin", "http://evil.example"),
                    ("host", "localhost:8420"),
                ],
                false,
            ),
        ];
        for (sent, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in *sent {
                let name = HeaderName::try_from(*name).expect("a name");
                headers.insert(name, HeaderValue::from_str(value).expect("a value"));
            }
            assert_eq!(is_ours(&headers, &url), *expected, "{sent:?}");
        }
    }
}
