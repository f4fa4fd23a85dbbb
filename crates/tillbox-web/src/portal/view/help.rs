//! Help, beside the things that it explains.

use super::{Frame, Place, Theme};
use crate::words::Words;
use askama::Template;

/// The page.
#[derive(Template)]
#[template(path = "portal/help.html")]
pub(crate) struct HelpPage {
    pub(crate) words: Words,
    pub(crate) frame: Frame,
    pub(crate) topics: Vec<Topic>,
}

/// One question and its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topic {
    pub(crate) id: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) terms: Vec<(&'static str, &'static str)>,
    pub(crate) steps: Vec<String>,
    pub(crate) link: Option<(&'static str, String)>,
}
