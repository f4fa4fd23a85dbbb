//! What is stored of a wallet, held against what its log comes to.
//!
//! Its rows may be ahead of its tables, by rows that only spend: then the tables are compared as of the version that
//! they stand at, and the other rows are followed behind it.

use super::super::rows::pack_spans;
use super::super::snapshots;
use super::follow::{Beside, Followed, read_row};
use super::report::{
    DEBT_PAYMENTS, DISPUTES, HOLDS, LOTS, MERCHANT, OPENINGS, OWN, PAYBACKS, PAYOUTS, SNAPSHOTS,
    STATE, TOP_UPS,
};
use super::scan::LogRow;
use super::stored::{Rows, STATE_COLUMNS, Stored, StoredState, StoredWallet};
use super::{Report, Scope, Violation};
use crate::error::StoreError;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;
use tillbox_core::audit::Stands;
use tillbox_core::entry::encode_standing;
use tillbox_core::id::{TopUpId, WalletId};
use tillbox_core::payback::Dispute;
use tillbox_core::time::Timestamp;
use tillbox_core::wallet::{NewWallet, WalletState, WalletStatus};

/// A wallet with what is stored of it, and its rows that may be behind what is stored.
pub(super) struct Comparison {
    pub(super) id: WalletId,
    pub(super) followed: Box<Followed>,
    pub(super) stored: Stored,
    pub(super) tail: Vec<i64>,
}

impl Comparison {
    /// Compares all of it, within one snapshot.
    pub(super) fn run(
        mut self,
        connection: &Connection,
        beside: &mut Beside,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        report.wallets += 1;
        let version = self.stored.state.as_ref().and_then(StoredState::version);
        let ahead = self.follow_stored(connection, version, beside, report)?;
        let wallet = self.wallet(report);
        if let Some(wallet) = wallet {
            self.compare_tables(wallet, report);
        }
        for row in ahead {
            beside.feed(connection, &mut self.followed, &row, report)?;
        }
        if self.followed.readable && self.stored.debt_payments != self.followed.debt_payments {
            let (stored, log) = (self.stored.debt_payments, self.followed.debt_payments);
            self.found(
                DEBT_PAYMENTS,
                format!("{stored} stored, {log} in the log"),
                report,
            );
        }
        let id = self.id;
        let last = self.followed.audit.version();
        if self.followed.readable && snapshots::has_others(connection, id, last)? {
            let detail = "there is one behind no row that has one".to_owned();
            self.found(SNAPSHOTS, detail, report);
        }
        let Some(wallet) = wallet else {
            return Ok(());
        };
        self.check_opening(report);
        let is_another = self.followed.merchant.is_some()
            && self.followed.merchant != Some(wallet.merchant_id.number());
        if is_another {
            let detail = "its rows are of another merchant than the wallet".to_owned();
            self.found(MERCHANT, detail, report);
        }
        for violation in self.followed.audit.finish(wallet).violations {
            report.add(Violation {
                invariant: violation.invariant,
                wallet: Some(self.id),
                version: Some(violation.version).filter(|version| *version > 0),
                detail: violation.detail,
            });
        }
        Ok(())
    }

    /// Compares what stands at the stored version.
    fn compare_tables(&mut self, wallet: NewWallet, report: &mut Report) {
        let Stands {
            state,
            lots,
            holds,
            top_ups,
            paybacks,
            payouts,
        } = self.followed.audit.stands(wallet);
        let Some(state) = state else {
            return;
        };
        let stored = std::mem::take(&mut self.stored.state);
        compare_state(
            stored.map(|state| state.columns).unwrap_or_default(),
            &state,
            report,
        );
        let lots = lots.iter().map(|(id, lot)| (id.number(), lot));
        let stored = std::mem::take(&mut self.stored.lots);
        compare_all(self.id, LOTS, stored, lots, report);
        let holds = holds.iter().map(|(id, hold)| (id.number(), hold));
        let stored = std::mem::take(&mut self.stored.holds);
        compare_all(self.id, HOLDS, stored, holds, report);
        let top_ups = top_ups.iter().map(|(id, one)| (id.number(), one));
        let stored = std::mem::take(&mut self.stored.top_ups);
        compare_all(self.id, TOP_UPS, stored, top_ups, report);
        let disputes: BTreeMap<i64, (TopUpId, Dispute)> = paybacks
            .iter()
            .flat_map(|(id, payback)| payback.disputes.iter().map(|one| (*id, one.clone())))
            .map(|(id, dispute)| (dispute.id.number(), (id, dispute)))
            .collect();
        let disputes = disputes.iter().map(|(id, one)| (*id, one));
        let stored = std::mem::take(&mut self.stored.disputes);
        compare_all(self.id, DISPUTES, stored, disputes, report);
        let payouts = payouts.iter().map(|(id, one)| (id.number(), one));
        let stored = std::mem::take(&mut self.stored.payouts);
        compare_all(self.id, PAYOUTS, stored, payouts, report);
        let paybacks = paybacks.iter().map(|(id, one)| (id.number(), one));
        let stored = std::mem::take(&mut self.stored.paybacks);
        compare_all(self.id, PAYBACKS, stored, paybacks, report);
    }

