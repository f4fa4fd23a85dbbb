//! Top-ups: money in by the customer's card, hosted page or payment link.

use super::{mode, wallet_id};
use crate::api::answer::{bytes, json, ok, print, replayed, stored};
use crate::api::body::Json;
use crate::api::caller::{Caller, Scope};
use crate::api::fingerprint::Fingerprint;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::values::{Money, Positive, Text, Words};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::id::{PaymentMethodId, TopUpId};
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::{Channel, TopUp, TopUpStatus};
use tillbox_service::payments::page::{PageRequest, PageTerms};
use tillbox_service::{Asked, NewPayment, NewTopUp, Service, TopUpView as View};
use tillbox_store::sqlite::top_ups::{TopUpFilter, TopUpRow};
use utoipa::ToSchema;

/// A top-up.
#[derive(Serialize, ToSchema)]
#[schema(as = TopUp)]
pub(crate) struct TopUpView {
    id: Option<String>,
    wallet_id: String,
    status: &'static str,
    /// Why: `top_up`, `auto_recharge` or `activation`.
    reason: &'static str,
    /// What was asked for.
    amount: String,
    /// What the card was charged; zero until it succeeded.
    charged: String,
    /// What was credited on top of that.
    bonus: String,
    /// What was refunded to the card, what is on its way included.
    refunded: String,
    /// What of the bonus was taken back for that.
    bonus_clawed: String,
    /// What disputes have taken.
    charged_back: String,
    /// What may still be refunded to the card; a dry run of the refund shows what it would take.
    refundable: String,
    currency: String,
    description: Option<String>,
    /// The saved method that is charged.
    payment_method_id: Option<String>,
    /// The provider's id of the payment.
    payment_intent_id: Option<String>,
    /// The hosted page on which the customer pays.
    checkout_url: Option<String>,
    /// What the customer has to do.
    next_action: Option<NextAction>,
    failure: Option<Failure>,
    /// The transaction that credited it.
    transaction_id: Option<String>,
    /// When the hosted page ends.
    expires_at: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

/// What the customer has to do.
#[derive(Serialize, ToSchema)]
pub(crate) struct NextAction {
    /// Always `redirect`: send the customer there.
    r#type: &'static str,
    url: String,
}

/// Why a top-up failed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Failure {
    /// The provider's code.
    code: String,
    /// The same for a person, in the customer's language.
    message: String,
}

impl NextAction {
    /// Of a top-up that waits for the customer.
    pub(crate) fn of(row: &TopUpRow) -> Option<Self> {
        let url = row.calls.next_action.clone();
        url.filter(|_| row.top_up.status == TopUpStatus::RequiresAction)
            .map(|url| Self {
                r#type: "redirect",
                url,
            })
    }
}

impl TopUpView {
    pub(crate) fn of(view: &View) -> Self {
        let (row, currency) = (&view.row, view.currency);
        let is_open = row.top_up.status.is_open();
        let method = row.calls.charged_method.or(row.top_up.method);
        Self {
            id: Some(row.id.to_string()),
            payment_method_id: method.as_ref().map(PaymentMethodId::to_string),
            description: row.description.clone(),
            checkout_url: row.calls.page_url.clone().filter(|_| is_open),
            next_action: NextAction::of(row),
            failure: row.top_up.failure.as_deref().map(|code| Failure {
                code: code.to_owned(),
                message: view.failure_words().to_owned(),
            }),
            transaction_id: row.credited_by.map(|id| id.to_string()),
            refunded: print(view.went_back.refunded, currency),
            bonus_clawed: print(view.went_back.bonus_clawed, currency),
            charged_back: print(view.went_back.charged_back, currency),
            refundable: print(view.went_back.refundable, currency),
            expires_at: row.calls.expires_at.map(|at| at.to_string()),
            updated_at: row.updated_at.to_string(),
            ..Self::plain(&row.wallet_id.to_string(), &row.top_up, currency)
        }
    }

