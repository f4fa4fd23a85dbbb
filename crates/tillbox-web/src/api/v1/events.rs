//! Events: a feed with a cursor, and the same as a stream.

use super::auto_recharge::RechargeView;
use super::disputes::DisputeView;
use super::holds::HoldView;
use super::lots::LotView;
use super::payment_methods::PaymentMethodView;
use super::top_ups::TopUpView;
use super::transactions::TransactionView;
use super::wallet_id;
use super::wallets::WalletView;
use crate::api::answer::{bytes, ok, print};
use crate::api::caller::Caller;
use crate::api::feed::{self, FeedPage};
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::live::{self, News, Streams};
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_core::currency::Currency;
use tillbox_core::entry::Entry;
use tillbox_core::id::{EventId, WalletId};
use tillbox_service::{Event, EventData, EventFilter, EventType, Principal, Service};
use utoipa::ToSchema;

/// Something that has happened. Ids sort as the events do, and are where a feed goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView<'a> {
    id: String,
    r#type: &'static str,
    created_at: String,
    merchant_id: String,
    wallet_id: Option<String>,
    /// Rises over the events of a wallet, and may skip; null for what is no row of its ledger.
    sequence: Option<u64>,
    data: DataView<'a>,
}

/// What an event is about: whole resources, as they stood right after it.
#[derive(Serialize, ToSchema)]
#[schema(as = EventData)]
pub(crate) struct DataView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    wallet: Option<WalletView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<TransactionView<'a>>,
    /// What was given with a top-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    bonus: Option<TransactionView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<HoldView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lot: Option<LotView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_up: Option<TopUpView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispute: Option<DisputeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_recharge: Option<RechargeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaymentMethodView>,
    /// The thresholds that the balance has crossed, rising.
    #[serde(skip_serializing_if = "Option::is_none")]
    thresholds: Option<Vec<String>>,
    /// The share of the month's cap that is used: 80, 90 or 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    /// How many days are left: 30, 7 or 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    days_left: Option<u8>,
    /// Why, in the words of whoever did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> EventView<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        let wallet_id = event.wallet_id.as_ref().map(WalletId::to_string);
        Self {
            id: event.id.to_string(),
            r#type: event.event_type.name(),
            created_at: event.created_at.to_string(),
            merchant_id: event.merchant_id.to_string(),
            data: DataView::of(&event.data, wallet_id.as_deref().unwrap_or_default()),
            wallet_id,
            sequence: event.sequence,
        }
    }
}

impl<'a> DataView<'a> {
    fn of(data: &'a EventData, wallet_id: &str) -> Self {
        let currency = data.wallet.as_ref().map(|wallet| wallet.row.currency);
        let transaction = |entry: &'a Option<Arc<Entry>>| {
            let entry = entry.as_deref();
            entry
                .zip(currency)
                .map(|(entry, currency)| TransactionView::of(entry, currency, false))
        };
        let hold = data.hold.as_deref().zip(currency);
        let lot = data.lot.as_ref().zip(currency);
        let thresholds = data.thresholds.as_ref().zip(currency);
        Self {
            wallet: data
                .wallet
                .as_deref()
                .map(|wallet| WalletView::of(wallet, false)),
            transaction: transaction(&data.transaction),
            bonus: transaction(&data.bonus),
            hold: hold.map(|(hold, currency)| HoldView::of_stored(hold, wallet_id, currency)),
            lot: lot.map(|(lot, currency)| LotView::of(lot, currency)),
            top_up: data.top_up.as_deref().map(TopUpView::of),
            dispute: data.dispute.as_ref().map(DisputeView::of),
            auto_recharge: data
                .auto_recharge
                .as_deref()
                .map(RechargeView::without_attempts),
            payment_method: data.payment_method.as_ref().map(PaymentMethodView::of),
            thresholds: thresholds.map(|(thresholds, currency): (&Vec<_>, Currency)| {
                thresholds
                    .iter()
                    .map(|amount| print(*amount, currency))
                    .collect()
            }),
            percent: data.percent,
            days_left: data.days_left,
            reason: data.reason.as_deref(),
        }
    }
}

/// Which events are asked for. An unknown wallet is not found, whatever the type.
fn filter(query: &Query) -> Result<EventFilter, Problem> {
    Ok(EventFilter {
        event_type: query.one_of("type", EventType::ALL, EventType::name)?,
        wallet: query.get("wallet_id").map(wallet_id).transpose()?,
    })
}

/// Events, oldest first, behind `after`: the id of an event, or a cursor. Without it, from the beginning.
#[utoipa::path(get, path = "/v1/events", tag = "events",
    params(("after" = Option<String>, Query), ("cursor" = Option<String>, Query), ("type" = Option<String>, Query), ("wallet_id" = Option<String>, Query),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100)),
    responses((status = 200, body = Listed<EventView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["after", "cursor", "type", "wallet_id", "limit"])?;
    let filter = filter(&query)?;
    let page = FeedPage::of(&query, &service, &caller.principal).await?;
    let after = page.after.unwrap_or(EventId::last_of(0));
    let found = service
        .events(&caller.principal, filter, after, page.limit)
        .await?;
    let views = found.events.iter().map(EventView::of).collect();
    let next = found.has_more.then_some(found.position);
    Ok(ok(&page.list(views, next)))
}

/// Events of one look of a stream.
const LOOK: usize = 100;

/// A stream on its way.
struct Following {
    service: Arc<Service>,
    principal: Principal,
    filter: EventFilter,
    position: EventId,
}

/// Events as they happen, as server-sent events: `id`, `event` (the type) and `data` (the event, as in the feed).
/// Behind `Last-Event-ID`, or `after`; without them, from now on. A silent stream sends a comment every 15 seconds.
#[utoipa::path(get, path = "/v1/events/stream", tag = "events",
    params(("after" = Option<String>, Query), ("type" = Option<String>, Query), ("wallet_id" = Option<String>, Query), ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub(crate) async fn stream(
    State(service): State<Arc<Service>>,
    caller: Caller,
    streams: Option<Extension<Streams>>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    query.allow(&["after", "type", "wallet_id"])?;
    let filter = filter(&query)?;
    let principal = caller.principal;
    if let Some(wallet) = filter.wallet {
        service.wallet_currency(&principal, wallet).await?;
    }
    // Whoever comes back asks by the address of the first time: what it saw last is newer.
    let position = match last_seen(&headers)? {
        Some(id) => feed::event(&service, &principal, id).await?,
        None => match FeedPage::of(&query, &service, &principal).await?.after {
            Some(after) => after,
            None => service.events_end().await?,
        },
    };
    let committed = service.committed();
    let following = Following {
        service,
        principal,
        filter,
        position,
    };
    live::stream(streams, committed, following, look)
}

fn last_seen(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_no_ascii| Problem::not_found())?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// What has happened since the last look. A stream that can't be read ends: the client comes back.
async fn look(mut following: Following) -> Option<(Following, News)> {
    let Following {
        service,
        principal,
        filter,
        position,
    } = &following;
    let page = service.events(principal, *filter, *position, LOOK).await;
    let page = page
        .inspect_err(|error| tracing::warn!(%error, "a stream of events has ended early"))
        .ok()?;
    let messages = page.events.iter().map(|event| {
        let data = bytes(&EventView::of(event));
        live::message(event.id, event.event_type.name(), &data)
    });
    let news = News {
        bytes: messages.flatten().collect(),
        has_more: page.has_more,
    };
    following.position = page.position;
    Some((following, news))
}
