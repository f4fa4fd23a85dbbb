//! The cookie that a session is known by.
//!
//! Where people come over TLS its name begins with `__Host-`, so that browsers take it from this very host alone, for
//! all of its paths, and never send it in the clear. On plain HTTP, which is for a laptop, browsers would refuse such a
//! cookie. No script can read it, and other sites' forms are sent without it.

use axum::http::{HeaderMap, HeaderValue, header};
use tillbox_service::{PublicUrl, SESSION_HOURS};

fn name(url: &PublicUrl) -> &'static str {
    if url.is_https() {
        "__Host-tillbox"
    } else {
        "tillbox"
    }
}

/// The token in a request's cookie.
pub(crate) fn read<'a>(headers: &'a HeaderMap, url: &PublicUrl) -> Option<&'a str> {
    find(headers, name(url))
}

/// The cookie of a name. Of several none is taken: somebody put one beside ours.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut tokens = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .filter(|(found, _)| *found == name)
        .map(|(_, token)| token);
    let token = tokens.next()?;
    tokens.next().is_none().then_some(token)
}

/// Hands a token to the browser, for as long as a session can last.
pub(crate) fn give(headers: &mut HeaderMap, url: &PublicUrl, token: &str) {
    set(headers, url, token, SESSION_HOURS * 3_600);
}

/// Takes the cookie away from the browser.
pub(crate) fn take_away(headers: &mut HeaderMap, url: &PublicUrl) {
    set(headers, url, "", 0);
}

/// How long a browser remembers what somebody prefers: a year.
const PREFERENCE_SECONDS: i64 = 365 * 86_400;

/// Hands what somebody prefers to the browser. It is no secret.
pub(crate) fn prefer(headers: &mut HeaderMap, url: &PublicUrl, name: &str, value: &str) {
    put(headers, url, name, value, PREFERENCE_SECONDS);
}

fn set(headers: &mut HeaderMap, url: &PublicUrl, token: &str, seconds: i64) {
    put(headers, url, name(url), token, seconds);
}

fn put(headers: &mut HeaderMap, url: &PublicUrl, name: &str, token: &str, seconds: i64) {
    let secure = if url.is_https() { "; Secure" } else { "" };
    let cookie =
        format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(mut value) = HeaderValue::try_from(cookie) {
        value.set_sensitive(true);
        headers.append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_that_name_is_read_and_no_other() {
        let plain = PublicUrl::parse("http://127.0.0.1:8420").expect("an address");
        let tls = PublicUrl::parse("https://wallet.example.com").expect("an address");
        for (cookies, url, expected) in [
            (&["tillbox=abc"][..], &plain, Some("abc")),
            (&["a=b; tillbox=abc; c=d"], &plain, Some("abc")),
            (&["a=b", "tillbox=abc"], &plain, Some("abc")),
            (&["__Host-tillbox=abc"], &tls, Some("abc")),
            (&["tillbox=abc"], &tls, None),
            (&["__Host-tillbox=abc"], &plain, None),
            (&["tillboxes=abc"], &plain, None),
            (&["tillbox=abc; tillbox=def"], &plain, None),
            (&["tillbox=abc", "tillbox=abc"], &plain, None),
            (&["tillbox"], &plain, None),
            (&[], &plain, None),
        ] {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                let value = HeaderValue::from_str(cookie).expect("a value");
                headers.append(header::COOKIE, value);
            }
            assert_eq!(read(&headers, url), expected, "{cookies:?}");
        }
    }
}
