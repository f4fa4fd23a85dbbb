//! Help: what people ask most, and what to do.

super::words! {
    on_this_page => "On this page", "En esta página";
    to_the_wallet => "Go to the wallet", "Ir al monedero";

    help_declined => "A payment was declined", "Se rechazó un pago";
    help_declined_intro => "Nothing is charged by a declined payment. These are the usual causes, and what helps:", "Un pago rechazado no cobra nada. Estas son las causas habituales y lo que ayuda:";
    cause_funds => "Insufficient funds", "Fondos insuficientes";
    cause_expired => "Card expired", "Tarjeta caducada";
    cause_bank => "Blocked by the bank", "Bloqueado por el banco";
    cause_details => "Wrong card details", "Datos de la tarjeta incorrectos";
    cause_abroad => "International restriction", "Restricción internacional";
    cause_other => "None of these", "Ninguna de estas";

    help_not_updated => "I paid, but the balance is the same", "He pagado, pero el saldo no cambia";
    help_not_updated_intro => "A payment is credited once and only once, even if it takes long. Go through this list:", "Cada pago se abona una sola vez, aunque tarde. Repase esta lista:";
    help_not_updated_1 => "Press “Sync payments” at the top of the wallet page. It asks the payment provider about every payment that is not reflected yet.", "Pulse «Sincronizar pagos» arriba en la página del monedero. Pregunta al proveedor por cada pago que aún no aparece.";
    help_not_updated_2 => "Look for the payment under Transactions. “Completed” means it is in the balance; “Pending” means the bank has not answered.", "Busque el pago en Movimientos. «Completado» significa que está en el saldo; «Pendiente», que el banco no ha respondido.";
    help_not_updated_3 => "“Failed” means nothing was charged. A reservation that your bank still shows goes away by itself.", "«Fallido» significa que no se cobró nada. Si su banco muestra una reserva, desaparece sola.";
    help_not_updated_4 => "Wait a few minutes and load the page again. You need not pay a second time.", "Espere unos minutos y recargue la página. No tiene que pagar otra vez.";
    help_not_updated_5 => "Still missing? Open the payment in the list, copy its payment id, and send it to support.", "¿Sigue sin aparecer? Abra el pago en la lista, copie su identificador y envíelo a soporte.";

    help_low => "A red banner says “low balance”", "Un aviso rojo dice «saldo bajo»";
    help_low_text => "The balance fell below the limit that was set for this wallet. Nothing has stopped yet. Add funds before it reaches zero, or turn on auto-recharge, and it takes care of it.", "El saldo bajó del límite fijado para este monedero. Aún no se ha detenido nada. Añada fondos antes de que llegue a cero o active la recarga automática y se ocupará de ello.";

    help_stopped => "Messages, calls or other services stopped", "Se detuvieron mensajes, llamadas u otros servicios";
    help_stopped_1 => "Look at “Available” on the wallet page. What is held for orders can’t be used for anything else.", "Mire «Disponible» en la página del monedero. Lo retenido para pedidos no sirve para otra cosa.";
    help_stopped_2 => "If it is too little, add funds with a saved card: they can be used at once, and services go on by themselves.", "Si es poco, añada fondos con una tarjeta guardada: se pueden usar al momento y los servicios continúan solos.";
    help_stopped_3 => "See under Transactions what used it up.", "Vea en Movimientos en qué se gastó.";
    help_stopped_4 => "Turn on auto-recharge so that it does not happen again. If it is on, look at “How it goes” there: it says why it did not charge.", "Active la recarga automática para que no se repita. Si está activada, mire «Cómo va»: allí dice por qué no cobró.";

    help_good => "Good practice", "Buenas prácticas";
    help_good_1 => "Set the auto-recharge limit so high that it covers what you use in a month. The form proposes one.", "Fije el límite de la recarga automática tan alto que cubra su consumo de un mes. El formulario propone uno.";
    help_good_2 => "Before a large campaign, compare its cost with what is available, and watch the balance while it runs: the page changes by itself.", "Antes de una campaña grande, compare su coste con lo disponible y vigile el saldo mientras dura: la página cambia sola.";
    help_good_3 => "Save a second card as a backup. It is tried when the first one is declined.", "Guarde una segunda tarjeta de reserva. Se usa cuando la primera se rechaza.";
    help_good_4 => "Look through the transactions once a month; the CSV has all of them.", "Revise los movimientos una vez al mes; el CSV los contiene todos.";

    help_contact => "Still no answer?", "¿Sigue sin respuesta?";
    help_contact_text(brand) => "Write to {brand} and name the payment or transaction id that you find in the list.", "Escriba a {brand} e indique el identificador del pago o movimiento que aparece en la lista.";
    help_contact_none(brand) => "Ask {brand}, from where you came to this page.", "Consulte a {brand}, desde donde llegó a esta página.";
    write_to_support => "Write to support", "Escribir a soporte";
}
