//! The help page: what people ask most, and what to do.

use super::super::language;
use super::super::notice::render;
use super::super::page_error::PageError;
use super::super::session::Session;
use super::super::view::{HelpPage, Place, SignedIn, Topic};
use super::visit::{Asked, frame_of, signed_in};
use crate::words::Words;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use tillbox_core::id::WalletId;
use tillbox_service::payments::declines::DeclineCause;
use tillbox_service::{Brand, Service};

/// The page.
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    Session(session): Session,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let words = Words::of(language::current());
    let asked = Asked::of(query.as_deref());
    let wallet = asked.get("wallet").and_then(|id| WalletId::parse(id).ok());
    let of_wallet = |path: &str| match wallet {
        Some(id) => format!("{path}?wallet={id}"),
        None => path.to_owned(),
    };
    let (wallet_url, help_url) = (of_wallet("/wallet"), of_wallet("/wallet/help"));
    let brand = service.brand(&session.principal);
    let page = HelpPage {
        words,
        frame: frame_of(&service, &session, words.help()).signed_in(
            SignedIn {
                wallet_url: wallet_url.clone(),
                ..signed_in(&session, help_url)
            },
            Place::Help,
        ),
        topics: topics(words, &brand, &wallet_url),
    };
    render(&page, StatusCode::OK)
}

fn topics(words: Words, brand: &Brand, wallet_url: &str) -> Vec<Topic> {
    let causes = [
        (words.cause_funds(), DeclineCause::InsufficientFunds),
        (words.cause_expired(), DeclineCause::Expired),
        (words.cause_bank(), DeclineCause::BlockedByBank),
        (words.cause_details(), DeclineCause::WrongDetails),
        (words.cause_abroad(), DeclineCause::InternationalRestriction),
        (words.cause_other(), DeclineCause::TryAnotherCard),
    ];
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let to_wallet = Some((words.to_the_wallet(), wallet_url.to_owned()));
    vec![
        Topic {
            id: "declined",
            heading: words.help_declined(),
            paragraphs: owned(&[words.help_declined_intro()]),
            terms: causes
                .into_iter()
                .map(|(name, cause)| (name, cause.words(words.language())))
                .collect(),
            ..Topic::default()
        },
        Topic {
            id: "not-updated",
            heading: words.help_not_updated(),
            paragraphs: owned(&[words.help_not_updated_intro()]),
            steps: owned(&[
                words.help_not_updated_1(),
                words.help_not_updated_2(),
                words.help_not_updated_3(),
                words.help_not_updated_4(),
                words.help_not_updated_5(),
            ]),
            link: to_wallet.clone(),
            ..Topic::default()
        },
        Topic {
            id: "low",
            heading: words.help_low(),
            paragraphs: owned(&[words.help_low_text()]),
            ..Topic::default()
        },
        Topic {
            id: "stopped",
            heading: words.help_stopped(),
            steps: owned(&[
                words.help_stopped_1(),
                words.help_stopped_2(),
                words.help_stopped_3(),
                words.help_stopped_4(),
            ]),
            link: to_wallet,
            ..Topic::default()
        },
        Topic {
            id: "good-practice",
            heading: words.help_good(),
            steps: owned(&[
                words.help_good_1(),
                words.help_good_2(),
                words.help_good_3(),
                words.help_good_4(),
            ]),
            ..Topic::default()
        },
        contact(words, brand),
    ]
}

fn contact(words: Words, brand: &Brand) -> Topic {
    let mail = brand.support_email.as_ref();
    let url = mail
        .map(|email| format!("mailto:{email}"))
        .or_else(|| brand.support_url.clone());
    let text = if url.is_some() {
        words.help_contact_text(&brand.name)
    } else {
        words.help_contact_none(&brand.name)
    };
    Topic {
        id: "contact",
        heading: words.help_contact(),
        paragraphs: vec![text],
        link: url.map(|url| (words.write_to_support(), url)),
        ..Topic::default()
    }
}
