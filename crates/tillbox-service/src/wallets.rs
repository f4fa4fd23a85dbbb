//! Wallets: opening, looking, changing. Sums come from the ledger, names from the plain table.

use crate::access::Principal;
use crate::audit_log::AuditAction;
use crate::customers::replay;
use crate::error::ServiceError;
use crate::events::{EventType, NewEvent};
use crate::ledger::submission;
use crate::metadata::MetadataChange;
use crate::service::Service;
use crate::{Mode, Operation};
use futures_util::future::try_join_all;
use std::sync::{Arc, PoisonError};
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Credit};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, KeyStamp};
use tillbox_core::id::{CustomerId, MerchantId, OutboxId, WalletId};
use tillbox_core::policy::Policies;
use tillbox_core::reason::Language;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{Balances, NewWallet, WalletState, WalletStatus};
use tillbox_engine::port::OpenedWallet;
use tillbox_engine::work::{AnswerWriter, OpenSubmission, Outcome};
use tillbox_store::sqlite::outbox::names;
use tillbox_store::sqlite::wallets::{self, WalletFilter, WalletRow};
use tillbox_store::sqlite::{Connection, answers, past};

/// The most wallets that a customer's page lists.
const CUSTOMER_WALLETS: usize = 100;

/// A wallet as callers see it.
#[derive(Clone, Debug)]
pub struct WalletView {
    /// Name, owner, dates.
    pub row: WalletRow,
    /// Its status.
    pub status: WalletStatus,
    /// The number of its last row.
    pub version: u64,
    /// How far available value may go below zero.
    pub overdraft_limit: Amount,
    /// Its sums.
    pub balances: Balances,
    /// Whether its balance is low (R41).
    pub is_low: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The instant that the sums are of.
    pub as_of: Timestamp,
}

/// The sums of a wallet.
#[derive(Clone, Debug)]
pub struct BalanceView {
    /// Its currency.
    pub currency: Currency,
    /// How far available value may go below zero.
    pub overdraft_limit: Amount,
    /// Its sums.
    pub balances: Balances,
    /// Whether its balance is low (R41).
    pub is_low: bool,
    /// The number of its last row.
    pub version: u64,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The instant that the sums are of.
    pub as_of: Timestamp,
}

/// What never changes of a wallet, remembered so that a charge needs no look-up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalletFacts {
    pub(crate) merchant_id: MerchantId,
    pub(crate) customer_id: CustomerId,
    pub(crate) currency: Currency,
    pub(crate) language: Language,
}

/// A wallet to open.
#[derive(Clone, Debug)]
pub struct OpenWallet {
    /// Its owner.
    pub customer_id: CustomerId,
    /// Its currency.
    pub currency: Currency,
    /// Its name, for people.
    pub name: Option<String>,
    /// The caller's own data, a JSON object.
    pub metadata: String,
    /// How far available value may go below zero.
    pub overdraft_limit: Amount,
    /// Its first value.
    pub initial_credit: Option<Credit>,
}

/// What changes of a wallet; none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct WalletChange {
    /// Another name, or none.
    pub name: Option<Option<String>>,
    /// Other data.
    pub metadata: Option<MetadataChange>,
    /// Another overdraft limit.
    pub overdraft_limit: Option<Amount>,
}

/// Writes the answer of a call that answers with a wallet.
pub type WalletAnswer = Arc<dyn Fn(&WalletView) -> Vec<u8> + Send + Sync>;

/// Writes the answer of a call that ends a wallet, from the wallet and the rows by which it ended.
pub type ClosingAnswer = Arc<dyn Fn(&WalletView, &[Arc<Entry>]) -> Vec<u8> + Send + Sync>;

/// An answer as it was sent, or is sent for the first time.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Arc<[u8]>,
    /// Whether it was given before.
    pub replayed: bool,
}

impl BalanceView {
    pub(crate) fn of(state: &WalletState, now: Timestamp, policies: &Policies) -> Self {
        Self {
            currency: state.currency,
            overdraft_limit: state.overdraft_limit,
            is_low: state.is_low(policies.of(state.currency)),
            balances: state.balances(),
            version: state.version,
            updated_at: state.last_at,
            as_of: now,
        }
    }
}

