//! Wallets in the order of their ids, some in each snapshot.

use super::compare::Comparison;
use super::follow::{Books, Followed, Tail};
use super::{Limits, Report, Scope, in_snapshot, stored};
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;
use tillbox_core::id::WalletId;

/// Wallets within `(after, to]`.
pub(super) struct Part {
    pub(super) limits: Limits,
    /// Those with rows, as far as they were read.
    pub(super) wallets: BTreeMap<WalletId, Box<Followed>>,
    pub(super) after: i64,
    pub(super) to: i64,
}

impl Part {
    /// Compares all of them.
    pub(super) fn compare(
        &mut self,
        connection: &Connection,
        books: &mut Books,
        report: &mut Report,
        tell: &mut dyn FnMut(&Report) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut tail = Tail::new(books.beside.folded.wallet_log, self.to);
        loop {
            let next = in_snapshot(connection, |connection| {
                tail.read_on(connection, books, self.after, report)?;
                let Some(range) = self.next_range(connection, books.beside.scope, &tail)? else {
                    return Ok(None);
                };
                self.compare_range(connection, range, &mut tail, books, report)?;
                Ok(Some(range.1))
            })?;
            tell(report)?;
            match next {
                Some(to) => self.after = to,
                None => break,
            }
        }
        let beside = &mut books.beside;
        let folded_to = beside.folded.keys;
        // In one snapshot: a merge moves keys from run to run.
        in_snapshot(connection, |connection| {
            beside.keys_of_one.check(connection, folded_to, report)
        })
    }

    /// The wallets that are compared next, `(after, to]`. Of one merchant, a wallet at a time, as those of others lie
    /// between.
    fn next_range(
        &self,
        connection: &Connection,
        scope: Scope,
        tail: &Tail,
    ) -> Result<Option<(i64, i64)>, StoreError> {
        match scope {
            Scope::All if self.after == self.to => Ok(None),
            Scope::All => {
                let sql = "SELECT id FROM wallets WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT 1 OFFSET ?3";
                let mut statement = connection.prepare_cached(sql)?;
                let most = super::super::limit(self.limits.wallets.saturating_sub(1));
                let last = statement.query_row([self.after, self.to, most], |row| row.get(0));
                Ok(Some((self.after, last.optional()?.unwrap_or(self.to))))
            }
            Scope::Merchant(merchant) => {
                let sql = "SELECT min(id) FROM wallets WHERE merchant_id = ?1 AND id > ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let values = [merchant.number(), self.after];
                let stored: Option<i64> = statement.query_row(values, |row| row.get(0))?;
                let followed = self.wallets.keys().next().map(|id| id.number());
                let trailing = tail.next_wallet(self.after);
                let next = [stored, followed, trailing].into_iter().flatten().min();
                Ok(next.map(|next| (next.saturating_sub(1), next)))
            }
        }
    }

    fn compare_range(
        &mut self,
        connection: &Connection,
        (after, to): (i64, i64),
        tail: &mut Tail,
        books: &mut Books,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let mut stored = stored::load(connection, after, to)?;
        let mut ids: Vec<i64> = stored.keys().copied().collect();
        ids.extend(tail.wallets(after, to));
        let upper = WalletId::from_number(to);
        ids.extend(self.wallets.range(..=upper).map(|(id, _)| id.number()));
        ids.sort_unstable();
        ids.dedup();
        for number in ids {
            let id = WalletId::from_number(number);
            if !books.beside.pass.has(id) {
                continue;
            }
            let followed = self.wallets.remove(&id);
            let comparison = Comparison {
                id,
                followed: followed.unwrap_or_else(|| Box::new(Followed::new(id))),
                stored: stored.remove(&number).unwrap_or_default(),
                tail: tail.take(id),
            };
            comparison.run(connection, &mut books.beside, report)?;
        }
        Ok(())
    }
}
