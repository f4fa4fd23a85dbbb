//! Every URL there is.

use crate::api::problem::{Problem, ProblemForm};
use crate::api::request_id;
use crate::api::v1::{
    adjustments, alerts, api_keys, audit_log, auto_recharge, batches, closing, credits, customers,
    debits, disputes, events, explain, holds, journal, lots, payment_methods, payments,
    portal_sessions, prices, refunds, reports, sandbox_disputes, settings, system, test_clock,
    top_ups, transactions, usage, verify, wallets, withdrawals,
};
use crate::{assets, docs, portal, sandbox};
use axum::Router;
use axum::routing::get;
use std::sync::Arc;
use tillbox_service::Service;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(
    info(title = "Tillbox", description = "Prepaid wallets: balances, holds and priced usage on a ledger that can be proven.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(ProblemForm)),
    security(("api_key" = []))
)]
struct Document;

fn routes() -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(customers::create, customers::list))
        .routes(routes!(
            customers::get,
            customers::change,
            customers::delete
        ))
        .routes(routes!(payment_methods::create, payment_methods::list))
        .routes(routes!(payment_methods::get, payment_methods::delete))
        .routes(routes!(payment_methods::make_default))
        .routes(routes!(wallets::open, wallets::list))
        .routes(routes!(wallets::get, wallets::change))
        .routes(routes!(wallets::balance))
        .routes(routes!(explain::balance::get))
        .routes(routes!(wallets::activate))
        .routes(routes!(wallets::freeze))
        .routes(routes!(wallets::unfreeze))
        .routes(routes!(closing::close))
        .routes(routes!(alerts::get, alerts::put))
        .routes(routes!(auto_recharge::get, auto_recharge::put))
        .routes(routes!(auto_recharge::resume))
        .routes(routes!(top_ups::create, top_ups::list))
        .routes(routes!(top_ups::get))
        .routes(routes!(top_ups::cancel))
        .routes(routes!(refunds::of_top_up))
        .routes(routes!(top_ups::link))
        .routes(routes!(top_ups::sync))
        .routes(routes!(lots::list))
        .routes(routes!(lots::get, lots::change))
        .routes(routes!(lots::void))
        .routes(routes!(credits::create))
        .routes(routes!(debits::create))
        .routes(routes!(adjustments::create))
        .routes(routes!(withdrawals::create))
        .routes(routes!(holds::place, holds::list))
        .routes(routes!(holds::get))
        .routes(routes!(holds::capture))
        .routes(routes!(holds::release))
        .routes(routes!(holds::extend))
        .routes(routes!(refunds::create))
        .routes(routes!(transactions::list))
        .routes(routes!(transactions::as_csv))
        .routes(routes!(transactions::get))
        .routes(routes!(explain::transaction::get))
        .routes(routes!(transactions::list_all))
        .routes(routes!(batches::create))
        .routes(routes!(journal::list))
        .routes(routes!(journal::as_csv))
        .routes(routes!(reports::trial_balance::get))
        .routes(routes!(reports::liability::get))
        .routes(routes!(reports::revenue::get))
        .routes(routes!(reports::breakage::get))
        .routes(routes!(reports::top_ups::get))
        .routes(routes!(reports::spend::get))
        .routes(routes!(events::list))
        .routes(routes!(events::stream))
        .routes(routes!(prices::create, prices::list))
        .routes(routes!(prices::get))
        .routes(routes!(usage::create))
        .routes(routes!(payments::webhook))
        .routes(routes!(payments::faults, payments::set_faults))
        .routes(routes!(sandbox_disputes::open))
        .routes(routes!(sandbox_disputes::decide))
        .routes(routes!(sandbox_disputes::fail))
        .routes(routes!(disputes::list))
        .routes(routes!(portal_sessions::create))
        .routes(routes!(settings::get, settings::change))
        .routes(routes!(api_keys::create, api_keys::list))
        .routes(routes!(api_keys::revoke))
        .routes(routes!(audit_log::list))
        .routes(routes!(audit_log::as_csv))
        .routes(routes!(test_clock::get))
        .routes(routes!(test_clock::advance))
        .routes(routes!(verify::verify))
        .routes(routes!(system::healthz))
        .routes(routes!(system::readyz))
}

/// The `OpenAPI` document: made from the routes, so it is always true.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = routes().into_openapi();
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("api_key", bearer);
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
            ("put", &mut item.put),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(operation_id(method, path));
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    "Done.".clone_into(&mut response.description);
                }
            }
            for (status, what) in PROBLEMS {
                operation
                    .responses
                    .responses
                    .entry((*status).to_owned())
                    .or_insert_with(|| problem_response(what));
            }
        }
    }
    document
}

/// A name for a call in generated clients: its method and path, such as `post_wallets_by_id_debits`.
fn operation_id(method: &str, path: &str) -> String {
    let steps = path
        .split(['/', '.'])
        .filter(|step| !matches!(*step, "" | "v1"));
    let names = steps.map(|step| {
        if step.starts_with('{') {
            "by_id".to_owned()
        } else {
            step.replace('-', "_")
        }
    });
    std::iter::once(method.to_owned())
        .chain(names)
        .collect::<Vec<_>>()
        .join("_")
}

/// What any call may be answered, besides its own answers.
const PROBLEMS: &[(&str, &str)] = &[
    ("400", "The request has a form that is not understood."),
    ("401", "The API key is missing or wrong."),
    ("402", "The wallet has not enough available."),
    ("403", "The API key lacks the scope."),
    ("404", "There is no such thing."),
    ("405", "The path does not take the method."),
    ("408", "The body did not arrive in time."),
    ("409", "The state does not allow it."),
    ("413", "The body is too large."),
    ("415", "The body is not JSON."),
    ("422", "A limit or another rule does not allow it."),
    ("429", "Too many requests."),
    ("500", "A fault of ours."),
    ("503", "Overloaded, or the outcome is unknown: try again."),
];

fn problem_response(what: &str) -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(what)
        .content("application/problem+json", content)
        .build()
        .into()
}

/// The router over a service.
pub fn router(service: Arc<Service>) -> Router {
    request_id::begin_at(service.random_number());
    let document = serde_json::to_value(openapi()).expect("the document is plain values");
    let text: Arc<str> = document.to_string().into();
    let (router, _) = routes().split_for_parts();
    router
        .route(
            "/openapi.json",
            get(move || async move { system::document(&text) }),
        )
        .merge(portal::routes(&service))
        .merge(sandbox::routes(&service))
        .merge(docs::routes(&service, &document))
        .merge(assets::routes())
        .fallback(portal::not_found)
        .method_not_allowed_fallback(portal::method_not_allowed)
        .layer(CatchPanicLayer::custom(|_panic| {
            axum::response::IntoResponse::into_response(Problem::internal())
        }))
        .layer(axum::middleware::from_fn(request_id::layer))
        .with_state(service)
}
