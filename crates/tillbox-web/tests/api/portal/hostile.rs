//! Whatever merchants and customers are called, and whatever they write, it stays text.

use super::browser::Browser;
use super::visit;
use super::wallet::save_card;
use crate::app::TestApp;
use serde_json::json;

/// Texts that would be markup, code or another page where they are not written as text.
const CORPUS: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=\"alert(1)",
    "</title><svg/onload=alert(1)>",
    "</textarea></select></option><iframe src=//evil.example>",
    "<!-- ",
    "]]><![CDATA[",
    "javascript:alert(1)",
    "{{7*7}}{% raw %}",
    "&lt;b&gt;&#60;script&#62;",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<form action=//evil.example><button>",
    "\\\"\\u003cscript\\u003e",
    "ａ<ｂ>𝒸 <blink>",
    "one \u{202e}owt",
];

/// What the templates write. Anything else came from a text.
const TAGS: &[&str] = &[
    "a", "aside", "body", "button", "caption", "circle", "code", "data", "dd", "desc", "details",
    "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2", "h3", "head", "header", "html",
    "input", "label", "legend", "li", "line", "link", "main", "meta", "nav", "ol", "option", "p",
    "path", "rect", "script", "section", "select", "small", "span", "strong", "summary", "svg",
    "symbol", "table", "tbody", "td", "text", "th", "thead", "time", "title", "tr", "ul", "use",
    "br",
];
const ATTRIBUTES: &[&str] = &[
    "action",
    "autocomplete",
    "autofocus",
    "charset",
    "checked",
    "class",
    "content",
    "cx",
    "cy",
    "d",
    "datetime",
    "disabled",
    "download",
    "dx",
    "for",
    "height",
    "href",
    "id",
    "inputmode",
    "lang",
    "maxlength",
    "method",
    "name",
    "open",
    "preserveaspectratio",
    "r",
    "rel",
    "role",
    "rx",
    "scope",
    "selected",
    "src",
    "tabindex",
    "text-anchor",
    "type",
    "value",
    "viewbox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
    "hidden",
    "fill",
];

/// Reads a page as a browser would, and fails at a tag or attribute that no template has.
fn check(page: &str) {
    let letters: Vec<char> = page.chars().collect();
    let mut place = 0;
    while place < letters.len() {
        if letters[place] != '<' {
            place += 1;
            continue;
        }
        place += 1;
        let is_end = letters[place] == '/';
        if is_end {
            place += 1;
        }
        let name = word(&letters, &mut place);
        if name == "!doctype" {
            continue;
        }
        assert!(TAGS.contains(&name.as_str()), "<{name}> in {page}");
        loop {
            while letters[place].is_whitespace() || letters[place] == '/' {
                place += 1;
            }
            if letters[place] == '>' {
                break;
            }
            let attribute = word(&letters, &mut place);
            let is_known = ATTRIBUTES.contains(&attribute.as_str())
                || attribute.starts_with("aria-")
                || attribute.starts_with("data-");
            assert!(is_known, "<{name} {attribute}> in {page}");
            if letters[place] != '=' {
                continue;
            }
            assert_eq!(letters[place + 1], '"', "an unquoted {attribute} in {page}");
            place += 2;
            let start = place;
            while letters[place] != '"' {
                place += 1;
            }
            let value: String = letters[start..place].iter().collect();
            place += 1;
            if matches!(attribute.as_str(), "href" | "src" | "action") {
                let is_ours = ["/", "#", "mailto:help@", "https://example.com"];
                let is_ours = is_ours.iter().any(|known| value.starts_with(known))
                    || value.starts_with("http://127.0.0.1:8420/");
                assert!(is_ours && !value.starts_with("//"), "{attribute}={value}");
            }
            if name == "script" {
                assert!(
                    attribute == "type" || value.starts_with("/assets/"),
                    "{value}"
                );
            }
        }
    }
}

fn word(letters: &[char], place: &mut usize) -> String {
    let start = *place;
    while !letters[*place].is_whitespace() && !"=>/\"'".contains(letters[*place]) {
        *place += 1;
    }
    assert!(*place > start, "no name at {start}");
    let name: String = letters[start..*place].iter().collect();
    name.to_lowercase()
}