impl WalletView {
    fn of(row: WalletRow, state: &WalletState, now: Timestamp, policies: &Policies) -> Self {
        Self {
            status: state.status,
            version: state.version,
            overdraft_limit: state.overdraft_limit,
            is_low: state.is_low(policies.of(state.currency)),
            balances: state.balances(),
            updated_at: row.updated_at.max(state.last_at),
            as_of: now,
            row,
        }
    }
}

impl WalletView {
    /// As it was right after a row of its log, whatever the merchant's settings are now.
    pub(crate) fn as_was(row: WalletRow, state: &WalletState, at: Timestamp) -> Self {
        let never = Policies::default();
        Self {
            is_low: state.was_low(),
            ..Self::of(row, state, at, &never)
        }
    }
}

impl Service {
    /// Opens a wallet for a customer, with its first value in the same commit.
    pub async fn open_wallet(
        &self,
        who: &Principal,
        open: OpenWallet,
        key: Option<KeyStamp>,
        mode: Mode,
        answer: WalletAnswer,
    ) -> Result<Answered, ServiceError> {
        who.check_merchant()?;
        let (merchant_id, customer_id) = (who.merchant_id, open.customer_id);
        let customer = match self.customer(who, customer_id).await {
            // A deleted customer's wallet still answers to its key; for a customer that is there the lane looks.
            Err(ServiceError::NotFound) => return self.answer_again(key, mode).await,
            found => found?,
        };
        let language = language_of(&customer.locale);
        let pending = self
            .settings(who)
            .in_currency(open.currency)
            .activation_charge
            .is_some();
        let wallet = NewWallet {
            id: WalletId::from_number(self.next_id()),
            merchant_id,
            customer_id,
            currency: open.currency,
            language,
            status: if pending {
                WalletStatus::PendingActivation
            } else {
                WalletStatus::Active
            },
            overdraft_limit: open.overdraft_limit,
        };
        let created_at = self.clock_now(who);
        let opened = OpenedWallet {
            wallet,
            name: open.name,
            metadata: open.metadata,
            created_at,
            outbox_id: OutboxId::from_number(0),
            opened_by: who.actor,
            request: who.request,
        };
        let row = row_of(&opened);
        let policies = who.merchant.policies();
        let writer: AnswerWriter = Arc::new(move |state, _rows, now| {
            let row = WalletRow {
                created_at: now,
                updated_at: now,
                ..row.clone()
            };
            (201, answer(&WalletView::of(row, state, now, &policies)))
        });
        let submission = OpenSubmission {
            opened,
            credit: open.initial_credit,
            key,
            actor: who.actor,
            clock: who.merchant.clock.clone(),
            policies: who.merchant.policies(),
            mode,
            answer: writer,
        };
        answered(self.engine.open_wallet(submission).await?)
    }

    /// The answer that the key was given before; not found if there is none.
    pub(crate) async fn answer_again(
        &self,
        key: Option<KeyStamp>,
        mode: Mode,
    ) -> Result<Answered, ServiceError> {
        let stamp = key
            .filter(|_| mode == Mode::Commit)
            .ok_or(ServiceError::NotFound)?;
        let answer = self
            .database
            .read(move |connection| answers::find(connection, stamp.key))
            .await?;
        replay(answer.ok_or(ServiceError::NotFound)?, stamp)
    }

    /// A command that answers with the wallet: freeze, unfreeze, another overdraft limit.
    pub async fn change_wallet(
        &self,
        who: &Principal,
        operation: Operation,
        answer: WalletAnswer,
    ) -> Result<Answered, ServiceError> {
        let answer: ClosingAnswer = Arc::new(move |view, _rows| answer(view));
        self.answer_with_wallet(who, operation, answer).await
    }

    /// The same, where the answer shows the command's rows too.
    pub(crate) async fn answer_with_wallet(
        &self,
        who: &Principal,
        operation: Operation,
        answer: ClosingAnswer,
    ) -> Result<Answered, ServiceError> {
        let row = self.wallet_row(who, operation.wallet_id).await?;
        let policies = who.merchant.policies();
        let writer: AnswerWriter = Arc::new(move |state, rows, now| {
            let view = WalletView::of(row.clone(), state, now, &policies);
            (200, answer(&view, rows))
        });
        let mut submission = submission(who, operation);
        submission.answer = Some(writer);
        answered(self.engine.submit(submission).await?)
    }