    /// What the ledger alone knows of it.
    fn plain(wallet_id: &str, top_up: &TopUp, currency: Currency) -> Self {
        let money = |amount: Amount| print(amount, currency);
        Self {
            id: None,
            wallet_id: wallet_id.to_owned(),
            status: top_up.status.name(),
            reason: top_up.reason.name(),
            amount: money(top_up.amount),
            charged: money(top_up.charged),
            bonus: money(top_up.discount()),
            refunded: money(Amount::ZERO),
            bonus_clawed: money(Amount::ZERO),
            charged_back: money(Amount::ZERO),
            refundable: money(Amount::ZERO),
            currency: currency.code().to_owned(),
            description: None,
            payment_method_id: top_up.method.as_ref().map(PaymentMethodId::to_string),
            payment_intent_id: top_up.payment_id.as_deref().map(str::to_owned),
            checkout_url: None,
            next_action: None,
            failure: None,
            transaction_id: None,
            expires_at: None,
            created_at: top_up.opened_at.to_string(),
            updated_at: top_up.opened_at.to_string(),
            dry_run: None,
        }
    }
}

/// What a top-up is asked for with: a saved method, the default one, or a hosted page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopUpBody {
    amount: Positive,
    /// The saved method to charge; the customer's default unless said otherwise.
    payment_method_id: Option<String>,
    /// Let the customer pay on a hosted page instead.
    checkout: Option<Checkout>,
    description: Option<Text<500>>,
    dry_run: Option<bool>,
}

/// A hosted page for the payment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkout {
    /// Where the customer goes once it is paid.
    success_url: WebAddress,
    /// Where the customer goes who turns back.
    cancel_url: WebAddress,
    /// Whether the page offers to save the card.
    save_payment_method: Option<bool>,
    /// Whether the page takes promotion codes.
    allow_promotion_codes: Option<bool>,
}

/// An address of the web: http or https.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^https?://[A-Za-z0-9\\[][!-~]*$", max_length = 2000, example = "https://shop.example/done")]
pub(crate) struct WebAddress(pub(crate) String);

impl TryFrom<String> for WebAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        let is_plain = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        let has_host = text.split("://").nth(1).is_some_and(|rest| {
            rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
        });
        if is_web && is_plain && has_host && text.len() <= 2_000 {
            Ok(Self(text))
        } else {
            Err("must be an address such as \"https://shop.example/done\"")
        }
    }
}

/// Seconds that a checkout page lives.
const CHECKOUT_LIVES: i64 = 24 * 3_600;
/// Seconds that a payment link lives (R30).
const LINK_LIVES: i64 = 30 * 24 * 3_600;

impl TopUpBody {
    fn fingerprint(&self) -> [u8; 16] {
        let checkout = self.checkout.as_ref();
        Fingerprint::of("top_up")
            .amount("amount", Some(self.amount.amount()))
            .text("payment_method_id", self.payment_method_id.as_deref())
            .text(
                "success_url",
                checkout.map(|page| page.success_url.0.as_str()),
            )
            .text(
                "cancel_url",
                checkout.map(|page| page.cancel_url.0.as_str()),
            )
            .flag(
                "save_payment_method",
                checkout.and_then(|page| page.save_payment_method),
            )
            .flag(
                "allow_promotion_codes",
                checkout.and_then(|page| page.allow_promotion_codes),
            )
            .text(
                "description",
                self.description.as_ref().map(|text| text.0.as_str()),
            )
            .finish()
    }

    fn payment(&self) -> Result<NewPayment, Problem> {
        match (&self.payment_method_id, &self.checkout) {
            (Some(_), Some(_)) => Err(Problem::invalid_field(
                "/checkout",
                "goes without payment_method_id: it is one or the other",
            )),
            (None, Some(page)) => Ok(NewPayment::Page(PageRequest {
                channel: Channel::Checkout,
                terms: PageTerms {
                    success_url: Some(page.success_url.0.clone()),
                    cancel_url: Some(page.cancel_url.0.clone()),
                    save_payment_method: page.save_payment_method.unwrap_or(false),
                    allow_promotion_codes: page.allow_promotion_codes.unwrap_or(false),
                    lives_seconds: CHECKOUT_LIVES,
                },
            })),
            (Some(id), None) => {
                let id = PaymentMethodId::parse(id).map_err(|_malformed| Problem::not_found())?;
                Ok(NewPayment::Saved(Some(id)))
            }
            (None, None) => Ok(NewPayment::Saved(None)),
        }
    }
}

