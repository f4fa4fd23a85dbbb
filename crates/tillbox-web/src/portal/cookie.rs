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

/// The token in a request's cookie. Of several of that name none is taken: somebody put one beside ours.
pub(crate) fn read<'a>(headers: &'a HeaderMap, url: &PublicUrl) -> Option<&'a str> {
    let name = name(url);
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

fn set(headers: &mut HeaderMap, url: &PublicUrl, token: &str, seconds: i64) {
    let secure = if url.is_https() { "; Secure" } else { "" };
    let name = name(url);
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
