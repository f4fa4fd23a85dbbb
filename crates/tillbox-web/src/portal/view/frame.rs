//! What stands around every page.

use crate::assets;
use crate::words::Words;
use tillbox_service::Brand;

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// What forms and the cookie say.
    pub(crate) const fn value(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn of(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.value() == value)
    }

    /// What the page is told; nothing where the system decides.
    pub(crate) fn name(self) -> Option<&'static str> {
        (self != Self::Auto).then(|| self.value())
    }
}

/// Where in the menu a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Wallet,
    Help,
    Nowhere,
}

/// What a page of a session shows of it.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) customer: String,
    pub(crate) form_token: String,
    /// The page itself, to come back to.
    pub(crate) here: String,
    pub(crate) wallet_url: String,
    pub(crate) help_url: String,
    /// Where the customer came from.
    pub(crate) return_url: Option<String>,
}

/// The frame of a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) theme: Theme,
    /// The merchant's name; empty where it is not known whose page it is.
    pub(crate) brand: String,
    /// Its first letter, in place of a logo.
    pub(crate) brand_mark: String,
    pub(crate) brand_style_url: Option<String>,
    pub(crate) style_url: String,
    pub(crate) script_url: String,
    pub(crate) icon_url: String,
    pub(crate) support_email: Option<String>,
    pub(crate) support_url: Option<String>,
    /// Pages of a test merchant say so.
    pub(crate) is_test: bool,
    pub(crate) is_narrow: bool,
    pub(crate) place: Place,
    pub(crate) signed_in: Option<SignedIn>,
}

impl Frame {
    /// A frame of nobody's page.
    pub(crate) fn new(title: impl Into<String>, theme: Theme) -> Self {
        Self {
            title: title.into(),
            theme,
            brand: String::new(),
            brand_mark: String::new(),
            brand_style_url: None,
            style_url: assets::url("portal.css"),
            script_url: assets::url("portal.js"),
            icon_url: assets::url("icon.svg"),
            support_email: None,
            support_url: None,
            is_test: false,
            is_narrow: true,
            place: Place::Nowhere,
            signed_in: None,
        }
    }

    /// Of a merchant's page.
    pub(crate) fn of(mut self, brand: &Brand) -> Self {
        let letter = brand.name.chars().find(|letter| letter.is_alphanumeric());
        self.brand.clone_from(&brand.name);
        self.brand_mark = letter.map_or_else(|| "·".to_owned(), |it| it.to_uppercase().collect());
        self.brand_style_url = brand.color.as_deref().and_then(assets::brand_url);
        self.support_email.clone_from(&brand.support_email);
        self.support_url.clone_from(&brand.support_url);
        self.is_test = !brand.live;
        self
    }

    /// Of a session's page.
    pub(crate) fn signed_in(mut self, session: SignedIn, place: Place) -> Self {
        self.signed_in = Some(session);
        self.place = place;
        self
    }

    /// As wide as the screen allows.
    pub(crate) fn wide(mut self) -> Self {
        self.is_narrow = false;
        self
    }
}

impl Words {
    pub(crate) fn theme(self, theme: Theme) -> &'static str {
        match theme {
            Theme::Auto => self.theme_auto(),
            Theme::Light => self.theme_light(),
            Theme::Dark => self.theme_dark(),
        }
    }
}
