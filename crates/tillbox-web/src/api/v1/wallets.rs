//! Wallets: opening, looking, changing, freezing.

use super::closing::PlanView;
use super::credits::{Funding, within_limits};
use super::top_ups::NextAction;
use super::{mode, wallet_id};
use crate::api::answer::{bytes, ok, print, raw, replayed, stored};
use crate::api::body::Json;
use crate::api::caller::{Caller, Scope};
use crate::api::fingerprint::Fingerprint;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::values::{
    CurrencyCode, Metadata, Money, NotNegative, Positive, Words, merged, patch, present,
};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Credit};
use tillbox_core::currency::Currency;
use tillbox_core::entry::Note;
use tillbox_core::id::{CustomerId, PaymentMethodId, WalletId};
use tillbox_core::top_up::TopUpStatus;
use tillbox_core::wallet::{Balances, WalletStatus};
use tillbox_service::{
    OpenWallet, Operation, Service, WalletAnswer, WalletChange, WalletView as View,
};
use tillbox_store::sqlite::wallets::WalletFilter;
use utoipa::ToSchema;

/// A wallet.
#[derive(Serialize, ToSchema)]
#[schema(as = Wallet)]
pub(crate) struct WalletView<'a> {
    id: Option<String>,
    customer_id: String,
    currency: &'a str,
    name: Option<&'a str>,
    status: &'static str,
    overdraft_limit: String,
    #[serde(flatten)]
    sums: Sums,
    /// The number of its last row in the log.
    version: u64,
    #[schema(value_type = Object)]
    metadata: &'a RawValue,
    created_at: String,
    updated_at: String,
    /// The payment that an activation waits for, in the answer to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<ActivationView>,
    /// What closing pays out and gives up, in the dry run of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

/// The payment that an activation waits for.
#[derive(Serialize, ToSchema)]
#[schema(as = Activation)]
pub(crate) struct ActivationView {
    /// Null in a dry run.
    top_up_id: Option<String>,
    status: &'static str,
    next_action: Option<NextAction>,
}

/// What a wallet holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sums {
    /// Posted value.
    balance: String,
    /// Reserved value.
    held: String,
    /// The part of `held` that waits for invoices.
    pending_charges: String,
    /// balance − held + overdraft limit.
    available_balance: String,
    debt: String,
    /// Top-ups under way; never spendable.
    pending_top_ups: String,
    /// What may be paid out.
    withdrawable: String,
    /// Whether the balance is below a threshold, or at zero once there was money.
    low_balance: bool,
}

/// What a wallet holds, opened up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Balance {
    #[serde(flatten)]
    sums: Sums,
    overdraft_limit: String,
    currency: String,
    /// What remains by origin.
    by_funding_type: BTreeMap<&'static str, String>,
    expiring_next: Option<ExpiringNext>,
    updated_at: String,
    /// The instant that it is of.
    as_of: String,
}

/// What expires next.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExpiringNext {
    amount: String,
    at: String,
}

impl Sums {
    fn of(balances: &Balances, is_low: bool, currency: Currency) -> Self {
        let money = |amount: Amount| print(amount, currency);
        Self {
            balance: money(balances.balance),
            held: money(balances.held),
            pending_charges: money(balances.pending_charges),
            available_balance: money(balances.available),
            debt: money(balances.debt),
            pending_top_ups: money(balances.pending_top_ups),
            withdrawable: money(balances.withdrawable),
            low_balance: is_low,
        }
    }
}

impl<'a> WalletView<'a> {
    pub(crate) fn of(view: &'a View, dry_run: bool) -> Self {
        let currency = view.row.currency;
        Self {
            id: (!dry_run).then(|| view.row.id.to_string()),
            customer_id: view.row.customer_id.to_string(),
            currency: view.row.currency.code(),
            name: view.row.name.as_deref(),
            status: view.status.name(),
            overdraft_limit: print(view.overdraft_limit, currency),
            sums: Sums::of(&view.balances, view.is_low, currency),
            version: view.version,
            metadata: raw(Some(&view.row.metadata)),
            created_at: view.row.created_at.to_string(),
            updated_at: view.updated_at.to_string(),
            activation: None,
            plan: None,
            dry_run: dry_run.then_some(true),
        }
    }

    /// The answer to a close.
    pub(crate) fn closing(view: &'a View, plan: Option<PlanView>, dry_run: bool) -> Self {
        Self {
            plan,
            ..Self::of(view, dry_run)
        }
    }
}

/// What a wallet is opened with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletBody {
    customer_id: String,
    currency: CurrencyCode,
    name: Option<Words<200>>,
    initial_credit: Option<InitialCredit>,
    overdraft_limit: Option<NotNegative>,
    metadata: Option<Metadata>,
    dry_run: Option<bool>,
}

/// A wallet's first value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InitialCredit {
    amount: Positive,
    funding_type: Funding,
}

/// What changes of a wallet: absent stays, null clears.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct WalletPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<Words<200>>>,
    #[serde(default, deserialize_with = "present")]
    overdraft_limit: Option<NotNegative>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Option<Metadata>>,
}

