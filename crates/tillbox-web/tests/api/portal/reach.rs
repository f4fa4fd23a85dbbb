//! What a customer reaches: its own wallets, and nothing else of the merchant.

use super::{session, sign_in};
use crate::app::TestApp;
use tillbox_core::id::{CustomerId, WalletId};
use tillbox_core::top_up::Channel;
use tillbox_service::books::Every;
use tillbox_service::payments::page::{PageRequest, PageTerms};
use tillbox_service::{Mode, NewPayment, NewTopUp, ServiceError};
use tillbox_store::sqlite::books::Span;
use tillbox_store::sqlite::top_ups::TopUpFilter;
use tillbox_store::sqlite::wallets::WalletFilter;

#[tokio::test]
async fn a_customer_reaches_its_own_wallets_and_nothing_else() {
    let app = TestApp::start();
    let own = app.wallet_with("20.00").await;
    let other = app.wallet_with("30.00").await;
    let owner = app.get(&format!("/v1/wallets/{own}")).await.json()["customer_id"].clone();
    let cookie = sign_in(&app, owner.as_str().expect("an id")).await;
    let session = session(&app, &cookie).await.expect("a session");
    let (who, service) = (&session.principal, &app.service);
    let id = |text: &str| WalletId::parse(text).expect("an id");

    assert!(service.wallet(who, id(&own)).await.is_ok());
    assert!(service.balance(who, id(&own), None).await.is_ok());
    let filter = wallets_of(None);
    let wallets = service.wallets(who, filter, None, 10).await.expect("lists");
    let listed: Vec<String> = wallets.iter().map(|view| view.row.id.to_string()).collect();
    assert_eq!(listed, [own]);

    let other = id(&other);
    let not_found = |what: &str, error: Option<ServiceError>| {
        assert!(
            matches!(error, Some(ServiceError::NotFound)),
            "{what}: {error:?}"
        );
    };
    not_found("wallet", service.wallet(who, other).await.err());
    not_found("balance", service.balance(who, other, None).await.err());
    let past = Some(app.service.clock_now(who));
    not_found("past", service.balance(who, other, past).await.err());
    not_found(
        "transactions",
        service
            .transactions(who, other, std::sync::Arc::default(), None, 10)
            .await
            .err(),
    );
    not_found("lots", service.lots(who, other, None, None, 10).await.err());
    not_found(
        "past lots",
        service.lots(who, other, past, None, 10).await.err(),
    );
    not_found("journal", service.journal(who, Span::default()).await.err());
    not_found(
        "trial balance",
        service.booked_in(who, Span::default()).await.err(),
    );
    not_found("liability", service.liability(who, None).await.err());
    let by_day = service.booked_by(who, Span::default(), Every::Day).await;
    not_found("reports", by_day.err());
    let stranger = CustomerId::from_number(1);
    not_found("customer", service.customer(who, stranger).await.err());
    not_found(
        "customers",
        service.customers(who, None, None, 10).await.err(),
    );
    let theirs = wallets_of(Some(stranger));
    not_found(
        "wallets",
        service.wallets(who, theirs, None, 10).await.err(),
    );
    let top_up = |payment| NewTopUp {
        amount: tillbox_core::amount::Amount::from_micros(20_000_000),
        payment,
        description: None,
    };
    let page = PageRequest {
        channel: Channel::Checkout,
        terms: PageTerms {
            success_url: None,
            cancel_url: None,
            save_payment_method: false,
            allow_promotion_codes: false,
            lives_seconds: 3_600,
        },
    };
    for payment in [NewPayment::Saved(None), NewPayment::Page(page)] {
        let begun = service.create_top_up(who, other, top_up(payment), None, Mode::Commit);
        not_found("a top-up", begun.await.err());
    }
    let merchant = service.authenticate(crate::app::KEY).expect("a caller");
    let listed = service.top_ups(&merchant, other, TopUpFilter::default(), None, 10);
    assert!(listed.await.expect("lists").is_empty());
    let filter = TopUpFilter::default();
    not_found(
        "top-ups",
        service.top_ups(who, other, filter, None, 10).await.err(),
    );
    let activated = service.activate_wallet(who, other, None, None, Mode::Commit);
    not_found("activation", activated.await.err());
    not_found("sync", service.sync_wallet(who, other).await.err());
    not_found("recharge", service.auto_recharge(who, other).await.err());
    not_found(
        "resume",
        service.resume_auto_recharge(who, other).await.err(),
    );
    not_found("alerts", service.alerts(who, other).await.err());
    not_found("history", service.history(who, other, 30).await.err());
    not_found(
        "methods",
        service.payment_methods(who, stranger, None, 10).await.err(),
    );
    let page = service.payment_method_page(who, stranger, String::new(), String::new());
    not_found("a page for a card", page.await.err());
    not_found(
        "a link",
        service
            .create_portal_link(who, session.customer.id, None)
            .await
            .err(),
    );
    not_found(
        "all transactions",
        service
            .merchant_transactions(who, std::sync::Arc::default(), None, 10)
            .await
            .err(),
    );
}

fn wallets_of(customer_id: Option<CustomerId>) -> WalletFilter {
    WalletFilter {
        customer_id,
        ..Default::default()
    }
}
