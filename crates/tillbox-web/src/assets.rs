//! Styles and scripts of the pages, embedded in the binary. All share one name made of their content, so that browsers
//! keep them for a year and still get the new ones at once; modules find each other by relative names.
//!
//! They are compressed once, when they are first asked for. Pages are not compressed: what a page says twice, once
//! secret and once chosen by somebody else, would show in its length.

use crate::api::problem::Problem;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::sync::LazyLock;

/// Kept for a year: another content has another address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The address is of another version of this server: what is sent is not what was asked for.
const NOT_AT_ALL: &str = "no-store";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of the pages.
struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    compressed: Vec<u8>,
}

/// Every file there is, under one name.
struct Assets {
    version: String,
    files: Vec<Asset>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let styles = concat!(
        include_str!("../assets/css/tokens.css"),
        include_str!("../assets/css/base.css"),
        include_str!("../assets/css/components.css"),
        include_str!("../assets/css/portal.css"),
    );
    let docs = concat!(
        include_str!("../assets/css/tokens.css"),
        include_str!("../assets/css/base.css"),
        include_str!("../assets/css/components.css"),
        include_str!("../assets/css/docs.css"),
    );
    let files = [
        ("portal.css", CSS, styles),
        ("docs.css", CSS, docs),
        (
            "portal.js",
            JAVASCRIPT,
            include_str!("../assets/js/portal.js"),
        ),
        ("live.js", JAVASCRIPT, include_str!("../assets/js/live.js")),
        (
            "forms.js",
            JAVASCRIPT,
            include_str!("../assets/js/forms.js"),
        ),
        ("icon.svg", SVG, include_str!("../assets/icon.svg")),
        (
            "money.js",
            JAVASCRIPT,
            include_str!("../assets/js/money.js"),
        ),
    ];
    let mut hasher = blake3::Hasher::new();
    for (name, _, text) in files {
        hasher.update(name.as_bytes()).update(text.as_bytes());
    }
    let files = files.map(|(name, kind, text)| Asset {
        name,
        kind,
        text,
        compressed: compressed(text),
    });
    Assets {
        version: hasher.finalize().to_hex().chars().take(16).collect(),
        files: files.into(),
    }
});

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(text.as_bytes())
        .and_then(|()| encoder.finish())
        .expect("a vector takes all that is written to it")
}

/// Where a file is found.
pub(crate) fn url(name: &str) -> String {
    format!("/assets/{}/{name}", ASSETS.version)
}

/// Where the style of a merchant's colour is found: the colour is its whole content, so it is all of its name.
pub(crate) fn brand_url(color: &str) -> Option<String> {
    let digits = color.strip_prefix('#').filter(|digits| is_color(digits))?;
    Some(format!("/assets/brand/{}.css", digits.to_ascii_lowercase()))
}

fn is_color(digits: &str) -> bool {
    digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// The files' URLs.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/assets/brand/{name}", get(brand))
        .route("/assets/{version}/{name}", get(file))
}

async fn file(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.files.iter().find(|asset| asset.name == name) else {
        return Problem::not_found().into_response();
    };
    let lives = if version == ASSETS.version {
        FOR_EVER
    } else {
        NOT_AT_ALL
    };
    if accepts_gzip(&headers) {
        let mut response = answer(asset.kind, lives, asset.compressed.as_slice());
        let coding = HeaderValue::from_static("gzip");
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, coding);
        response
    } else {
        answer(asset.kind, lives, asset.text.as_bytes())
    }
}

/// A merchant's colour. What is made of it, and what stands on it, keeps its contrast whatever it is: see the accents
/// in `tokens.css`.
async fn brand(Path(name): Path<String>) -> Response {
    let digits = name.strip_suffix(".css").filter(|digits| is_color(digits));
    let Some(digits) = digits else {
        return Problem::not_found().into_response();
    };
    let style = format!("@layer tokens {{ :root {{ --brand: #{digits}; }} }}\n");
    answer(CSS, FOR_EVER, style.as_bytes())
}

fn answer(kind: &'static str, lives: &'static str, body: &[u8]) -> Response {
    let mut response = (StatusCode::OK, body.to_vec()).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, lives),
        (header::VARY, "accept-encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the browser takes gzip; `q=0` says that it does not.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim();
        name.trim().eq_ignore_ascii_case("gzip")
            && !matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of what the customers' pages load.
    fn sizes(kind: &str) -> (usize, usize) {
        let files = ASSETS.files.iter();
        let files = files.filter(|asset| asset.kind == kind && asset.name != "docs.css");
        files.fold((0, 0), |(plain, compressed), asset| {
            (
                plain + asset.text.len(),
                compressed + asset.compressed.len(),
            )
        })
    }

    #[test]
    fn styles_and_scripts_stay_small() {
        let ((css, css_sent), (js, js_sent)) = (sizes(CSS), sizes(JAVASCRIPT));
        assert!(css < 40_000, "{css} bytes of styles");
        assert!(js < 30_000, "{js} bytes of scripts");
        assert!(css_sent + js_sent < 20_000, "{css_sent} + {js_sent} sent");
    }

    #[test]
    fn a_colour_is_six_digits_and_nothing_else() {
        assert_eq!(
            brand_url("#0A7c8f").as_deref(),
            Some("/assets/brand/0a7c8f.css")
        );
        for wrong in [
            "0a7c8f",
            "#0a7c8",
            "#0a7c8g",
            "#0a7c8f;}",
            "#../../x",
            "",
            "#é1234",
        ] {
            assert_eq!(brand_url(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn compression_is_sent_to_those_who_take_it() {
        for (accepted, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.8", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(accepts_gzip(&headers), expected, "{accepted}");
        }
    }
}
