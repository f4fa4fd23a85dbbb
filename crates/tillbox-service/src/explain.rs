//! Explain (L13): a balance opened into what makes it up, and a transaction into the lots behind it.

use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use crate::wallets::BalanceView;
use tillbox_core::amount::Amount;
use tillbox_core::debt::DebtSpan;
use tillbox_core::id::{EntryId, WalletId};
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::WalletState;
use tillbox_store::sqlite::explain::{self, Behind, DebtShare};

/// A balance with all that makes it up.
#[derive(Clone, Debug)]
pub struct ExplainedBalance {
    /// The sums.
    pub balance: BalanceView,
    /// What is open: lots, holds, top-ups.
    pub state: WalletState,
    /// Which debits made what is owed, newest first; what they leave is of older ones.
    pub debts: Vec<DebtShare>,
}

impl Service {
    /// What makes up a balance, as of now or of a past instant.
    pub async fn explain_balance(
        &self,
        who: &Principal,
        id: WalletId,
        at: Option<Timestamp>,
    ) -> Result<ExplainedBalance, ServiceError> {
        self.check_wallet(who, id).await?;
        let (state, as_of) = if let Some(at) = at {
            (self.past_state(who, id, at).await?, at)
        } else {
            let clock = who.merchant.clock.clone();
            let copy = |state: &WalletState, now| (state.clone(), now);
            self.engine.read(who.merchant_id, id, clock, copy).await?
        };
        let debt = &state.debt;
        let unpaid = debt.unpaid_within(DebtSpan {
            from: debt.paid_to(),
            amount: debt.owed_to() - debt.paid_to(),
        });
        let debts = if unpaid.is_empty() {
            Vec::new()
        } else {
            self.engine.show(vec![id]).await?;
            let behind = state.version.saturating_add(1);
            let look = move |connection: &_| explain::debtors(connection, id, &unpaid, behind);
            self.database.read(look).await?
        };
        let policies = who.merchant.policies();
        Ok(ExplainedBalance {
            balance: BalanceView::of(&state, as_of, &policies),
            state,
            debts,
        })
    }

    /// What stands behind a transaction.
    pub async fn explain_transaction(
        &self,
        who: &Principal,
        wallet: WalletId,
        id: EntryId,
    ) -> Result<Behind, ServiceError> {
        self.wallet_facts(who, wallet).await?;
        self.engine.show(vec![wallet]).await?;
        let merchant = who.merchant_id;
        self.database
            .read(move |connection| explain::transaction(connection, merchant, wallet, id))
            .await?
            .ok_or(ServiceError::NotFound)
    }
}

impl ExplainedBalance {
    /// What is owed beyond the debits that are named.
    pub fn older_debt(&self) -> Amount {
        let named: Amount = self.debts.iter().map(|share| share.amount).sum();
        self.state.debt.total() - named
    }
}