/// Why a wallet is frozen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FreezeBody {
    reason: Words<500>,
    dry_run: Option<bool>,
}

/// Nothing is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnfreezeBody {
    dry_run: Option<bool>,
}

/// Opens a wallet: one for each customer and currency.
#[utoipa::path(post, path = "/v1/wallets", tag = "wallets", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = WalletBody, responses((status = 201, body = WalletView)))]
pub(crate) async fn open(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<WalletBody>,
) -> Result<Response, Problem> {
    let settings = service.settings(&caller.principal);
    let settings = settings.overridden_for(body.currency.0);
    let overdraft_limit = body.overdraft_limit.map(NotNegative::get).transpose()?;
    let initial = body
        .initial_credit
        .map(|credit| {
            Ok::<_, Problem>(Credit::new(
                credit.amount.get()?,
                credit.funding_type.into(),
            ))
        })
        .transpose()?;
    let fingerprint = Fingerprint::of("wallet")
        .text("customer_id", Some(&body.customer_id))
        .text("currency", Some(body.currency.0.code()))
        .text("name", body.name.as_ref().map(|name| name.0.as_str()))
        .amount(
            "initial_amount",
            initial.as_ref().map(|credit| credit.amount),
        )
        .text(
            "initial_funding",
            initial.as_ref().map(|credit| credit.funding.name()),
        )
        .amount("overdraft_limit", overdraft_limit)
        .text(
            "metadata",
            body.metadata.as_ref().map(|metadata| metadata.0.as_str()),
        )
        .finish();
    let dry_run = body.dry_run.unwrap_or(false);
    let scope = Scope::Merchant(caller.principal.merchant_id);
    let key = if initial.is_some() {
        caller.key(scope, fingerprint, dry_run)?
    } else {
        caller.optional_key(scope, fingerprint)?
    };
    let open = OpenWallet {
        customer_id: CustomerId::parse(&body.customer_id)
            .map_err(|_malformed| Problem::not_found())?,
        currency: body.currency.0,
        name: body.name.map(|name| name.0),
        metadata: body
            .metadata
            .map_or_else(|| "{}".to_owned(), |metadata| metadata.0),
        overdraft_limit: overdraft_limit.unwrap_or(Amount::ZERO),
        initial_credit: initial.map(|credit| within_limits(credit, &settings)),
    };
    let answer: WalletAnswer = Arc::new(move |view| bytes(&WalletView::of(view, dry_run)));
    stored(
        service
            .open_wallet(&caller.principal, open, key, mode(dry_run), answer)
            .await?,
    )
}

/// Wallets, newest first.
#[utoipa::path(get, path = "/v1/wallets", tag = "wallets",
    params(("customer_id" = Option<String>, Query), ("status" = Option<String>, Query), ("currency" = Option<String>, Query),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<WalletView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["customer_id", "status", "currency", "limit", "cursor"])?;
    let status = query.one_of("status", &WalletStatus::ALL, WalletStatus::name)?;
    let currency = query.get("currency").map(Currency::parse).transpose();
    let currency =
        currency.map_err(|unknown| Problem::invalid_parameter("currency", unknown.to_string()))?;
    let page = query.page("wallets")?;
    let customer_id = query
        .get("customer_id")
        .map(CustomerId::parse)
        .transpose()
        .map_err(|_malformed| Problem::not_found())?;
    let filter = WalletFilter {
        customer_id,
        status,
        currency,
    };
    let views = service
        .wallets(
            &caller.principal,
            filter,
            page.before.map(WalletId::from_number),
            page.rows(),
        )
        .await?;
    let all = views.clone();
    let listed = page.list(views, |view| view.row.id.number(), |view| view.row.id);
    Ok(ok(&listed.map(&all, |view| WalletView::of(view, false))))
}

/// A wallet.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}", tag = "wallets", params(("wallet_id" = String, Path)), responses((status = 200, body = WalletView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let view = service
        .wallet(&caller.principal, wallet_id(&wallet)?)
        .await?;
    Ok(ok(&WalletView::of(&view, false)))
}

/// Changes a wallet's name, data or overdraft limit.
#[utoipa::path(patch, path = "/v1/wallets/{wallet_id}", tag = "wallets", params(("wallet_id" = String, Path)), request_body = WalletPatch,
    responses((status = 200, body = WalletView)))]
pub(crate) async fn change(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<WalletPatch>,
) -> Result<Response, Problem> {
    let change = WalletChange {
        name: body.name.map(|name| name.map(|name| name.0)),
        metadata: body.metadata.map(merged),
        overdraft_limit: body.overdraft_limit.map(NotNegative::get).transpose()?,
    };
    let id = wallet_id(&wallet)?;
    service.update_wallet(&caller.principal, id, change).await?;
    let view = service.wallet(&caller.principal, id).await?;
    Ok(ok(&WalletView::of(&view, false)))
}

