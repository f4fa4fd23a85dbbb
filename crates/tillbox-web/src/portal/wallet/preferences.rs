//! What somebody prefers in this browser: language and theme, remembered by cookies.

use super::super::form::Form;
use super::super::page_error::PageError;
use super::super::view::Theme;
use super::super::{cookie, language, theme as themes};
use super::visit::see_other;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use tillbox_service::Service;

/// Another language.
pub(crate) async fn language(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let code = form.get("language").unwrap_or_default();
    let chosen = language::of_code(code).map(|_known| code);
    remember(&service, &form, language::COOKIE, chosen)
}

/// Another theme.
pub(crate) async fn theme(
    State(service): State<Arc<Service>>,
    form: Form,
) -> Result<Response, PageError> {
    let chosen = form.get("theme").and_then(Theme::of).map(Theme::value);
    remember(&service, &form, themes::COOKIE, chosen)
}

fn remember(
    service: &Service,
    form: &Form,
    name: &str,
    value: Option<&str>,
) -> Result<Response, PageError> {
    let value = value.ok_or(PageError::UnreadableForm)?;
    let mut response = see_other(own_page(form.get("back").unwrap_or_default()));
    cookie::prefer(response.headers_mut(), service.public_url(), name, value);
    Ok(response)
}

/// A page of the wallet to go back to; anything else is the wallet itself.
fn own_page(path: &str) -> &str {
    let is_plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_own = path == "/wallet"
        || ["/wallet?", "/wallet/"]
            .iter()
            .any(|start| path.starts_with(start));
    if is_plain && is_own { path } else { "/wallet" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_pages_of_the_wallet_alone() {
        for (path, expected) in [
            ("/wallet", "/wallet"),
            ("/wallet?wallet=wal_1", "/wallet?wallet=wal_1"),
            ("/wallet/help", "/wallet/help"),
            ("/walleting", "/wallet"),
            ("//evil.example", "/wallet"),
            ("https://evil.example/wallet?", "/wallet"),
            ("/wallet/\r\nset-cookie: a=b", "/wallet"),
            ("/wallet/\\evil", "/wallet"),
            ("", "/wallet"),
        ] {
            assert_eq!(own_page(path), expected, "{path}");
        }
    }
}
