//! All wallets at once, each followed by an audit of its own as the log's rows come.

use super::chain::LogChain;
use super::index::{Folded, Sums};
use super::keys::{KeySums, KeysOfOne};
use super::links::{self, Broken};
use super::report::{MERCHANT, SNAPSHOTS};
use super::scan::{LogRow, Pass, log_row};
use super::told::Stretches;
use super::{Report, Scope, Violation, stored};
use crate::error::StoreError;
use crate::sqlite::key_runs::Key;
use crate::sqlite::rows::ENTRY_COLUMNS;
use crate::sqlite::snapshots;
use foldhash::{HashMap, HashMapExt};
use rusqlite::Connection;
use std::collections::BTreeMap;
use tillbox_core::audit::{self, WalletAudit};
use tillbox_core::entry::Entry;
use tillbox_core::id::WalletId;

/// A wallet as far as its rows were read.
pub(super) struct Followed {
    pub(super) audit: WalletAudit,
    /// Of its first row.
    pub(super) merchant: Option<i64>,
    /// Its first row.
    pub(super) first: Option<i64>,
    pub(super) debt_payments: i64,
    /// Sum over its rows, as they must be listed: of one merchant alone.
    pub(super) listed: u64,
    pub(super) readable: bool,
}

impl Followed {
    pub(super) fn new(id: WalletId) -> Self {
        Self {
            audit: WalletAudit::new(id),
            merchant: None,
            first: None,
            debt_payments: 0,
            listed: 0,
            readable: true,
        }
    }
}

/// What is followed of the log.
pub(super) struct Books {
    pub(super) wallets: HashMap<WalletId, Box<Followed>>,
    pub(super) chain: LogChain,
    pub(super) beside: Beside,
}

/// What rows are held against beside their wallets.
pub(super) struct Beside {
    pub(super) scope: Scope,
    pub(super) pass: Pass,
    pub(super) folded: Folded,
    pub(super) sums: Sums,
    pub(super) keys: KeySums,
    /// Where one merchant is audited.
    pub(super) keys_of_one: KeysOfOne,
    pub(super) stretches: Stretches,
    /// Whether it looks at the log as a whole too, not only at wallets.
    pub(super) is_whole: bool,
}

impl Books {
    pub(super) fn new(scope: Scope, pass: Pass, folded: Folded) -> Self {
        Self {
            wallets: HashMap::new(),
            chain: LogChain::new(),
            beside: Beside {
                scope,
                pass,
                folded,
                sums: Sums::new(folded.wallet_log),
                keys: KeySums::new(folded.keys),
                keys_of_one: KeysOfOne::default(),
                stretches: Stretches::default(),
                is_whole: scope == Scope::All && pass.number == 0,
            },
        }
    }

    /// Others for a part of the wallets, which look at no more than these.
    pub(super) fn for_a_part(&self) -> Self {
        let mut part = Self::new(self.beside.scope, self.beside.pass, self.beside.folded);
        part.beside.sums = self.beside.sums.clone();
        part.beside.is_whole = false;
        part
    }

    /// Takes the next row of the log.
    pub(super) fn take(
        &mut self,
        connection: &Connection,
        row: &LogRow,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let beside = &mut self.beside;
        if beside.is_whole {
            self.chain.add(row.id, row.hash, row.head, report);
            let wallet = row.wallet.map(WalletId::number);
            beside.meet(row.id, wallet, row.version, row.merchant, row.key);
        }
        let Some(wallet) = row.wallet else {
            report.rows += 1;
            let detail = format!("row {} is of no wallet", row.id);
            report.found(audit::READABLE, detail);
            return Ok(());
        };
        if row.entry.is_none() {
            return Ok(());
        }
        let new = || Box::new(Followed::new(wallet));
        let followed = self.wallets.entry(wallet).or_insert_with(new);
        beside.feed(connection, followed, row, report)
    }
}

impl Beside {
    /// Takes what a row of the log says of itself; none where it can't be read.
    fn meet(
        &mut self,
        id: i64,
        wallet: Option<i64>,
        version: Option<i64>,
        merchant: Option<i64>,
        key: Option<Key>,
    ) {
        self.sums.add(id, wallet, version);
        if let Some(key) = key {
            self.keys.add(key, id);
        }
        if let Some(merchant) = merchant {
            self.stretches.meet(merchant, id);
        }
    }

    /// Feeds a row to its wallet, and follows what it links to.
    pub(super) fn feed(
        &mut self,
        connection: &Connection,
        followed: &mut Followed,
        row: &LogRow,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let entry = match &row.entry {
            Some(Ok(entry)) if followed.readable => entry,
            Some(Err(what)) if followed.readable => {
                report.rows += 1;
                followed.audit.feed_unreadable(what.clone());
                followed.readable = false;
                return Ok(());
            }
            _ => return Ok(()),
        };
        report.rows += 1;
        if followed.first.is_none() {
            followed.first = Some(row.id);
            followed.merchant = row.merchant;
        }
        followed.audit.feed(entry);
        if followed.merchant != row.merchant {
            let detail = "the row is of another merchant than those before".to_owned();
            found(report, entry, MERCHANT, detail);
        }
        add(report, entry, links::check_refund(connection, entry)?);
        let (payments, broken) = links::check_debt_payments(connection, entry)?;
        followed.debt_payments += payments;
        add(report, entry, broken);
        if self.scope != Scope::All {
            let one = self.sums.of_listed(entry.version, row.id);
            followed.listed = followed.listed.wrapping_add(one);
            if let Some(stamp) = entry.key {
                let (pair, folded_to) = ((stamp.key, row.id), self.folded.keys);
                self.keys_of_one.add(connection, pair, folded_to, report)?;
            }
        }
        let broken = check_snapshot(connection, followed, entry)?;
        add(report, entry, broken);
        if let Some(merchant) = followed.merchant {
            let broken = self.stretches.check(connection, merchant, entry)?;
            add(report, entry, broken);
        }
        Ok(())
    }
}