/// What a wallet holds, as of now or of a past instant.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/balance", tag = "wallets", params(("wallet_id" = String, Path), ("at" = Option<String>, Query)), responses((status = 200, body = Balance)))]
pub(crate) async fn balance(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["at"])?;
    let at = query.past_instant("at")?;
    let id = wallet_id(&wallet)?;
    let balance = service.balance(&caller.principal, id, at).await?;
    let currency = balance.currency;
    let by_funding_type = balance.balances.by_funding_type.iter();
    Ok(ok(&Balance {
        sums: Sums::of(&balance.balances, balance.is_low, currency),
        overdraft_limit: print(balance.overdraft_limit, currency),
        currency: currency.code().to_owned(),
        by_funding_type: by_funding_type
            .map(|(funding, amount)| (funding.name(), print(*amount, currency)))
            .collect(),
        expiring_next: balance
            .balances
            .expiring_next
            .map(|(amount, at)| ExpiringNext {
                amount: print(amount, currency),
                at: at.to_string(),
            }),
        updated_at: balance.updated_at.to_string(),
        as_of: balance.as_of.to_string(),
    }))
}

/// With what a wallet is activated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivateBody {
    /// The saved method to charge; the customer's default unless said otherwise.
    payment_method_id: Option<String>,
    dry_run: Option<bool>,
}

/// Charges what activates the wallet. Where the customer has to confirm, the wallet stays `pending_activation` and
/// `activation` says how to go on; one at a time.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/activate", tag = "wallets", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = ActivateBody, responses((status = 200, body = WalletView)))]
pub(crate) async fn activate(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<ActivateBody>,
) -> Result<Response, Problem> {
    let fingerprint = Fingerprint::of("activate")
        .text("payment_method_id", body.payment_method_id.as_deref())
        .finish();
    let dry_run = body.dry_run.unwrap_or(false);
    let wallet_id = wallet_id(&wallet)?;
    let key = caller.key(Scope::Wallet(wallet_id), fingerprint, dry_run)?;
    let method = body
        .payment_method_id
        .as_deref()
        .map(PaymentMethodId::parse);
    let method = method
        .transpose()
        .map_err(|_malformed| Problem::not_found())?;
    let activation = service
        .activate_wallet(&caller.principal, wallet_id, method, key, mode(dry_run))
        .await?;
    if let Some(failed) = activation
        .payment
        .as_ref()
        .filter(|payment| payment.row.top_up.status == TopUpStatus::Failed)
    {
        let declined = axum::response::IntoResponse::into_response(Problem::declined(failed));
        return Ok(replayed(declined, activation.replayed));
    }
    let begun = activation.payment.as_ref().map(|payment| ActivationView {
        top_up_id: Some(payment.row.id.to_string()),
        status: payment.row.top_up.status.name(),
        next_action: NextAction::of(&payment.row),
    });
    let would_begin = activation.would_begin.as_ref();
    let view = WalletView {
        activation: begun.or_else(|| {
            would_begin.map(|top_up| ActivationView {
                top_up_id: None,
                status: top_up.status.name(),
                next_action: None,
            })
        }),
        ..WalletView::of(&activation.wallet, dry_run)
    };
    Ok(replayed(ok(&view), activation.replayed))
}

/// Stops spending; credits are still taken.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/freeze", tag = "wallets", params(("wallet_id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = FreezeBody, responses((status = 200, body = WalletView)))]
pub(crate) async fn freeze(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<FreezeBody>,
) -> Result<Response, Problem> {
    let fingerprint = Fingerprint::of("freeze")
        .text("reason", Some(&body.reason.0))
        .finish();
    let note = Note {
        description: Some(body.reason.0.into_boxed_str()),
        ..Note::default()
    };
    answer_with_wallet(
        &service,
        &caller,
        &wallet,
        Command::Freeze { note },
        fingerprint,
        body.dry_run.unwrap_or(false),
    )
    .await
}

/// Allows spending again.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/unfreeze", tag = "wallets", params(("wallet_id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = UnfreezeBody, responses((status = 200, body = WalletView)))]
pub(crate) async fn unfreeze(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<UnfreezeBody>,
) -> Result<Response, Problem> {
    let fingerprint = Fingerprint::of("unfreeze").finish();
    answer_with_wallet(
        &service,
        &caller,
        &wallet,
        Command::Unfreeze,
        fingerprint,
        body.dry_run.unwrap_or(false),
    )
    .await
}

async fn answer_with_wallet(
    service: &Service,
    caller: &Caller,
    wallet: &str,
    command: Command,
    fingerprint: [u8; 16],
    dry_run: bool,
) -> Result<Response, Problem> {
    let wallet_id = wallet_id(wallet)?;
    let key = caller.optional_key(Scope::Wallet(wallet_id), fingerprint)?;
    let answer: WalletAnswer = Arc::new(move |view| bytes(&WalletView::of(view, dry_run)));
    let operation = Operation {
        wallet_id,
        command,
        key,
        mode: mode(dry_run),
    };
    stored(
        service
            .change_wallet(&caller.principal, operation, answer)
            .await?,
    )
}
