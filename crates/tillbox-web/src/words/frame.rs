//! What stands around every page.

super::words! {
    skip_to_content => "Skip to content", "Ir al contenido";
    test_mode => "Test: no real money moves here.", "Prueba: aquí no se mueve dinero real.";
    main_menu => "Main", "Principal";
    payments => "Payments", "Pagos";
    wallet => "Wallet", "Monedero";
    help => "Help", "Ayuda";
    go_back_to(brand) => "Back to {brand}", "Volver a {brand}";
    sign_out => "Sign out", "Cerrar sesión";
    footer(brand) =>
        "Prepaid balance with {brand}. Card details are entered on the payment provider’s page and never stored here.",
        "Saldo prepagado con {brand}. Los datos de la tarjeta se introducen en la página del proveedor de pagos y nunca se guardan aquí.";
    support => "Support:", "Soporte:";
    support_page => "Support page", "Página de soporte";
    language_choice => "Language", "Idioma";
    theme_choice => "Light or dark", "Claro u oscuro";
    theme_auto => "Auto", "Auto";
    theme_light => "Light", "Claro";
    theme_dark => "Dark", "Oscuro";
    reference => "Reference:", "Referencia:";
    copy => "Copy", "Copiar";
    copied => "Copied", "Copiado";
    problems_heading => "Nothing was done yet: please look at this", "Aún no se hizo nada: revise lo siguiente";
}
