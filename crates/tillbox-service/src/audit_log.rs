//! The audit log (U2): who did what, when and from where. Of what is a row of the ledger, the row itself is the entry;
//! what is none is noted by a [`Deed`], in the commit that does it.
//!
//! Spending is no entry: debits, usage and holds are transactions, and so is what the clock or a payment brings about by
//! itself. What a person or a key does to settings, prices, customers, limits and value beside spending is one.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Actor, Entry, EntryKind};
use tillbox_core::id::{AuditId, WalletId};
use tillbox_core::id_source::IdSource;
use tillbox_core::time::Timestamp;
use tillbox_engine::clock::Clock;
use tillbox_store::StoreError;
use tillbox_store::sqlite::audit_log::{self, AuditRow, Noted};
use tillbox_store::sqlite::{Connection, api_keys};

pub use tillbox_store::sqlite::audit_log::AuditFilter as AuditRange;

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum AuditAction {
            $($(#[$doc])* $variant,)*
        }

        impl AuditAction {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the HTTP contract.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

actions! {
    /// A customer made.
    CustomerCreated = "customer.created";
    /// A customer changed.
    CustomerUpdated = "customer.updated";
    /// A customer deleted.
    CustomerDeleted = "customer.deleted";
    /// A wallet opened.
    WalletCreated = "wallet.created";
    /// A wallet given another name or other metadata.
    WalletUpdated = "wallet.updated";
    /// A wallet put to use without a first payment.
    WalletActivated = "wallet.activated";
    /// Spending stopped.
    WalletFrozen = "wallet.frozen";
    /// Spending allowed again.
    WalletUnfrozen = "wallet.unfrozen";
    /// A wallet ended.
    WalletClosed = "wallet.closed";
    /// Another overdraft limit.
    OverdraftLimitChanged = "overdraft_limit.changed";
    /// Value given.
    CreditCreated = "credit.created";
    /// A correction.
    AdjustmentCreated = "adjustment.created";
    /// A debit given back.
    RefundCreated = "refund.created";
    /// Value paid out.
    WithdrawalCreated = "withdrawal.created";
    /// Another expiry for a lot.
    LotChanged = "lot.changed";
    /// A lot taken back.
    LotVoided = "lot.voided";
    /// A payment asked for.
    TopUpCreated = "top_up.created";
    /// A payment given up.
    TopUpCanceled = "top_up.canceled";
    /// A top-up refunded to its card.
    TopUpRefunded = "top_up.refunded";
    /// Auto-recharge set or resumed.
    AutoRechargeChanged = "auto_recharge.changed";
    /// Low-balance alerts set.
    AlertsChanged = "alerts.changed";
    /// A way to pay saved.
    PaymentMethodAttached = "payment_method.attached";
    /// Another default way to pay.
    PaymentMethodDefault = "payment_method.made_default";
    /// A way to pay taken away.
    PaymentMethodDetached = "payment_method.detached";
    /// A link by which anybody can pay.
    PaymentLinkCreated = "payment_link.created";
    /// A price made, or its next version.
    PriceCreated = "price.created";
    /// A link to a customer's pages.
    PortalSessionCreated = "portal_session.created";
    /// Settings of the merchant.
    SettingsChanged = "settings.changed";
    /// A test merchant's time moved.
    TestClockAdvanced = "test_clock.advanced";
    /// An API key made.
    ApiKeyCreated = "api_key.created";
    /// An API key made void.
    ApiKeyRevoked = "api_key.revoked";
}

/// Whose deed a row of the log is, if it is one.
fn action_of(entry: &Entry) -> Option<AuditAction> {
    let by_itself = entry.actor == Actor::System;
    let action = match entry.event.kind {
        EntryKind::Frozen => return Some(AuditAction::WalletFrozen),
        EntryKind::Unfrozen => return Some(AuditAction::WalletUnfrozen),
        EntryKind::Activated => return Some(AuditAction::WalletActivated),
        // What a payment brought in is the payment's.
        EntryKind::Credit => {
            let is_given = entry.event.top_up_id.is_none();
            is_given.then_some(AuditAction::CreditCreated)
        }
        EntryKind::Adjustment => Some(AuditAction::AdjustmentCreated),
        EntryKind::Refund => Some(AuditAction::RefundCreated),
        EntryKind::Withdrawn => Some(AuditAction::WithdrawalCreated),
        EntryKind::LotChanged => Some(AuditAction::LotChanged),
        EntryKind::LotVoided => Some(AuditAction::LotVoided),
        EntryKind::Closed => Some(AuditAction::WalletClosed),
        EntryKind::PolicyChanged => Some(AuditAction::OverdraftLimitChanged),
        EntryKind::TopUpOpened => Some(AuditAction::TopUpCreated),
        EntryKind::TopUpEnded => Some(AuditAction::TopUpCanceled),
        EntryKind::TopUpRefunded => Some(AuditAction::TopUpRefunded),
        EntryKind::RechargeChanged => Some(AuditAction::AutoRechargeChanged),
        EntryKind::AlertsChanged => Some(AuditAction::AlertsChanged),
        EntryKind::Debit
        | EntryKind::Usage
        | EntryKind::HoldPlaced
        | EntryKind::HoldCaptured
        | EntryKind::HoldReleased
        | EntryKind::HoldExtended
        | EntryKind::HoldExpired
        | EntryKind::LotExpired
        | EntryKind::Forfeited
        | EntryKind::TopUpAdvanced
        | EntryKind::PayoutEnded
        | EntryKind::Reversed
        | EntryKind::DisputeChanged
        | EntryKind::ChargedBack => None,
    };
    action.filter(|_| !by_itself)
}

/// Something that somebody does, to be noted in the commit that does it.
#[derive(Clone)]
pub(crate) struct Deed {
    ids: Arc<IdSource>,
    clock: Arc<dyn Clock>,
    row: AuditRow,
}

impl Deed {
    /// About one more thing, by its public id.
    pub(crate) fn on(mut self, target: impl std::fmt::Display) -> Self {
        self.row.targets.push(target.to_string());
        self
    }

    /// About a wallet.
    pub(crate) fn on_wallet(mut self, id: WalletId) -> Self {
        self.row.wallet_id = Some(id);
        self
    }

    /// With what changed: a JSON object. Never a secret, and never a person's data.
    pub(crate) fn with_changes(mut self, changes: String) -> Self {
        self.row.changes = Some(changes);
        self
    }

    /// Notes it. Only in a plain write: the id is drawn on the ledger's thread, so that ids rise in the order of the
    /// commits.
    pub(crate) fn note(mut self, connection: &Connection) -> Result<(), StoreError> {
        self.row.id = AuditId::from_number(self.ids.next(self.clock.now()));
        Ok(audit_log::insert(connection, &self.row)?)
    }
}

/// Which entries are asked for; what is none filters nothing.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// About which wallet, and when.
    pub range: AuditRange,
    /// By this actor.
    pub actor: Option<Actor>,
    /// This action.
    pub action: Option<AuditAction>,
    /// About this thing, by its public id.
    pub target: Option<String>,
}

/// An entry of the audit log.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When it was done, by the merchant's clock.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The name of the API key that did it.
    pub actor_name: Option<String>,
    /// What was done.
    pub action: String,
    /// The wallet that it is about.
    pub wallet_id: Option<WalletId>,
    /// To what: public ids.
    pub targets: Vec<String>,
    /// The signed amount that it moved.
    pub amount: Option<(Amount, Currency)>,
    /// Why, in the words of who did it.
    pub description: Option<String>,
    /// The number of the call that asked for it; none where the ledger's row says all.
    pub request: Option<u64>,
    /// What changed: a JSON object.
    pub changes: Option<String>,
}

impl AuditEntry {
    fn of(noted: Noted) -> Option<Self> {
        match noted {
            Noted::Plain(row) => Some(Self {
                id: row.id,
                at: row.at,
                actor: row.actor,
                actor_name: None,
                action: row.action,
                wallet_id: row.wallet_id,
                targets: row.targets,
                amount: None,
                description: None,
                request: row.request,
                changes: row.changes,
            }),
            Noted::Entry(entry, currency) => {
                let action = action_of(&entry)?;
                let event = &entry.event;
                let limit = event.overdraft_limit.map(|limit| limit.display(currency));
                let opened = event.top_up.as_ref().zip(event.top_up_id);
                let amount = match opened {
                    Some((top_up, _)) if !event.moves_money() => Some(top_up.amount),
                    _ => event.moves_money().then_some(event.amount),
                };
                Some(Self {
                    id: AuditId::from_number(entry.id.number()),
                    at: entry.at,
                    actor: entry.actor,
                    actor_name: None,
                    action: action.name().to_owned(),
                    wallet_id: Some(entry.wallet_id),
                    targets: targets_of(&entry),
                    amount: amount.map(|amount| (amount, currency)),
                    description: event.note.description.as_deref().map(str::to_owned),
                    request: None,
                    changes: limit.map(|limit| {
                        serde_json::json!({"overdraft_limit": {"to": limit}}).to_string()
                    }),
                })
            }
        }
    }
}

fn targets_of(entry: &Entry) -> Vec<String> {
    let event = &entry.event;
    let mut targets = Vec::new();
    if event.moves_money() {
        targets.push(entry.id.to_string());
    }
    targets.extend(event.refund_of.map(|id| id.to_string()));
    targets.extend(event.top_up_id.map(|id| id.to_string()));
    targets
}

impl AuditFilter {
    fn lets_through(&self, noted: &Noted) -> bool {
        let (actor, action, wallet) = match noted {
            Noted::Plain(row) => (row.actor, row.action.as_str(), row.wallet_id),
            Noted::Entry(entry, _) => match action_of(entry) {
                Some(action) => (entry.actor, action.name(), Some(entry.wallet_id)),
                None => return false,
            },
        };
        let is_target = |target: &String| match noted {
            Noted::Plain(row) => row.targets.contains(target),
            Noted::Entry(entry, _) => targets_of(entry).contains(target),
        };
        self.actor.is_none_or(|wanted| wanted == actor)
            && self.action.is_none_or(|wanted| wanted.name() == action)
            && self.target.as_ref().is_none_or(|target| {
                wallet.is_some_and(|wallet| wallet.to_string() == *target) || is_target(target)
            })
    }
}

impl Service {
    /// What `who` is about to do, to be noted in its commit.
    pub(crate) fn deed(&self, who: &Principal, action: AuditAction) -> Deed {
        Deed {
            ids: Arc::clone(&self.ids),
            clock: Arc::clone(&self.clock),
            row: AuditRow {
                id: AuditId::from_number(0),
                merchant_id: who.merchant_id,
                wallet_id: None,
                actor: who.actor,
                action: action.name().to_owned(),
                targets: Vec::new(),
                at: self.clock_now(who),
                request: who.request,
                changes: None,
            },
        }
    }

    /// Entries of the audit log, newest first, before `before`.
    pub async fn audit_log(
        &self,
        who: &Principal,
        filter: Arc<AuditFilter>,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, ServiceError> {
        who.check_merchant()?;
        let merchant_id = who.merchant_id;
        self.database
            .read(move |connection| {
                let wanted = |noted: &Noted| filter.lets_through(noted);
                let range = &filter.range;
                let noted = audit_log::list(connection, merchant_id, range, before, limit, wanted)?;
                let names = api_keys::names(connection, merchant_id)?;
                let entries = noted.into_iter().filter_map(AuditEntry::of);
                Ok(entries
                    .map(|entry| AuditEntry {
                        actor_name: match entry.actor {
                            Actor::ApiKey(id) => names.get(&id).cloned(),
                            Actor::Customer(_) | Actor::System => None,
                        },
                        ..entry
                    })
                    .collect())
            })
            .await
    }
}
