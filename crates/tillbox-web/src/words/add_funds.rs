//! Adding funds, and cards.

super::words! {
    pay_in => "Add to a prepaid wallet", "Añadir a un monedero";
    pay_in_text(brand) => "What you pay is added to a prepaid wallet with {brand}.", "Lo que pague se añade a un monedero prepagado de {brand}.";
    go_to_payment => "Go on to pay", "Continuar al pago";
    link_ended => "This payment link has ended", "Este enlace de pago ha terminado";
    link_ended_text => "Links are good for 30 days. Ask for a new one.", "Los enlaces valen 30 días. Pida uno nuevo.";
    add_funds => "Add funds", "Añadir fondos";
    top_ups_off => "Top-ups are turned off for this account. Ask support.", "Las recargas están desactivadas en esta cuenta. Consulte a soporte.";
    top_ups_off_closed => "Nothing can be added to a closed wallet.", "No se puede añadir nada a un monedero cerrado.";
    amount => "Amount", "Importe";
    other_amount => "Other", "Otro";
    amount_in(currency) => "Amount in {currency}", "Importe en {currency}";
    between(least, most) => "From {least} to {most}.", "De {least} a {most}.";
    at_least(least) => "At least {least}.", "Como mínimo {least}.";
    pay_with => "Pay with", "Pagar con";
    new_card_or_code => "New card or promo code", "Otra tarjeta o código promocional";
    on_payment_page => "On the payment page", "En la página de pago";
    save_card => "Save the card for next time", "Guardar la tarjeta para la próxima vez";
    save_card_hint => "Only if you want to. You can remove it at any time.", "Solo si lo desea. Puede quitarla cuando quiera.";
    review => "Before you pay", "Antes de pagar";
    charged_to(method) => "Charged to {method}", "Se cobra a {method}";
    paid_on_page => "Paid on the payment page, less any promo code", "Se paga en la página de pago, menos el código promocional";
    what_you_type => "what you type", "lo que escriba";
    available_afterwards => "Available afterwards", "Disponible después";
    shown_before_paying => "shown before you pay", "se muestra antes de pagar";
    add_amount(amount) => "Add {amount}", "Añadir {amount}";
    review_amount => "Review this amount", "Revisar este importe";
    card_details_never_here(brand) =>
        "You enter card details on the payment provider’s page. {brand} sees brand, last four digits and expiry, nothing else.",
        "Los datos de la tarjeta se introducen en la página del proveedor de pagos. {brand} solo ve la marca, los cuatro últimos dígitos y la caducidad.";

    review_heading(amount) => "Add {amount}?", "¿Añadir {amount}?";
    review_text => "Nothing has been charged yet.", "Aún no se ha cobrado nada.";
    back_without_paying => "Back, without paying", "Volver sin pagar";

    amount_missing => "Type an amount.", "Escriba un importe.";
    amount_unreadable(example) => "Type an amount in digits, such as {example}.", "Escriba un importe en cifras, por ejemplo {example}.";
    amount_ambiguous(typed, example) =>
        "“{typed}” could be read in two ways. Type it like {example}.",
        "«{typed}» puede leerse de dos maneras. Escríbalo como {example}.";
    amount_too_small(least) => "The least is {least}.", "El mínimo es {least}.";
    amount_too_large(most) => "The most in one payment is {most}.", "El máximo por pago es {most}.";
    amount_too_fine(example) => "A card is charged in whole cents, such as {example}.", "A una tarjeta se le cobran céntimos enteros, por ejemplo {example}.";
    amount_over_balance(most) => "The balance may be at most {most}. Choose less.", "El saldo puede ser de {most} como máximo. Elija menos.";
    method_missing => "Choose how to pay.", "Elija cómo pagar.";
    method_gone => "That card was removed. Choose another one.", "Esa tarjeta se quitó. Elija otra.";
}
