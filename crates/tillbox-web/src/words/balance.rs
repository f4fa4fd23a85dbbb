//! The balance card, and what stands beside it.

super::words! {
    paid_but_not_here => "Paid, but not here?", "¿Pagado y no aparece?";
    alerts => "Low-balance alert", "Aviso de saldo bajo";
    warn_below => "Warn when the balance is lower than", "Avisar cuando el saldo sea inferior a";
    warn_below_number(number) => "Amount {number}", "Importe {number}";
    alerts_hint => "An empty field counts for nothing. At zero it warns in any case.", "Un campo vacío no cuenta. En cero avisa en todo caso.";
    show_banner => "Show a red banner on this page", "Mostrar un aviso rojo en esta página";
    save_alerts => "Save alert", "Guardar aviso";
    alerts_saved => "The alert was saved", "El aviso se guardó";
    sync => "Sync payments", "Sincronizar pagos";
    wallets => "Your wallets", "Sus monederos";
    available_in(currency) => "Available, {currency}", "Disponible, {currency}";
    available => "Available", "Disponible";
    updated => "Updated", "Actualizado";
    not_followed => "Your session has ended: this is not updated any more.", "Su sesión ha terminado: esto ya no se actualiza.";
    as_a_table => "These 30 days as a table", "Estos 30 días en una tabla";
    day => "Day", "Día";
    balance_at_its_end => "Balance at its end", "Saldo al final";
    today => "Today", "Hoy";

    in_total(amount) => "{amount} in total", "{amount} en total";
    all_available(amount) => "{amount} in total, all of it available", "{amount} en total, todo disponible";
    held_for_one(amount) => "{amount} held for 1 order", "{amount} retenidos para 1 pedido";
    held_for_many(amount, count) => "{amount} held for {count} orders", "{amount} retenidos para {count} pedidos";
    expires_on(amount, day) => "{amount} expires {day}", "{amount} caducan el {day}";
    under_way(amount) => "{amount} on its way", "{amount} en camino";
    owed(amount) => "{amount} owed", "{amount} de deuda";

    paid_in => "Paid in", "Ingresado";
    given => "Promotional credit", "Crédito promocional";
    redeemed => "Redeemed codes", "Códigos canjeados";
    refunded => "Refunded", "Reembolsado";
    corrected => "Corrections", "Ajustes";
    held_until(what, day) => "Held for {what}, until {day}", "Retenido para {what}, hasta el {day}";
    held_without_name => "an order", "un pedido";
    held_others => "Held for other orders", "Retenido para otros pedidos";
    overdraft => "Overdraft allowed", "Descubierto permitido";
    debt => "Owed", "Deuda";

    days_left(days) => "About {days} days left", "Quedan unos {days} días";
    one_day_left => "About 1 day left", "Queda 1 día aproximadamente";
    less_than_a_day_left => "Less than a day left", "Queda menos de un día";
    many_months_left => "More than a year left", "Queda más de un año";
    pace(amount) =>
        "At {amount} a day, your pace of late. Held money isn’t counted.",
        "A razón de {amount} al día, su ritmo reciente. Lo retenido no cuenta.";
    pace_with_recharge(amount) =>
        "At {amount} a day, your pace of late. Auto-recharge fills it up before.",
        "A razón de {amount} al día, su ritmo reciente. La recarga automática lo repone antes.";
    enough_for_days(days) => "enough for about {days} days", "suficiente para unos {days} días";
    enough_for_a_day => "enough for about 1 day", "suficiente para 1 día aproximadamente";

    chart_title(from, first, to) => "From {from} on {first} to {to} today", "De {from} el {first} a {to} hoy";
    chart_text(count, low, low_day) =>
        "Balance at the end of each of the last {count} days. The lowest was {low} on {low_day}.",
        "Saldo al final de cada uno de los últimos {count} días. El más bajo fue {low} el {low_day}.";
    chart_ahead(amount, day) =>
        "At {amount} a day it reaches zero about {day}.",
        "A razón de {amount} al día llega a cero hacia el {day}.";
    low_below(amount) => "Low: {amount}", "Bajo: {amount}";

    low_balance_left(amount) => "Low balance: {amount} left", "Saldo bajo: quedan {amount}";
    balance_empty => "Your balance is used up", "Su saldo se ha agotado";
    low_balance_lasts(day) =>
        "At your usual pace that lasts until about {day}. At zero, what the wallet pays for stops until you add funds.",
        "A su ritmo habitual alcanza hasta el {day} aproximadamente. En cero, lo que paga el monedero se detiene hasta que añada fondos.";
    low_balance_stops =>
        "At zero, what the wallet pays for stops until you add funds.",
        "En cero, lo que paga el monedero se detiene hasta que añada fondos.";
    balance_empty_text =>
        "What the wallet pays for has stopped. It goes on as soon as you add funds.",
        "Lo que paga el monedero se ha detenido. Continuará en cuanto añada fondos.";
    frozen => "This wallet is frozen", "Este monedero está congelado";
    frozen_text =>
        "Money can still be added, but nothing is paid from it. Ask support why.",
        "Se puede añadir dinero, pero no se paga nada con él. Pregunte a soporte por qué.";
    closed => "This wallet is closed", "Este monedero está cerrado";
    closed_text => "Its movements can still be looked at.", "Aún puede consultar sus movimientos.";

    what_wallet_pays_for => "What your wallet pays for", "Qué paga su monedero";
    no_prices(brand) =>
        "{brand} has published no prices here yet. What was paid is in your transactions.",
        "{brand} aún no ha publicado precios aquí. Lo pagado está en sus movimientos.";
    service => "Service", "Servicio";
    price => "Price", "Precio";
    unit => "Unit", "Unidad";
    prices_foot =>
        "Taken from the balance at the moment each thing is used.",
        "Se descuenta del saldo en el momento de cada uso.";
    a_unit(unit) => "a {unit}", "por {unit}";
    per_units(count, unit) => "per {count} {unit}", "por cada {count} {unit}";
    a_minute => "a minute", "por minuto";
    an_hour => "an hour", "por hora";
    a_second => "a second", "por segundo";
    a_message => "a message", "por mensaje";
    a_month => "a month", "por mes";
    billed_in_steps(count) => "Counted in steps of {count}", "Se cuenta de {count} en {count}";
    billed_from(count) => "At least {count}", "Como mínimo {count}";
}
