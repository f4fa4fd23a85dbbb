//! Light or dark, as it was chosen in this browser; otherwise as the system has it.

use super::cookie;
use super::view::Theme;
use axum::http::HeaderMap;
use std::future::Future;

tokio::task_local! {
    static CURRENT: Theme;
}

/// The cookie that remembers a choice.
pub(crate) const COOKIE: &str = "tillbox-theme";

/// The theme of the page that is being made.
pub(crate) fn current() -> Theme {
    CURRENT.try_with(|theme| *theme).unwrap_or_default()
}

/// Makes a page in a theme.
pub(crate) async fn scope<T>(theme: Theme, page: impl Future<Output = T>) -> T {
    CURRENT.scope(theme, page).await
}

/// The theme that was chosen in this browser.
pub(crate) fn chosen(headers: &HeaderMap) -> Theme {
    let chosen = cookie::find(headers, COOKIE).and_then(Theme::of);
    chosen.unwrap_or_default()
}
