//! Every word that a page says, in each language.
//!
//! `words!` writes a sentence once in each, side by side, and makes a method of it: one that lacks a language does
//! not compile, and one that no page says any more is told by the compiler. Values come in as parameters, formatted
//! already: money by [`money`], dates by [`dates`].

mod add_funds;
pub(crate) mod amounts;
mod auto_recharge;
mod balance;
mod cards;
pub(crate) mod currencies;
pub(crate) mod dates;
mod frame;
mod help;
pub(crate) mod money;
mod movements;
mod notices;
mod setup;

use tillbox_core::reason::Language;

/// The words of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words(Language);

/// Sentences, each in English and in Spanish.
macro_rules! words {
    ($($name:ident $(($($argument:ident),+))? => $en:literal, $es:literal;)*) => {
        impl $crate::words::Words {
            $($crate::words::sentence! { $name $(($($argument),+))? => $en, $es })*
        }
    };
}

/// One of them: plain text as it stands, or a text with values in it.
macro_rules! sentence {
    ($name:ident => $en:literal, $es:literal) => {
        pub(crate) const fn $name(self) -> &'static str {
            match self.language() {
                tillbox_core::reason::Language::En => $en,
                tillbox_core::reason::Language::Es => $es,
            }
        }
    };
    ($name:ident ($($argument:ident),+) => $en:literal, $es:literal) => {
        pub(crate) fn $name(self, $($argument: impl std::fmt::Display),+) -> String {
            match self.language() {
                tillbox_core::reason::Language::En => format!($en),
                tillbox_core::reason::Language::Es => format!($es),
            }
        }
    };
}

pub(crate) use {sentence, words};

impl Words {
    /// The words of that language.
    pub(crate) const fn of(language: Language) -> Self {
        Self(language)
    }

    pub(crate) const fn language(self) -> Language {
        self.0
    }

    /// What `lang` says in HTML.
    pub(crate) const fn code(self) -> &'static str {
        match self.0 {
            Language::En => "en",
            Language::Es => "es",
        }
    }
}
