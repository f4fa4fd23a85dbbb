//! What came of a form.

super::words! {
    added(amount) => "{amount} was added", "Se añadieron {amount}";
    balance_is_now(amount) => "{amount} is available now.", "Ahora hay {amount} disponibles.";
    done_before => "This was done already", "Esto ya estaba hecho";
    done_before_text(amount) => "The same form was sent twice; nothing was charged twice. {amount} is available now.", "El mismo formulario se envió dos veces; nada se cobró dos veces. Ahora hay {amount} disponibles.";
    payment_declined => "The payment was declined", "El pago fue rechazado";
    nothing_charged(words) => "{words} Nothing was charged.", "{words} No se cobró nada.";
    payment_under_way => "The payment is under way", "El pago está en curso";
    payment_under_way_text => "The bank has not answered yet. The balance follows by itself as soon as it does; you need not pay again.", "El banco aún no ha respondido. El saldo se actualizará solo en cuanto lo haga; no tiene que pagar otra vez.";
    payment_waits => "The payment is not finished", "El pago no está terminado";
    payment_waits_text => "Nothing was charged. You can go on with it, or start again.", "No se cobró nada. Puede continuarlo o empezar de nuevo.";
    payment_canceled => "The payment was canceled", "El pago se canceló";
    payment_canceled_text => "Nothing was charged.", "No se cobró nada.";

    card_saved => "Payment source updated successfully.", "La forma de pago se actualizó correctamente.";
    card_saved_next => "One step left: activate the wallet.", "Falta un paso: active el monedero.";
    card_is_default(card) => "{card} is the default now", "{card} es ahora la predeterminada";
    card_removed => "The card was removed", "La tarjeta se quitó";
    card_under_way => "The card is on its way", "La tarjeta está en camino";
    card_under_way_text => "The payment provider has not told us of it yet. Look again in a moment.", "El proveedor de pagos aún no nos ha avisado. Vuelva a mirar en un momento.";
    card_not_added => "No card was added", "No se añadió ninguna tarjeta";

    activated(amount) => "Your wallet is active, with {amount}", "Su monedero está activo, con {amount}";
    activated_text => "It pays from now on. Auto-recharge keeps it filled, if you turn it on.", "Desde ahora paga por usted. La recarga automática lo mantiene lleno, si la activa.";

    recharge_saved_on => "Auto-recharge is on", "La recarga automática está activada";
    recharge_saved_off => "Auto-recharge is off", "La recarga automática está desactivada";
    recharge_saved_off_text => "Nothing is charged by itself any more.", "Ya no se cobra nada automáticamente.";
    recharge_resumed => "Auto-recharge watches the balance again", "La recarga automática vuelve a vigilar el saldo";
    recharge_charging(amount) => "{amount} is being charged now.", "Ahora se están cobrando {amount}.";
    recharge_charged(amount, balance) => "{amount} was charged; {balance} is available now.", "Se cobraron {amount}; ahora hay {balance} disponibles.";

    synced_nothing_open => "Everything is up to date", "Todo está al día";
    synced_nothing_open_text(balance) => "No payment is missing. {balance} is available.", "No falta ningún pago. Hay {balance} disponibles.";
    synced_checked_one => "1 payment was checked, and there is nothing new of it.", "Se comprobó 1 pago y no hay novedades.";
    synced_checked(count) => "{count} payments were checked, and there is nothing new of them.", "Se comprobaron {count} pagos y no hay novedades.";
    synced_still_open => "Still under way", "Aún en curso";
    synced_credited_one(amount) => "1 payment was found and {amount} added", "Se encontró 1 pago y se añadieron {amount}";
    synced_credited(count, amount) => "{count} payments were found and {amount} added", "Se encontraron {count} pagos y se añadieron {amount}";
    synced_failed => "Some payments did not go through", "Algunos pagos no se completaron";
    synced_failed_text => "They are listed below, each with its reason.", "Están en la lista de abajo, cada uno con su motivo.";

    form_used => "This form was sent already, with other values. Nothing was done now: look at how things stand, and send it again.", "Este formulario ya se envió con otros valores. Ahora no se hizo nada: vea cómo está todo y envíelo de nuevo.";
    not_possible => "That is not possible now. Nothing was done.", "Eso no es posible ahora. No se hizo nada.";
    too_many_lots => "This wallet holds too many separate credits to take another one. Ask support.", "Este monedero tiene demasiados créditos separados para aceptar otro. Consulte a soporte.";
}
