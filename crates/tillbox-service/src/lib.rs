//! What happens around the ledger: who may, with which settings, at which price, by whose clock.
//!
//! [`Service`] is what the API, and later the pages, call. It turns a caller's words into commands of the
//! engine, writes plain tables on the ledger's thread, and reads. It knows no HTTP and no SQL.

mod access;
mod alerts;
mod api_keys;
mod audit_log;
mod auto_recharge;
pub mod books;
mod clock;
mod customers;
mod database;
mod erasure;
mod error;
mod events;
mod explain;
mod history;
mod jobs;
mod ledger;
mod lot_warnings;
mod merchants;
mod metadata;
mod payment_links;
mod payment_methods;
pub mod payments;
mod policies;
mod portal_sessions;
mod prices;
mod public_url;
mod reads;
mod secrets;
mod service;
mod settings;
mod top_ups;
mod verify;
mod wallets;
mod ways_out;

pub use access::{BootstrapKey, Principal};
pub use alerts::{AlertChannel, AlertSettings, NewAlerts};
pub use api_keys::{KeyScope, NewApiKey, Scopes, make_key};
pub use audit_log::{AuditAction, AuditEntry, AuditFilter, AuditRange};
pub use auto_recharge::{NewRecharge, RechargeHealth, TriedRecharge, WouldCharge};
pub use clock::Advance;
pub use customers::{CustomerChange, NewCustomer};
pub use error::ServiceError;
pub use events::{Event, EventData, EventFilter, EventPage, EventType};
pub use explain::ExplainedBalance;
pub use history::{DayBalance, History, Spending};
pub use ledger::{Operation, Outcome};
pub use merchants::{Brand, Merchant};
pub use metadata::MetadataChange;
pub use payment_links::OpenPaymentLink;
pub use portal_sessions::{
    LinkState, NewPortalLink, Opened, PortalLink, PortalSession, SESSION_HOURS,
};
pub use prices::{NewPrice, PriceError};
pub use public_url::{MalformedPublicUrl, PublicUrl};
pub use service::{Figures, Restored, Running, Service, ServiceOptions};
pub use settings::{
    AmountOverrides, Branding, CurrencySettings, Settings, SettingsError, UnreadableSettings,
    print_amount,
};
pub use tillbox_engine::work::Mode;
pub use tillbox_store::sqlite::verify::Report as AuditReport;
pub use top_ups::{Activation, Asked, NewPayment, NewTopUp, Synced, TopUpView, WentBack};
pub use wallets::{
    Answered, BalanceView, ClosingAnswer, OpenWallet, WalletAnswer, WalletChange, WalletView,
};
pub use ways_out::LotAnswer;
