//! What is about to be paid, before it is.

use super::{Fact, FormFields, Frame, Place, Theme};
use crate::words::Words;
use askama::Template;

/// A form whose values are chosen, to be agreed to.
#[derive(Template)]
#[template(path = "portal/review.html")]
pub(crate) struct ReviewPage {
    pub(crate) words: Words,
    pub(crate) frame: Frame,
    pub(crate) form: FormFields,
    pub(crate) key: String,
    pub(crate) path: &'static str,
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) button: String,
    pub(crate) back_url: String,
}