/// Adds money by card: a saved method is charged at once, a hosted page waits for the customer. An outcome that is not
/// known within eight seconds is `processing`.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/top-ups", tag = "top-ups", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = TopUpBody, responses((status = 201, body = TopUpView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<TopUpBody>,
) -> Result<Response, Problem> {
    let payment = body.payment()?;
    let fingerprint = body.fingerprint();
    let dry_run = body.dry_run.unwrap_or(false);
    let new = NewTopUp {
        amount: body.amount.amount(),
        payment,
        description: body.description.map(|text| text.0),
    };
    begin(&service, &caller, &wallet, new, fingerprint, dry_run).await
}

async fn begin(
    service: &Service,
    caller: &Caller,
    wallet: &str,
    new: NewTopUp,
    fingerprint: [u8; 16],
    dry_run: bool,
) -> Result<Response, Problem> {
    let parsed = wallet_id(wallet);
    let scope = parsed
        .as_ref()
        .map_or(Scope::Merchant(caller.principal.merchant_id), |id| {
            Scope::Wallet(*id)
        });
    let key = caller.key(scope, fingerprint, dry_run)?;
    let asked = service
        .create_top_up(&caller.principal, parsed?, new, key, mode(dry_run))
        .await?;
    match asked {
        Asked::WouldBegin { currency, top_up } => {
            let view = TopUpView {
                dry_run: Some(true),
                ..TopUpView::plain(wallet, &top_up, currency)
            };
            Ok(json(StatusCode::CREATED, bytes(&view)))
        }
        Asked::Begun {
            view,
            replayed: again,
        } => {
            if view.row.top_up.status == TopUpStatus::Failed {
                let problem = axum::response::IntoResponse::into_response(Problem::declined(&view));
                return Ok(replayed(problem, again));
            }
            let response = json(StatusCode::CREATED, bytes(&TopUpView::of(&view)));
            Ok(replayed(response, again))
        }
    }
}

/// What a payment link is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentLinkBody {
    /// Without it the link leads to a page that asks for an amount, and takes payments until it ends.
    amount: Option<Positive>,
    description: Option<Words<500>>,
    dry_run: Option<bool>,
}

/// A link to pay by, to pass on.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentLink {
    /// Null in a dry run.
    url: Option<String>,
    /// The top-up that waits for the payment; none where the link asks for an amount.
    top_up_id: Option<String>,
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

/// Makes a link by which anybody can pay in, within 30 days: the amount, once; or amounts of their choice.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/payment-links", tag = "top-ups", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = PaymentLinkBody, responses((status = 201, body = PaymentLink)))]
pub(crate) async fn link(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<PaymentLinkBody>,
) -> Result<Response, Problem> {
    let fingerprint = Fingerprint::of("payment_link")
        .amount("amount", body.amount.map(Positive::amount))
        .text(
            "description",
            body.description.as_ref().map(|text| text.0.as_str()),
        )
        .finish();
    let id = wallet_id(&wallet)?;
    let dry_run = body.dry_run.unwrap_or(false);
    let key = caller.key(Scope::Wallet(id), fingerprint, dry_run)?;
    let description = body.description.map(|text| text.0);
    let would_be = || {
        let expires_at = service.now().plus_seconds(LINK_LIVES);
        let link = PaymentLink {
            url: None,
            top_up_id: None,
            expires_at: Some(expires_at.to_string()),
            dry_run: Some(true),
        };
        json(StatusCode::CREATED, bytes(&link))
    };
    let Some(amount) = body.amount else {
        if dry_run {
            service.wallet_currency(&caller.principal, id).await?;
            return Ok(would_be());
        }
        let key = key.ok_or_else(Problem::key_required)?;
        let answer = |url: &str, expires_at: Timestamp| {
            bytes(&PaymentLink {
                url: Some(url.to_owned()),
                top_up_id: None,
                expires_at: Some(expires_at.to_string()),
                dry_run: None,
            })
        };
        let made =
            service.create_open_payment_link(&caller.principal, id, description, key, answer);
        return stored(made.await?);
    };
    let new = NewTopUp {
        amount: amount.amount(),
        payment: NewPayment::Page(PageRequest::link(LINK_LIVES)),
        description,
    };
    let asked = service
        .create_top_up(&caller.principal, id, new, key, mode(dry_run))
        .await?;
    let Asked::Begun {
        view,
        replayed: again,
    } = asked
    else {
        return Ok(would_be());
    };
    let Some(url) = view.row.calls.page_url.clone() else {
        return Err(Problem::provider_unavailable());
    };
    let link = PaymentLink {
        url: Some(url),
        top_up_id: Some(view.row.id.to_string()),
        expires_at: view.row.calls.expires_at.map(|at| at.to_string()),
        dry_run: None,
    };
    Ok(replayed(json(StatusCode::CREATED, bytes(&link)), again))
}