    /// A wallet with its sums as of now.
    pub async fn wallet(&self, who: &Principal, id: WalletId) -> Result<WalletView, ServiceError> {
        let row = self.wallet_row(who, id).await?;
        self.wallet_view(who, row).await
    }

    /// The sums of a wallet, as of now or of a past instant. Now needs nothing but the ledger; the past is replayed
    /// from the last snapshot before.
    pub async fn balance(
        &self,
        who: &Principal,
        id: WalletId,
        at: Option<Timestamp>,
    ) -> Result<BalanceView, ServiceError> {
        self.check_wallet(who, id).await?;
        let policies = who.merchant.policies();
        let Some(at) = at else {
            let clock = who.merchant.clock.clone();
            return Ok(self
                .engine
                .read(who.merchant_id, id, clock, move |state, now| {
                    BalanceView::of(state, now, &policies)
                })
                .await?);
        };
        let state = self.past_state(who, id, at).await?;
        Ok(BalanceView::of(&state, at, &policies))
    }

    /// A wallet as it was at a past instant.
    pub(crate) async fn past_state(
        &self,
        who: &Principal,
        id: WalletId,
        at: Timestamp,
    ) -> Result<WalletState, ServiceError> {
        self.check_past(who, Some(at))?;
        self.engine.show(vec![id]).await?;
        let merchant_id = who.merchant_id;
        self.database
            .read(move |connection| past::state_at(connection, merchant_id, id, at))
            .await?
            .ok_or(ServiceError::NotFound)
    }

    /// Wallets, newest first, before `before`.
    pub async fn wallets(
        &self,
        who: &Principal,
        mut filter: WalletFilter,
        before: Option<WalletId>,
        limit: usize,
    ) -> Result<Vec<WalletView>, ServiceError> {
        if let Some(customer) = filter.customer_id {
            who.check_customer(customer)?;
        }
        filter.customer_id = filter.customer_id.or(who.customer());
        let merchant_id = who.merchant_id;
        let rows = self
            .database
            .read(move |connection| wallets::list(connection, merchant_id, &filter, before, limit))
            .await?;
        // All at once: they pass the ledger together, not one behind the other.
        try_join_all(rows.into_iter().map(|row| self.wallet_view(who, row))).await
    }

    /// The wallets of a customer as its page lists them: oldest first, closed ones behind the others.
    pub async fn customer_wallets(
        &self,
        who: &Principal,
        customer_id: CustomerId,
    ) -> Result<Vec<WalletView>, ServiceError> {
        let filter = WalletFilter {
            customer_id: Some(customer_id),
            ..WalletFilter::default()
        };
        let mut wallets = self.wallets(who, filter, None, CUSTOMER_WALLETS).await?;
        wallets.sort_by_key(|view| (view.status == WalletStatus::Closed, view.row.id));
        Ok(wallets)
    }

    /// Changes a wallet; what is none stays. All of it is checked before any of it is written.
    pub async fn update_wallet(
        &self,
        who: &Principal,
        id: WalletId,
        change: WalletChange,
    ) -> Result<(), ServiceError> {
        who.check_merchant()?;
        let limit = change.overdraft_limit;
        let is_renamed = change.name.is_some() || change.metadata.is_some();
        if let Some(limit) = limit.filter(|_| is_renamed) {
            self.set_overdraft_limit(who, id, limit, Mode::DryRun)
                .await?;
        }
        if is_renamed {
            self.rename_wallet(who, id, change).await?;
        }
        if let Some(limit) = limit {
            self.set_overdraft_limit(who, id, limit, Mode::Commit)
                .await?;
        }
        Ok(())
    }

    async fn rename_wallet(
        &self,
        who: &Principal,
        id: WalletId,
        change: WalletChange,
    ) -> Result<(), ServiceError> {
        let WalletChange { name, metadata, .. } = change;
        let (merchant_id, now) = (who.merchant_id, self.clock_now(who));
        let outbox = self.outbox.clone();
        let deed = self.deed(who, AuditAction::WalletUpdated).on_wallet(id);
        let write = move |connection: &Connection| {
            let Some(row) = wallets::get(connection, merchant_id, id)? else {
                return Ok(Err(ServiceError::NotFound));
            };
            let metadata = match metadata.map(|change| change.apply(&row.metadata)) {
                Some(Err(refused)) => return Ok(Err(refused)),
                Some(Ok(metadata)) => metadata,
                None => row.metadata,
            };
            let name = name.unwrap_or(row.name);
            let event = NewEvent {
                merchant_id,
                wallet_id: Some(id),
                event_type: EventType::WalletUpdated,
                at: now,
                data: names(name.as_deref(), &metadata),
            };
            outbox.emit(connection, event)?;
            deed.note(connection)?;
            let name = Some(name.as_deref());
            wallets::update(connection, merchant_id, id, name, Some(&metadata), now)?;
            Ok(Ok(()))
        };
        self.database.write(write).await?
    }