    /// Follows the rows of the tail up to the stored version, and gives those ahead of it.
    fn follow_stored(
        &mut self,
        connection: &Connection,
        stored: Option<u64>,
        beside: &mut Beside,
        report: &mut Report,
    ) -> Result<Vec<LogRow>, StoreError> {
        let before = self.followed.audit.version();
        let (mut ahead, mut listed) = (Vec::new(), 0_i64);
        for id in std::mem::take(&mut self.tail) {
            let Some(row) = read_row(connection, id, beside.pass)? else {
                continue;
            };
            let version = row.version.and_then(|version| u64::try_from(version).ok());
            if version > stored || !ahead.is_empty() {
                ahead.push(row);
            } else {
                listed += 1;
                beside.feed(connection, &mut self.followed, &row, report)?;
            }
        }
        if beside.scope != Scope::All {
            self.check_listed(connection, stored, beside, report)?;
        } else if listed > 0 {
            // Rows up to where the audit began, and rows that are listed and are none, are found elsewhere.
            let sql = "SELECT count(*) FROM wallet_log WHERE wallet_id = ?1 AND version > ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let before = i64::try_from(before).unwrap_or(i64::MAX);
            let known: i64 = statement.query_row([self.id.number(), before], |row| row.get(0))?;
            if known != listed {
                let detail =
                    format!("{known} rows behind version {before} are listed, not {listed}");
                self.found(OWN, detail, report);
            }
        }
        Ok(ahead)
    }

    /// Whether exactly the wallet's rows up to the stored version are listed; the log as a whole is held against the
    /// whole list elsewhere.
    fn check_listed(
        &self,
        connection: &Connection,
        stored: Option<u64>,
        beside: &Beside,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = "SELECT version, entry_id FROM wallet_log WHERE wallet_id = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([self.id.number()])?;
        let mut left = self.followed.listed;
        while let Some(row) = rows.next()? {
            left = left.wrapping_sub(beside.sums.of_listed(row.get(0)?, row.get(1)?));
        }
        if left != 0 && stored.is_some() && self.followed.readable {
            let detail = "its rows are not those that are listed of it".to_owned();
            self.found(OWN, detail, report);
        }
        Ok(())
    }

    /// The wallet as it is stored; none where a part of it is missing, or parts differ.
    fn wallet(&self, report: &mut Report) -> Option<NewWallet> {
        let is_whole = |wallet: &StoredWallet| {
            let closed = i64::from(WalletStatus::Closed.code());
            let merchant = Value::Integer(wallet.wallet.merchant_id.number());
            self.stored.state.as_ref().is_some_and(|state| {
                let is_closed = state.status() == Some(&Value::Integer(closed));
                state.merchant == merchant && is_closed == wallet.is_closed
            })
        };
        match &self.stored.wallet {
            Some(Ok(wallet)) if is_whole(wallet) => Some(wallet.wallet),
            Some(Err(what)) => {
                self.found(STATE, what.clone(), report);
                None
            }
            _ => {
                let detail = "the wallet or its state is not there".to_owned();
                self.found(STATE, detail, report);
                None
            }
        }
    }

    /// Whether its opening is told of once, before its rows.
    fn check_opening(&self, report: &mut Report) {
        let detail = match (self.stored.told, self.followed.first) {
            ((1, at), first) if first.is_none_or(|first| at < first) => return,
            ((1, _), _) => "it is told of behind the first row".to_owned(),
            ((told, _), _) => format!("it is told of {told} times"),
        };
        self.found(OPENINGS, detail, report);
    }

    fn found(&self, invariant: &'static str, detail: String, report: &mut Report) {
        report.add(Violation {
            invariant,
            wallet: Some(self.id),
            version: None,
            detail,
        });
    }
}

/// The columns of `wallet_states`.
fn compare_state(stored: Vec<Value>, state: &WalletState, report: &mut Report) {
    let count = |count: u64| Value::from(i64::try_from(count).unwrap_or(i64::MAX));
    let due = state.next_due_at().map(Timestamp::micros);
    let standing = encode_standing(state.recharge.as_deref(), &state.alerts, state.disputed());
    let expected: [Value; STATE_COLUMNS.len()] = [
        i64::from(state.status.code()).into(),
        count(state.version),
        count(state.seq),
        state.head.to_vec().into(),
        state.last_at.micros().into(),
        state.last_effective_at.micros().into(),
        state.balance.micros().into(),
        state.held.micros().into(),
        state.debt.paid_to().micros().into(),
        state.debt.owed_to().micros().into(),
        pack_spans(state.debt.canceled()).into(),
        state.overdraft_limit.micros().into(),
        due.into(),
        standing.into(),
    ];
    for ((name, expected), stored) in STATE_COLUMNS.iter().zip(expected).zip(stored) {
        if stored != expected {
            report.add(Violation {
                invariant: STATE,
                wallet: Some(state.id),
                version: None,
                detail: format!("{name} is {stored:?}, the log comes to {expected:?}"),
            });
        }
    }
}

/// Compares rows of a table with what they must be, by their ids: none more, none less.
fn compare_all<'a, T: PartialEq + Debug + 'a>(
    wallet: WalletId,
    invariant: &'static str,
    mut stored: Rows<T>,
    expected: impl Iterator<Item = (i64, &'a T)>,
    report: &mut Report,
) {
    let mut found = |detail: String| {
        report.add(Violation {
            invariant,
            wallet: Some(wallet),
            version: None,
            detail,
        });
    };
    stored.sort_unstable_by_key(|(id, _)| *id);
    let mut expected = expected.peekable();
    for (id, stored) in stored {
        while let Some((_, missing)) = expected.next_if(|(known, _)| *known < id) {
            found(format!("{missing:?} is not stored"));
        }
        let expected = expected.next_if(|(known, _)| *known == id);
        let expected = expected.map(|(_, value)| value);
        match stored {
            Ok(stored) if Some(&stored) == expected => {}
            Ok(stored) => found(format!("{stored:?} is stored for {expected:?}")),
            Err(what) => found(what),
        }
    }
    for (_, missing) in expected {
        found(format!("{missing:?} is not stored"));
    }
}