#[tokio::test]
async fn hostile_texts_stay_texts_on_every_page() {
    let app = TestApp::start();
    let settings = json!({"branding": {"name": CORPUS[0], "color": "#ffee00"}, "support_email": "help@example.com"});
    let changed = app.patch("/v1/settings", &settings.to_string()).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    for (number, text) in CORPUS.iter().enumerate() {
        let price = json!({"key": format!("p{number}"), "unit": "message", "unit_amount": "0.01", "currency": "USD",
            "description": text, "billing_note": text});
        let made = app.post("/v1/prices", "", &price.to_string()).await;
        assert!(matches!(made.status, 201 | 400), "{}", made.json());
    }
    let mut shown = 0;
    for (number, text) in CORPUS.iter().enumerate() {
        let customer = json!({"name": text, "locale": if number % 2 == 0 { "en" } else { "es" }});
        let customer = app.post("/v1/customers", "", &customer.to_string()).await;
        // The API refuses some of them: bidirectional overrides.
        if customer.status == 400 {
            continue;
        }
        let customer = customer.json()["id"].as_str().expect("an id").to_owned();
        let wallet = json!({"customer_id": customer, "currency": "USD", "name": text,
            "initial_credit": {"amount": "30.00", "funding_type": "cash"}});
        let wallet = app
            .post("/v1/wallets", &customer, &wallet.to_string())
            .await;
        let wallet = wallet.json()["id"].as_str().expect("an id").to_owned();
        let debit = json!({"amount": "0.01", "description": text, "reference": text, "metadata": {"key": text}});
        let path = format!("/v1/wallets/{wallet}/debits");
        let made = app.post(&path, "debit", &debit.to_string()).await;
        assert_eq!(made.status, 201, "{}", made.json());
        let hold = json!({"amount": "1.00", "description": text});
        let path = format!("/v1/wallets/{wallet}/holds");
        assert_eq!(app.post(&path, "hold", &hold.to_string()).await.status, 201);
        save_card(&app, &customer, "pm_card_visa").await;

        let mut browser = Browser::of(&app, &customer).await;
        check(&browser.page);
        let visible = text.split(['<', '>', '"', '\'', '&', '\\']);
        let longest = visible.max_by_key(|part| part.len()).expect("a part");
        // Its name, its wallet's, a debit's, a hold's.
        assert!(browser.page.matches(longest).count() >= 4, "{text}");
        for values in [
            [("amount", "other"), ("other", *text)],
            [("amount", text), ("other", "")],
        ] {
            let answer = browser.post("/wallet/top-ups", &values).await;
            assert_eq!(answer.status, 422);
            check(&String::from_utf8(answer.body).expect("text"));
        }
        let encoded = super::browser::encoded(text);
        for path in [
            format!(
                "/wallet?wallet={wallet}&from={encoded}&type={encoded}&told={encoded}&top_up={encoded}&trail={encoded}"
            ),
            "/wallet/help".to_owned(),
            format!("/wallet/help?wallet={encoded}"),
        ] {
            browser.open(&path).await;
            check(&browser.page);
        }
        for path in [
            format!("/wallet?wallet={encoded}"),
            format!("/wallet/{encoded}"),
        ] {
            let answer = browser.send("GET", &path, "").await;
            assert_eq!(answer.status, 404, "{path}");
            check(&String::from_utf8(answer.body).expect("text"));
        }
        let link = super::link(&app, &customer).await;
        let answer = visit(&app, "GET", &link, &[], "").await;
        check(&String::from_utf8(answer.body).expect("text"));
        shown += 1;
    }
    assert!(shown >= CORPUS.len() - 1, "{shown}");
}

#[test]
#[should_panic(expected = "<img> in")]
fn a_tag_that_came_from_a_text_is_found() {
    check("<p>Hello \"><img src=x></p>");
}

#[test]
#[should_panic(expected = "<p onclick> in")]
fn an_attribute_that_came_from_a_text_is_found() {
    check("<p onclick=\"alert(1)\">Hello</p>");
}