    async fn set_overdraft_limit(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        limit: Amount,
        mode: Mode,
    ) -> Result<(), ServiceError> {
        let operation = Operation {
            wallet_id,
            command: Command::SetOverdraftLimit(limit),
            key: None,
            mode,
        };
        self.submit(who, operation).await.map(drop)
    }

    /// What never changes of a wallet of this merchant.
    pub(crate) async fn wallet_facts(
        &self,
        who: &Principal,
        id: WalletId,
    ) -> Result<WalletFacts, ServiceError> {
        let known = self
            .wallet_facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .copied();
        let facts = if let Some(facts) = known {
            facts
        } else {
            let row = self.wallet_row(who, id).await?;
            let facts = WalletFacts {
                merchant_id: row.merchant_id,
                customer_id: row.customer_id,
                currency: row.currency,
                language: row.language,
            };
            let mut remembered = self
                .wallet_facts
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            remembered.put(id, facts);
            facts
        };
        if facts.merchant_id != who.merchant_id {
            return Err(ServiceError::NotFound);
        }
        who.check_customer(facts.customer_id)?;
        Ok(facts)
    }

    /// Passes who reaches that wallet. For an API key the ledger itself looks, as it does at the merchant of each
    /// wallet, so that its charges need no look-up.
    pub(crate) async fn check_wallet(
        &self,
        who: &Principal,
        id: WalletId,
    ) -> Result<(), ServiceError> {
        if who.customer().is_none() {
            return Ok(());
        }
        self.wallet_facts(who, id).await.map(drop)
    }

    /// The currency of a wallet of this merchant.
    pub async fn wallet_currency(
        &self,
        who: &Principal,
        id: WalletId,
    ) -> Result<Currency, ServiceError> {
        Ok(self.wallet_facts(who, id).await?.currency)
    }

    pub(crate) async fn wallet_row(
        &self,
        who: &Principal,
        id: WalletId,
    ) -> Result<WalletRow, ServiceError> {
        let merchant_id = who.merchant_id;
        let row = self
            .database
            .read(move |connection| wallets::get(connection, merchant_id, id))
            .await?
            .ok_or(ServiceError::NotFound)?;
        who.check_customer(row.customer_id)?;
        Ok(row)
    }

    async fn wallet_view(
        &self,
        who: &Principal,
        row: WalletRow,
    ) -> Result<WalletView, ServiceError> {
        let (merchant, id) = (who.merchant_id, row.id);
        let policies = who.merchant.policies();
        let clock = who.merchant.clock.clone();
        Ok(self
            .engine
            .read(merchant, id, clock, move |state, now| {
                WalletView::of(row, state, now, &policies)
            })
            .await?)
    }
}

/// The language of a locale, where it is one of ours; English otherwise.
pub(crate) fn language_of(locale: &str) -> Language {
    if locale.starts_with("es") {
        Language::Es
    } else {
        Language::En
    }
}

fn row_of(opened: &OpenedWallet) -> WalletRow {
    WalletRow {
        id: opened.wallet.id,
        merchant_id: opened.wallet.merchant_id,
        customer_id: opened.wallet.customer_id,
        currency: opened.wallet.currency,
        language: opened.wallet.language,
        name: opened.name.clone(),
        metadata: opened.metadata.clone(),
        created_at: opened.created_at,
        updated_at: opened.created_at,
    }
}

pub(crate) fn answered(outcome: Outcome) -> Result<Answered, ServiceError> {
    match outcome {
        Outcome::Answer { answer, replayed } => Ok(Answered {
            status: answer.status,
            body: answer.body,
            replayed,
        }),
        // The key was used on this wallet for a row: its fingerprint differs, so this is never reached.
        Outcome::Row { .. } | Outcome::NothingDue => Err(ServiceError::KeyReused),
    }
}
