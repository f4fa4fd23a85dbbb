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
use tillbox_core::id::{TopUpId, WalletId};
use tillbox_core::lot::Lot;
use tillbox_core::top_up::TopUpStatus;
use tillbox_engine::work::{AnswerWriter, Mode};
use tillbox_store::sqlite::top_ups;

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

    /// Ends a wallet: what may be paid out goes out by that way, the rest is forfeited. The provider then gives up the
    /// pages that waited for the customer; where that fails, a payment that still comes is sent back.
    pub async fn close_wallet(
        self: &Arc<Self>,
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
        let canceled: Arc<std::sync::Mutex<Vec<TopUpId>>> = Arc::default();
        let seen = Arc::clone(&canceled);
        let answer: ClosingAnswer = Arc::new(move |view, rows| {
            let ended = rows.iter().filter_map(|row| {
                let top_up = row.event.top_up.as_ref()?;
                row.event
                    .top_up_id
                    .filter(|_| top_up.status == TopUpStatus::Canceled)
            });
            let mut seen = seen
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *seen = ended.collect();
            answer(view, rows)
        });
        let answered = self.answer_with_wallet(who, operation, answer).await?;
        let canceled = std::mem::take(
            &mut *canceled
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        if mode == Mode::Commit && !answered.replayed && !canceled.is_empty() {
            let (service, merchant_id) = (Arc::clone(self), who.merchant_id);
            tokio::spawn(async move {
                for id in canceled {
                    let read = move |connection: &_| top_ups::get(connection, merchant_id, id);
                    match service.database.read(read).await {
                        Ok(Some(row)) => {
                            if let Err(error) = service.cancel_payment(&row).await {
                                tracing::warn!(top_up = %id, %error, "a page could not be given up");
                            }
                        }
                        Ok(None) => {}
                        Err(error) => {
                            tracing::warn!(top_up = %id, %error, "a page could not be given up");
                        }
                    }
                }
            });
        }
        Ok(answered)
    }
}
