//! What the sandbox's pages say, in both languages.

use tillbox_core::reason::Language;
use tillbox_service::payments::sandbox::PageState;

/// The words of a language.
#[derive(Clone, Copy)]
pub(super) struct Words(Language);

macro_rules! words {
    ($($name:ident: $en:literal, $es:literal;)*) => {
        impl Words {
            $(pub(super) fn $name(self) -> &'static str {
                match self.0 {
                    Language::En => $en,
                    Language::Es => $es,
                }
            })*
        }
    };
}

words! {
    test_mode: "Test mode: no real money moves", "Modo de prueba: no se mueve dinero real";
    add_card: "Add card", "Añadir tarjeta";
    add_title: "Add a test card", "Añadir una tarjeta de prueba";
    add_intro: "Choose how the card shall behave.", "Elija cómo se comportará la tarjeta.";
    pay_title: "Test payment", "Pago de prueba";
    cards: "Test cards", "Tarjetas de prueba";
    cancel: "Cancel", "Cancelar";
    promotion: "Promotion code", "Código promocional";
    promotion_hint: "Try SAVE10, FIVEOFF or FREE100.", "Pruebe SAVE10, FIVEOFF o FREE100.";
    unknown_code: "There is no such code.", "Ese código no existe.";
    save_card: "Save this card for later", "Guardar esta tarjeta para otra vez";
    pay: "Pay", "Pagar";
    succeeds: "Works", "Funciona";
    asks: "The bank asks you to confirm (3-D Secure)", "El banco le pide confirmar (3-D Secure)";
    disputed: "Works, and the bank disputes it", "Funciona, y el banco lo disputa";
    unheard: "Works, but the reply gets lost", "Funciona, pero la respuesta se pierde";
    confirm_title: "Your test bank asks", "Su banco de prueba pregunta";
    confirm_text: "Do you confirm this payment?", "¿Confirma este pago?";
    confirm: "Confirm", "Confirmar";
    refuse: "Refuse", "Rechazar";
    done: "There is nothing to do here any more.", "Aquí ya no hay nada que hacer.";
    expired: "This page has expired. Begin again from where you came.", "Esta página ha caducado. Empiece de nuevo desde donde llegó.";
    go_on: "Go back", "Volver";
    problem: "That did not work", "Eso no funcionó";
    expired_card: "Declined: the card has expired", "Rechazada: la tarjeta ha caducado";
    insufficient: "Declined: not enough funds", "Rechazada: fondos insuficientes";
    stolen: "Declined: reported stolen", "Rechazada: denunciada como robada";
    blocked: "Declined: blocked by the bank", "Rechazada: bloqueada por el banco";
    details: "Declined: wrong details", "Rechazada: datos incorrectos";
    abroad: "Declined: not allowed abroad", "Rechazada: no permitida en el extranjero";
    outage: "Fails: the provider has a fault", "Falla: el proveedor tiene una avería";
    declined: "Declined", "Rechazada";
}

impl Words {
    pub(super) fn of(locale: &str) -> Self {
        Self(crate::portal::language::of_locale(locale))
    }

    pub(super) fn current() -> Self {
        Self(crate::portal::language::current())
    }

    pub(super) fn language(self) -> Language {
        self.0
    }

    /// What `lang` says in HTML.
    pub(super) fn code(self) -> &'static str {
        match self.0 {
            Language::En => "en",
            Language::Es => "es",
        }
    }

    pub(super) fn declines(self, code: &str) -> &'static str {
        match code {
            "expired_card" => self.expired_card(),
            "insufficient_funds" => self.insufficient(),
            "stolen_card" => self.stolen(),
            "do_not_honor" => self.blocked(),
            "incorrect_cvc" => self.details(),
            "currency_not_supported" => self.abroad(),
            "processing_error" => self.outage(),
            _ => self.declined(),
        }
    }

    pub(super) fn over(self, state: PageState) -> &'static str {
        match state {
            PageState::Expired => self.expired(),
            PageState::Done | PageState::Open => self.done(),
        }
    }
}
