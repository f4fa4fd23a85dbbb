//! Setting a wallet up.

super::words! {
    set_up => "Set up your wallet", "Configure su monedero";
    set_up_intro => "A prepaid balance. You pay in once; each thing that you use then takes its price from the balance.", "Un saldo prepagado. Usted ingresa dinero una vez y cada uso descuenta su precio del saldo.";
    step(number) => "Step {number}: ", "Paso {number}: ";
    step_done(number) => "Step {number}, done: ", "Paso {number}, hecho: ";
    add_payment_method => "Add a payment method", "Añada una forma de pago";
    step_1_why => "You need a card before the wallet can be activated. It pays the first charge, and later recharges only if you turn them on.", "Necesita una tarjeta para poder activar el monedero. Con ella se paga el primer cobro y, solo si las activa, las recargas posteriores.";
    another_card => "Another card", "Otra tarjeta";
    activate_with(amount) => "Activate with {amount}", "Active con {amount}";
    step_2_why => "The first charge becomes your opening balance, all of it yours to spend.", "El primer cobro se convierte en su saldo inicial, todo para gastar.";
    step_2_later => "The first charge becomes your opening balance. Nothing is charged in step 1.", "El primer cobro se convierte en su saldo inicial. En el paso 1 no se cobra nada.";
    charged_to_your_card => "Charged to your card today", "Se cobra hoy a su tarjeta";
    fee => "Fee", "Comisión";
    no_fee => "None", "Ninguna";
    your_balance_at_once => "Your balance, ready at once", "Su saldo, disponible al momento";
    activate_and_pay(amount) => "Activate now and pay {amount}", "Activar ahora y pagar {amount}";
    bank_may_ask => "Your bank may ask you to confirm.", "Es posible que su banco le pida confirmación.";
    activate_needs_card => "Available once a payment method is saved.", "Disponible cuando haya una forma de pago guardada.";
    activation_under_way => "The activation is under way", "La activación está en curso";
    activation_declined => "The activation was not paid", "La activación no se pagó";

    no_wallet => "There is no wallet yet", "Aún no hay monedero";
    no_wallet_text(brand) => "{brand} has not opened one for you. Ask them, or come back later.", "{brand} aún no ha abierto uno para usted. Consúltelo o vuelva más tarde.";
}
