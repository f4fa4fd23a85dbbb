//! Saved cards.

super::words! {
    payment_methods => "Payment methods", "Formas de pago";
    add_card => "Add card", "Añadir tarjeta";
    no_methods => "No card is saved yet.", "Aún no hay ninguna tarjeta guardada.";
    default_method => "Default", "Predeterminada";
    make_default => "Make default", "Usar por defecto";
    remove => "Remove", "Quitar";
    remove_of(card) => "Remove {card}", "Quitar {card}";
    ending_in(brand, last4) => "{brand} ending in {last4}", "{brand} terminada en {last4}";
    card => "Card", "Tarjeta";
    expires_in(month) => "Expires {month}", "Caduca {month}";
    expires_this_month(month) => "Expires this month, {month}", "Caduca este mes, {month}";
    expires_next_month(month) => "Expires next month, {month}", "Caduca el mes que viene, {month}";
    expired_in(month) => "Expired {month}", "Caducó {month}";
    declined => "Declined", "Rechazada";
    declined_for_good => "Declined by the bank: not charged any more by itself", "Rechazada por el banco: ya no se le cobra automáticamente";
    removal => "It is charged no more.", "Ya no se le cobrará.";
    removal_of_recharge => "Auto-recharge uses it and will use the default card instead.", "La recarga automática la usa y pasará a usar la tarjeta predeterminada.";
    removal_of_last => "It is the only card: auto-recharge could charge nothing.", "Es la única tarjeta: la recarga automática no podría cobrar nada.";
}
