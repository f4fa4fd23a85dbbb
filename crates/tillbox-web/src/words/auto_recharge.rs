//! Auto-recharge: what it does, how it stands, why it did not charge.

super::words! {
    auto_recharge => "Auto-recharge", "Recarga automática";
    is_on => "On", "Activada";
    is_off => "Off", "Desactivada";
    is_charging => "Charging now", "Cobrando ahora";
    is_cooling_down => "Trying again soon", "Reintentará pronto";
    is_paused => "Paused", "En pausa";

    recharge_how => "How much to add", "Cuánto añadir";
    recharge_add => "Add", "Añadir";
    recharge_up_to => "Fill up to", "Completar hasta";
    recharge_amount => "Auto recharge with", "Importe de la recarga automática";
    other_amount_option => "Other…", "Otro…";
    when_balance_lower_than => "when balance is lower than", "cuando el saldo sea inferior a";
    threshold => "When balance is lower than", "Cuando el saldo sea inferior a";
    cycle_cost(cost) => "Your last 30 days cost {cost}.", "Sus últimos 30 días costaron {cost}.";
    cycle_cost_covered(cost, threshold) =>
        "30 days cost you about {cost}: a limit of {threshold} covers them.",
        "30 días le cuestan unos {cost}: un límite de {threshold} los cubre.";

    turning_on_charges(amount) => "Turning this on charges {amount} now.", "Activarla cobra {amount} ahora.";
    saving_charges(amount) => "Saving this charges {amount} now.", "Guardar esto cobra {amount} ahora.";
    charge_from_to(before, after) => "You have {before}; then {after} is available.", "Tiene {before}; después habrá {after} disponibles.";
    charge_in_multiples(before, after, count) =>
        "You have {before}; one recharge would not be enough, so {count} are charged together. Then {after} is available.",
        "Tiene {before}; una recarga no bastaría, por eso se cobran {count} juntas. Después habrá {after} disponibles.";
    nothing_charged_now => "Nothing is charged now.", "Ahora no se cobra nada.";
    fires_below(threshold) => "The balance is not below {threshold}.", "El saldo no es inferior a {threshold}.";
    a_charge_is_under_way => "A charge is under way already.", "Ya hay un cobro en curso.";
    cap_would_hold => "The monthly limit holds it back.", "El límite mensual lo impide.";
    limits_would_hold => "The limits of a payment hold it back.", "Los límites de un pago lo impiden.";
    recharge_changed =>
        "You changed something. If saving charges the card now, the amount is shown before.",
        "Ha cambiado algo. Si al guardar se cobra la tarjeta, antes se muestra el importe.";

    more_settings(card) => "{card} first, no monthly limit", "{card} primero, sin límite mensual";
    more_settings_with_cap(card, cap) => "{card} first, at most {cap} a month", "{card} primero, como máximo {cap} al mes";
    the_default_card => "Default card", "Tarjeta predeterminada";
    at_most_in_a_month => "At most in a month", "Como máximo al mes";
    cap_hint => "Leave it empty for no limit.", "Déjelo vacío para no poner límite.";
    charge_first => "Charge first", "Cobrar primero a";
    the_default_method => "The default card", "La tarjeta predeterminada";
    backup(place) => "If declined, backup {place}", "Si se rechaza, reserva {place}";
    nothing => "Nothing", "Nada";
    turn_on => "Turn on", "Activar";
    turn_on_and_charge(amount) => "Turn on and charge {amount}", "Activar y cobrar {amount}";
    save_settings => "Save", "Guardar";
    save_and_charge(amount) => "Save and charge {amount}", "Guardar y cobrar {amount}";
    turn_off => "Turn off", "Desactivar";
    resume => "Resume auto-recharge", "Reanudar la recarga automática";
    needs_card => "Add a card first: it is what auto-recharge charges.", "Añada antes una tarjeta: a ella cobra la recarga automática.";
    not_on_this_wallet => "This wallet can’t be recharged.", "Este monedero no se puede recargar.";

    last_charge_worked(amount, when) => "Last charged {amount}, {when}.", "Último cobro: {amount}, {when}.";
    charge_under_way(amount) => "{amount} is being charged. The balance follows as soon as the bank answers.", "Se están cobrando {amount}. El saldo se actualizará en cuanto responda el banco.";
    cap_reached_note(cap) => "The monthly limit of {cap} is used up: nothing is charged before next month.", "El límite mensual de {cap} está agotado: no se cobra nada hasta el mes que viene.";
    maximum_balance_note => "A charge would pass the highest balance that is allowed, so nothing is charged.", "Un cobro superaría el saldo máximo permitido, por eso no se cobra nada.";
    outside_limits_note => "What is missing is outside the limits of a payment, so nothing is charged.", "Lo que falta está fuera de los límites de un pago, por eso no se cobra nada.";

    recharge_declined => "The automatic charge was declined", "El cobro automático fue rechazado";
    tries_again_at(when) => "It tries again {when}.", "Se reintentará {when}.";
    paused_hard => "Auto-recharge is paused: the card can’t be charged any more. Choose another card or add one.", "La recarga automática está en pausa: ya no se puede cobrar a la tarjeta. Elija otra o añada una.";
    paused_authentication => "Your bank wants you to confirm the automatic charge", "Su banco quiere que confirme el cobro automático";
    paused_authentication_text =>
        "Auto-recharge is paused until then. Confirm the payment, or add funds yourself.",
        "La recarga automática está en pausa hasta entonces. Confirme el pago o añada fondos usted.";
    paused_failures => "Auto-recharge is paused after several declined charges. Add funds or another card, then resume it.", "La recarga automática está en pausa tras varios cobros rechazados. Añada fondos u otra tarjeta y reanúdela.";
    paused_money_back => "Auto-recharge is paused because money was paid back. Resume it when you like.", "La recarga automática está en pausa porque se devolvió dinero. Reanúdela cuando quiera.";
    paused_by_hand => "Auto-recharge is paused.", "La recarga automática está en pausa.";
    confirm_payment => "Confirm the payment", "Confirmar el pago";
    confirm_and_pay(amount) => "Confirm and pay {amount}", "Confirmar y pagar {amount}";

    how_it_goes => "How it goes", "Cómo va";
    now => "Now", "Ahora";
    why_enough(effective, threshold) => "Not charged: {effective} is not below {threshold}", "No se cobra: {effective} no es inferior a {threshold}";
    why_in_flight => "Not charged: one charge is under way", "No se cobra: hay un cobro en curso";
    why_cooling_down => "Not charged: the last charge was declined", "No se cobra: el último cobro fue rechazado";
    why_paused => "Not charged: it waits for you", "No se cobra: espera su respuesta";
    why_cap => "Not charged: the monthly limit is used up", "No se cobra: el límite mensual está agotado";
    why_maximum => "Not charged: the highest balance would be passed", "No se cobra: se superaría el saldo máximo";
    why_limits => "Not charged: outside the limits of a payment", "No se cobra: fuera de los límites de un pago";
    why_not_active => "Not charged: the wallet is not active", "No se cobra: el monedero no está activo";
    about_to_charge => "About to charge", "A punto de cobrar";
    next_try => "Next try", "Próximo intento";
    compared => "Compared with the limit", "Se compara con el límite";
    charged_this_month => "Charged this month", "Cobrado este mes";
    cap_used(charged, cap) => "{charged} of {cap} used this month", "{charged} de {cap} usados este mes";
    card_charged => "Card", "Tarjeta";
    last_charges => "Last charges", "Últimos cobros";
    no_charges_yet => "No charge yet.", "Ningún cobro todavía.";

    target_below_threshold => "Fill up to at least the limit below which it charges.", "Complete al menos hasta el límite por debajo del cual se cobra.";
    recharge_review_heading(amount) => "Turn on and charge {amount} now?", "¿Activar y cobrar {amount} ahora?";
    recharge_review_text(before, threshold) =>
        "The balance of {before} is below {threshold}, so saving charges at once.",
        "El saldo de {before} es inferior a {threshold}, por eso al guardar se cobra enseguida.";
}
