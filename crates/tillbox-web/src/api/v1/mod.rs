//! The resources of version 1.

pub(crate) mod adjustments;
pub(crate) mod alerts;
pub(crate) mod api_keys;
pub(crate) mod audit_log;
pub(crate) mod auto_recharge;
pub(crate) mod batches;
pub(crate) mod closing;
pub(crate) mod credits;
pub(crate) mod customers;
pub(crate) mod debits;
pub(crate) mod disputes;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod holds;
pub(crate) mod journal;
pub(crate) mod lots;
pub(crate) mod payment_methods;
pub(crate) mod payments;
pub(crate) mod portal_sessions;
pub(crate) mod prices;
pub(crate) mod refunds;
pub(crate) mod reports;
pub(crate) mod sandbox_disputes;
pub(crate) mod settings;
pub(crate) mod system;
pub(crate) mod test_clock;
pub(crate) mod top_ups;
pub(crate) mod transactions;
pub(crate) mod usage;
pub(crate) mod verify;
pub(crate) mod wallets;
pub(crate) mod withdrawals;

use super::answer;
use super::problem::Problem;
use super::values::{Metadata, Text};
use axum::http::StatusCode;
use axum::response::Response;
use tillbox_core::command::Command;
use tillbox_core::entry::Note;
use tillbox_core::id::{HoldId, LotId, WalletId};
use tillbox_core::rejection::Rejection;
use tillbox_service::{Mode, Outcome, PriceError, ServiceError};

/// A command as it was asked for, alone or in a batch.
pub(crate) struct Asked {
    pub(crate) command: Command,
    pub(crate) fingerprint: [u8; 16],
    pub(crate) dry_run: bool,
    /// Why usage has no price: told where limits are told. The command then asks for more than there can be.
    pub(crate) unpriced: Option<PriceError>,
}

impl Asked {
    pub(crate) fn mode(&self) -> Mode {
        mode(self.dry_run)
    }

    /// The problem for a refusal.
    pub(crate) fn problem(unpriced: Option<PriceError>, error: ServiceError) -> Problem {
        let is_limit = matches!(
            error,
            ServiceError::Rejected {
                rejection: Rejection::AmountOutOfRange { .. }
                    | Rejection::CaptureExceedsHold { .. },
                ..
            }
        );
        match unpriced {
            Some(why) if is_limit => why.into(),
            _ => error.into(),
        }
    }
}

pub(crate) fn mode(dry_run: bool) -> Mode {
    if dry_run { Mode::DryRun } else { Mode::Commit }
}

/// The id of a wallet in a path or a batch; another form is as unknown as an unknown one.
pub(crate) fn wallet_id(text: &str) -> Result<WalletId, Problem> {
    WalletId::parse(text).map_err(|_malformed| Problem::not_found())
}

/// The id of a hold.
pub(crate) fn hold_id(text: &str) -> Result<HoldId, Problem> {
    HoldId::parse(text).map_err(|_malformed| Problem::not_found())
}

/// The id of a lot in the path of a command. Another form is unknown, but the wallet and its replays are looked at first.
pub(crate) fn lot_id(text: &str) -> LotId {
    LotId::parse(text).unwrap_or(LotId::from_number(0))
}

/// Free text of a command.
pub(crate) fn note(
    description: Option<Text<500>>,
    reference: Option<Text<200>>,
    metadata: Option<Metadata>,
) -> Note {
    Note {
        description: description.map(|text| text.0.into_boxed_str()),
        reference: reference.map(|text| text.0.into_boxed_str()),
        metadata: metadata.map(|data| data.0.into_boxed_str()),
    }
}

/// The answer of a command, as status, bytes, and whether it was given before.
pub(crate) fn printed(outcome: &Outcome, dry_run: bool) -> (u16, Vec<u8>, bool) {
    match outcome {
        Outcome::Row {
            entry,
            currency,
            replayed,
        } => {
            let (status, body) = transactions::print_row(entry, *currency, dry_run);
            (status, body, *replayed)
        }
        Outcome::Stored(answer) => (answer.status, answer.body.to_vec(), true),
    }
}

/// The same as a response.
pub(crate) fn respond(outcome: &Outcome, dry_run: bool) -> Result<Response, Problem> {
    let (status, body, replayed) = printed(outcome, dry_run);
    let status = StatusCode::from_u16(status).map_err(|_corrupt| Problem::internal())?;
    Ok(answer::replayed(answer::json(status, body), replayed))
}