/// A snapshot is what the rows up to its own come to.
fn check_snapshot(
    connection: &Connection,
    followed: &Followed,
    entry: &Entry,
) -> Result<Broken, StoreError> {
    if !snapshots::is_due(entry.version) {
        return Ok(None);
    }
    let Some(stored) = snapshots::stored(connection, entry.wallet_id, entry.version)? else {
        return Ok(None);
    };
    let wallet = stored::load_wallet(connection, entry.wallet_id)?;
    let expected = wallet.and_then(|wallet| followed.audit.state_so_far(wallet));
    let is_another = expected.is_some_and(|expected| !stored.is_of(&expected));
    let detail = || format!("the snapshot behind version {} is another", entry.version);
    Ok(is_another.then(|| (SNAPSHOTS, detail())))
}

fn add(report: &mut Report, entry: &Entry, broken: Broken) {
    if let Some((invariant, detail)) = broken {
        found(report, entry, invariant, detail);
    }
}

fn found(report: &mut Report, entry: &Entry, invariant: &'static str, detail: String) {
    report.add(Violation {
        invariant,
        wallet: Some(entry.wallet_id),
        version: Some(entry.version),
        detail,
    });
}

/// Rows behind those that all tables had when the audit began: by wallet, their ids alone, as many may come.
pub(super) struct Tail {
    end: i64,
    /// The last wallet whose rows are kept.
    to: i64,
    rows: BTreeMap<WalletId, Vec<i64>>,
}

impl Tail {
    /// Behind that row, of wallets up to `to`.
    pub(super) fn new(begin: i64, to: i64) -> Self {
        Self {
            end: begin,
            to,
            rows: BTreeMap::new(),
        }
    }

    /// Reads what came since the last snapshot, so that it reaches the end of this one. Wallets up to `done` are done.
    pub(super) fn read_on(
        &mut self,
        connection: &Connection,
        books: &mut Books,
        done: i64,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let sql = match books.beside.scope {
            Scope::All => {
                "SELECT id, wallet_id, version, merchant_id, key, hash, height, head FROM log WHERE id > ?1 ORDER BY id"
            }
            Scope::Merchant(_) => {
                "SELECT id, wallet_id, version, merchant_id, key, hash, height, head FROM log WHERE id > ?1 AND merchant_id = ?2 ORDER BY id"
            }
        };
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = match books.beside.scope {
            Scope::All => statement.query([self.end])?,
            Scope::Merchant(merchant) => statement.query([self.end, merchant.number()])?,
        };
        while let Some(row) = rows.next()? {
            self.end = row.get(0)?;
            let wallet: Option<i64> = row.get(1).ok();
            if books.beside.is_whole {
                let head = row.get(7).ok();
                let head = head.map(|hash| (row.get(6).unwrap_or(0), hash));
                books.chain.add(self.end, row.get(5).ok(), head, report);
                let (version, merchant, key) = (row.get(2).ok(), row.get(3).ok(), row.get(4).ok());
                let beside = &mut books.beside;
                beside.meet(self.end, wallet, version, merchant, key);
            }
            match wallet.map(WalletId::from_number) {
                Some(wallet) if self.keeps(wallet, done) && books.beside.pass.has(wallet) => {
                    self.rows.entry(wallet).or_default().push(self.end);
                }
                Some(_) => {}
                None => {
                    let detail = format!("row {} is of no wallet", self.end);
                    report.found(audit::READABLE, detail);
                }
            }
        }
        Ok(())
    }

    fn keeps(&self, wallet: WalletId, done: i64) -> bool {
        done < wallet.number() && wallet.number() <= self.to
    }

    /// Its rows of a wallet, in order; they are not kept.
    pub(super) fn take(&mut self, wallet: WalletId) -> Vec<i64> {
        self.rows.remove(&wallet).unwrap_or_default()
    }

    /// The wallet behind `after` that it has rows of.
    pub(super) fn next_wallet(&self, after: i64) -> Option<i64> {
        let from = WalletId::from_number(after.checked_add(1)?);
        self.rows.range(from..).next().map(|(id, _)| id.number())
    }

    /// Wallets with rows, within `(after, to]`.
    pub(super) fn wallets(&self, after: i64, to: i64) -> Vec<i64> {
        let Some(from) = after.checked_add(1).filter(|from| *from <= to) else {
            return Vec::new();
        };
        let range = WalletId::from_number(from)..=WalletId::from_number(to);
        self.rows.range(range).map(|(id, _)| id.number()).collect()
    }
}

/// One row of the log by its id.
pub(super) fn read_row(
    connection: &Connection,
    id: i64,
    pass: Pass,
) -> Result<Option<LogRow>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS}, log.merchant_id, log.height, log.head FROM log WHERE log.id = ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(|row| log_row(row, pass)).transpose()
}
