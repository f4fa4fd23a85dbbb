//! A browser without scripts: it keeps cookies, follows where forms lead, and sends what the page's forms hold.

use super::{FORM, link, visit};
use crate::app::{Answer, TestApp};

pub(super) struct Browser<'a> {
    app: &'a TestApp,
    cookies: Vec<(String, String)>,
    /// The page that is shown.
    pub(super) page: String,
}

/// Values of a form by name.
pub(super) type Values<'a> = &'a [(&'a str, &'a str)];

impl<'a> Browser<'a> {
    /// A customer who has come by a link, at the wallet.
    pub(super) async fn of(app: &'a TestApp, customer: &str) -> Self {
        let mut browser = Self {
            app,
            cookies: Vec::new(),
            page: String::new(),
        };
        let path = link(app, customer).await;
        let opened = browser.send("POST", &path, "").await;
        assert_eq!(opened.status, 303);
        browser.open("/wallet").await;
        browser
    }

    /// What the browser sends of itself.
    pub(super) fn cookies(&self) -> String {
        let pairs = self.cookies.iter();
        let pairs = pairs.map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    pub(super) async fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies = self.cookies();
        let sent = [
            ("cookie", cookies.as_str()),
            ("content-type", FORM),
            ("sec-fetch-site", "same-origin"),
        ];
        let answer = visit(self.app, method, path, &sent, body).await;
        for set in answer.headers.get_all("set-cookie") {
            let pair = set.to_str().expect("text").split(';').next();
            let (name, value) = pair.and_then(|pair| pair.split_once('=')).expect("a pair");
            self.cookies.retain(|(found, _)| found != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        answer
    }

    /// Shows a page.
    pub(super) async fn open(&mut self, url: &str) {
        let mut url = url.to_owned();
        let mut answer = self.send("GET", &url, "").await;
        while answer.status == 303 {
            url = self.own(answer.header("location"));
            answer = self.send("GET", &url, "").await;
        }
        assert_eq!(answer.status, 200, "{url}");
        self.page = String::from_utf8(answer.body).expect("text");
    }

    /// Sends the page's first form of that address, with some of its values changed, and gives what comes of it.
    pub(super) async fn post(&mut self, action: &str, values: Values<'_>) -> Answer {
        let body = self.form(action, values);
        self.send("POST", action, &body).await
    }

    /// The same, and shows the page that it leads to.
    pub(super) async fn submit(&mut self, action: &str, values: Values<'_>) {
        let answer = self.post(action, values).await;
        self.follow(answer).await;
    }

    /// Shows where an answer leads.
    pub(super) async fn follow(&mut self, answer: Answer) {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 303, "{text}");
        let path = self.own(answer.header("location"));
        self.open(&path).await;
    }

    /// The path of an address of ours.
    pub(super) fn own(&self, url: &str) -> String {
        let origin = self.app.service.public_url().as_str();
        url.strip_prefix(origin).unwrap_or(url).to_owned()
    }

    /// The body of a form as it stands on the page: what is hidden, chosen or typed in it, and what is changed.
    pub(super) fn form(&self, action: &str, values: Values<'_>) -> String {
        let start = format!(r#"<form method="post" action="{action}""#);
        let start = self.page.find(&start).or_else(|| {
            let classed = format!(r#"method="post" action="{action}""#);
            self.page.find(&classed)
        });
        let form =
            &self.page[start.unwrap_or_else(|| panic!("no form {action} in {}", self.page))..];
        let form = &form[..form.find("</form>").expect("its end")];
        let mut fields: Vec<(String, String)> = Vec::new();
        for tag in tags(form, "input") {
            let (Some(name), value) = (attribute(tag, "name"), attribute(tag, "value")) else {
                continue;
            };
            let kind = attribute(tag, "type").unwrap_or_default();
            let is_choice = matches!(kind.as_str(), "radio" | "checkbox");
            if !is_choice || tag.contains(" checked") {
                fields.push((name, value.unwrap_or_default()));
            }
        }
        for select in form.split("<select ").skip(1) {
            let name = attribute(select, "name").expect("a name");
            let options = &select[..select.find("</select>").expect("its end")];
            let options: Vec<&str> = tags(options, "option").collect();
            let chosen = options.iter().find(|tag| tag.contains(" selected"));
            let chosen = chosen.or(options.first()).expect("an option");
            fields.push((name, attribute(chosen, "value").expect("a value")));
        }
        for (name, value) in values {
            fields.retain(|(found, _)| found != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let pairs = fields.iter();
        let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The text of the element with that id.
    #[track_caller]
    pub(super) fn text_of(&self, id: &str) -> String {
        let mark = format!(r#"id="{id}""#);
        let start = self.page.find(&mark);
        let rest = &self.page[start.unwrap_or_else(|| panic!("no {id} in {}", self.page))..];
        let rest = &rest[rest.find('>').expect("its start") + 1..];
        let end = rest.find("</h2>").or_else(|| rest.find("</p>"));
        plain(&rest[..end.expect("its end")])
    }

    /// What the page says first, of the form that was sent.
    #[track_caller]
    pub(super) fn told(&self) -> String {
        self.text_of("told")
    }

    /// What is available, as it stands on the page.
    #[track_caller]
    pub(super) fn balance(&self) -> String {
        let start = self.page.find("data-balance>").expect("a balance");
        let rest = &self.page[start + 13..];
        plain(&rest[..rest.find("</p>").expect("its end")])
    }
}

/// The tags of a name.
pub(super) fn tags<'h>(html: &'h str, name: &str) -> impl Iterator<Item = &'h str> {
    let start = format!("<{name} ");
    let found = html.match_indices(&start).map(|(place, _)| place);
    let found: Vec<usize> = found.collect();
    found.into_iter().map(move |place| {
        let tag = &html[place..];
        &tag[..tag.find('>').expect("its end")]
    })
}

/// The value of an attribute.
pub(super) fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let begins = format!("{name}=\"");
    let place = tag.find(&start).map(|place| place + start.len());
    let place = place.or_else(|| tag.starts_with(&begins).then_some(begins.len()))?;
    let value = &tag[place..];
    Some(unescaped(&value[..value.find('"')?]))
}

/// Text without its tags.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for letter in html.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => is_tag = false,
            letter if !is_tag => text.push(letter),
            _ => {}
        }
    }
    unescaped(&text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn unescaped(text: &str) -> String {
    [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

pub(super) fn encoded(text: &str) -> String {
    let encode = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}