/// Top-ups of a wallet, newest first.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/top-ups", tag = "top-ups",
    params(("wallet_id" = String, Path), ("status" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<TopUpView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["status", "limit", "cursor"])?;
    let status = query.one_of("status", &TopUpStatus::ALL, TopUpStatus::name)?;
    let page = query.page(&format!("top-ups of {wallet}"))?;
    let filter = TopUpFilter {
        status,
        ..TopUpFilter::default()
    };
    let views = service
        .top_ups(
            &caller.principal,
            wallet_id(&wallet)?,
            filter,
            page.before.map(TopUpId::from_number),
            page.rows(),
        )
        .await?;
    Ok(ok(&page.list(
        views,
        |view| view.row.id.number(),
        TopUpView::of,
    )))
}

/// A top-up.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/top-ups/{top_up_id}", tag = "top-ups",
    params(("wallet_id" = String, Path), ("top_up_id" = String, Path)), responses((status = 200, body = TopUpView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, id)): Path<(String, String)>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let (wallet, id) = (wallet_id(&wallet)?, top_up_id(&id)?);
    let view = service.top_up(&caller.principal, wallet, id).await?;
    Ok(ok(&TopUpView::of(&view)))
}

/// Nothing is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelBody {
    dry_run: Option<bool>,
}

/// Nothing is needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncBody {}

/// Gives up a top-up that nobody has paid yet.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/top-ups/{top_up_id}/cancel", tag = "top-ups",
    params(("wallet_id" = String, Path), ("top_up_id" = String, Path)), request_body = CancelBody, responses((status = 200, body = TopUpView)))]
pub(crate) async fn cancel(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, id)): Path<(String, String)>,
    Json(body): Json<CancelBody>,
) -> Result<Response, Problem> {
    let (wallet, id) = (wallet_id(&wallet)?, top_up_id(&id)?);
    let dry_run = body.dry_run.unwrap_or(false);
    let view = service
        .cancel_top_up(&caller.principal, wallet, id, mode(dry_run))
        .await?;
    Ok(ok(&TopUpView {
        dry_run: dry_run.then_some(true),
        ..TopUpView::of(&view)
    }))
}

/// What a sync found.
#[derive(Serialize, ToSchema)]
pub(crate) struct Synced {
    /// How many top-ups the provider was asked about.
    checked: usize,
    /// Those that were credited now.
    credited: Vec<String>,
    /// Those that have failed or were given up.
    failed: Vec<String>,
}

/// Fetches completed payments that the balance does not show yet.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/sync", tag = "top-ups", params(("wallet_id" = String, Path)),
    request_body = SyncBody, responses((status = 200, body = Synced)))]
pub(crate) async fn sync(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(_body): Json<SyncBody>,
) -> Result<Response, Problem> {
    let synced = service
        .sync_wallet(&caller.principal, wallet_id(&wallet)?)
        .await?;
    let printed = |ids: Vec<TopUpId>| ids.iter().map(TopUpId::to_string).collect();
    Ok(ok(&Synced {
        checked: synced.checked,
        credited: printed(synced.credited),
        failed: printed(synced.failed),
    }))
}

fn top_up_id(text: &str) -> Result<TopUpId, Problem> {
    TopUpId::parse(text).map_err(|_malformed| Problem::not_found())
}
