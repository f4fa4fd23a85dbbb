//! Lots that change, and wallets that end (R39).

use crate::access::Principal;
use crate::error::ServiceError;
use crate::ledger::{Operation, submission};
use crate::service::Service;
use crate::wallets::{Answered, ClosingAnswer, answered};
use std::sync::Arc;
use tillbox_core::command::{ChangeLot, Close, Command};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{KeyStamp, PayoutWay};
use tillbox_core::id::WalletId;
use tillbox_core::lot::Lot;
use tillbox_engine::work::{AnswerWriter, Mode};

/// Writes the answer of a call that answers with a lot.
pub type LotAnswer = Arc<dyn Fn(&Lot, Currency) -> Vec<u8> + Send + Sync>;

impl Service {
    /// Gives a lot another expiry.
    pub async fn change_lot(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        change: ChangeLot,
        mode: Mode,
        answer: LotAnswer,
    ) -> Result<Answered, ServiceError> {
        who.check_merchant()?;
        let writer: AnswerWriter = Arc::new(move |state, _rows, _now| {
            let lot = state.lot_of(change.lot_id);
            let lot = lot.expect("what was just changed is open");
            (200, answer(lot, state.currency))
        });
        let operation = Operation {
            wallet_id,
            command: Command::ChangeLot(change),
            key: None,
            mode,
        };
        let mut submission = submission(who, operation);
        submission.answer = Some(writer);
        answered(self.engine.submit(submission).await?)
    }

    /// Ends a wallet: what may be paid out goes out by that way, the rest is forfeited. The payment worker then has the
    /// provider refund the payments and give up the pages that waited for the customer; a payment that still comes is
    /// sent back.
    pub async fn close_wallet(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        way: PayoutWay,
        key: Option<KeyStamp>,
        mode: Mode,
        answer: ClosingAnswer,
    ) -> Result<Answered, ServiceError> {
        who.check_merchant()?;
        let close = Close {
            way,
            payments: Vec::new(),
        };
        let operation = Operation {
            wallet_id,
            command: Command::Close(close),
            key,
            mode,
        };
        self.answer_with_wallet(who, operation, answer).await
    }
}
