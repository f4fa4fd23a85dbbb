//! The list of movements.

super::words! {
    transactions => "Transactions", "Movimientos";
    transactions_newest_first => "Transactions, newest first", "Movimientos, los más recientes primero";
    from => "From", "Desde";
    to => "To", "Hasta";
    kind => "Type", "Tipo";
    all_kinds => "All types", "Todos los tipos";
    filter => "Filter", "Filtrar";
    show_all => "Show all", "Ver todos";
    date => "Date", "Fecha";
    description => "Description", "Descripción";
    status => "Status", "Estado";
    balance => "Balance", "Saldo";
    no_change => "No change", "Sin cambio";
    pages => "Pages of transactions", "Páginas de movimientos";
    page(number) => "Page {number}", "Página {number}";
    newest => "Newest", "Los últimos";
    newer => "Newer", "Más recientes";
    older => "Older", "Más antiguos";
    no_movements => "No movement yet. Top-ups and everything the wallet pays for will be listed here.", "Aún no hay movimientos. Aquí aparecerán las recargas y todo lo que pague el monedero.";
    no_matches => "Nothing matches this filter.", "Nada coincide con este filtro.";

    kind_top_up => "Top-up", "Recarga";
    kind_top_ups => "Top-ups and credit", "Recargas y créditos";
    kind_credit => "Credit", "Crédito";
    kind_debit => "Deduction", "Descuento";
    kind_debits => "Deductions", "Descuentos";
    kind_refund => "Refund", "Reembolso";
    kind_refunds => "Refunds", "Reembolsos";
    kind_adjustment => "Adjustment", "Ajuste";
    kind_adjustments => "Adjustments", "Ajustes";

    status_completed => "Completed", "Completado";
    status_pending => "Pending", "Pendiente";
    status_confirm => "To confirm", "Por confirmar";
    status_failed => "Failed", "Fallido";
    status_canceled => "Canceled", "Cancelado";

    balance_before => "Balance before", "Saldo anterior";
    paid_from => "Paid from", "Pagado con";
    went_to => "Went to", "Se abonó en";
    funding_cash => "paid-in money", "dinero ingresado";
    funding_promotional => "promotional credit", "crédito promocional";
    funding_code => "redeemed codes", "códigos canjeados";
    funding_refund => "refunded money", "dinero reembolsado";
    funding_adjustment => "corrections", "ajustes";
    usable_until => "To use by", "Para usar hasta";
    paid_with => "Paid with", "Pagado con";
    refunded_to => "Refunded to", "Reembolsado a";
    refund_under_way_text => "On its way to your card; the bank may take some days.", "En camino a su tarjeta; el banco puede tardar unos días.";
    refund_failed_text => "The card could not be refunded: the amount is back in your balance.", "No se pudo reembolsar a la tarjeta: el importe vuelve a estar en su saldo.";
    refund_by_hand_text => "The card could not be refunded: you will be paid in another way.", "No se pudo reembolsar a la tarjeta: se le pagará de otra forma.";
    charged => "Charged", "Cobrado";
    discount => "Promo code", "Código promocional";
    your_reference => "Reference", "Referencia";
    payment_id => "Payment", "Pago";
    movement_id => "Transaction", "Movimiento";
    by => "By", "Por";
    by_you => "you", "usted";
    by_itself => "automatically", "automáticamente";
    under_way_text => "The bank has not answered yet. Nothing is charged twice; Sync asks again.", "El banco aún no ha respondido. Nada se cobra dos veces; Sincronizar vuelve a preguntar.";
    waits_for_page_text => "Not paid yet: the payment page is still open.", "Aún sin pagar: la página de pago sigue abierta.";
    waits_for_bank_text => "Your bank wants you to confirm this payment.", "Su banco quiere que confirme este pago.";
    canceled_text => "It was given up before it was paid.", "Se abandonó antes de pagar.";
    open_payment_page => "Open the payment page", "Abrir la página de pago";
    ask_support => "Ask support about this payment", "Consultar a soporte sobre este pago";
    ask_subject(id) => "Payment {id}", "Pago {id}";
}
