//! Top-ups: what the log says of them, and what is noted of the calls to the payment provider.

use super::listing::ListedStatus;
use super::query::Query;
use super::rows::{corrupt, pack, unpack};
use super::transactions::TransactionFilter;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tillbox_core::amount::Amount;
use tillbox_core::id::{EntryId, MerchantId, PaymentMethodId, TopUpId, WalletId};
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::{Channel, TopUp, TopUpStatus};
use tillbox_engine::port::TopUpWrite;

/// A top-up as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUpRow {
    /// Its id.
    pub id: TopUpId,
    /// Its merchant.
    pub merchant_id: MerchantId,
    /// Its wallet.
    pub wallet_id: WalletId,
    /// How it stands in the log.
    pub top_up: TopUp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The row that opened it.
    pub opened_by: EntryId,
    /// The transaction that credited it.
    pub credited_by: Option<EntryId>,
    /// What it is called, if its opener said so.
    pub description: Option<String>,
    /// What its hosted page was asked with, as JSON.
    pub terms: Option<String>,
    /// What is noted of the calls to the payment provider.
    pub calls: Calls,
}

/// What is noted of the calls to the payment provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// The saved methods to try, in order, once they are settled.
    pub plan: Option<Vec<PaymentMethodId>>,
    /// The saved method that was charged or last tried.
    pub charged_method: Option<PaymentMethodId>,
    /// Where the customer confirms.
    pub next_action: Option<String>,
    /// The hosted page.
    pub page_url: Option<String>,
    /// When the hosted page ends.
    pub expires_at: Option<Timestamp>,
    /// When the provider is asked next.
    pub poll_at: Timestamp,
    /// How often it was asked.
    pub polls: i64,
    /// Whether a charge was sent whose outcome is not known.
    pub is_unanswered: bool,
    /// Why its payment is not credited: what the provider says does not match what was asked (R26).
    pub quarantined: Option<String>,
}

/// The columns of the ledger's part, in the order of [`ledger_part`].
const LEDGER_COLUMNS: &str = "t.id, t.amount, t.reason, t.channel, t.method, t.backups, t.status, t.opened_at, t.charged, t.payment_id, t.failure";
const COLUMNS: &str = "t.id, t.amount, t.reason, t.channel, t.method, t.backups, t.status, t.opened_at, t.charged, t.payment_id, t.failure, \
     t.merchant_id, t.wallet_id, t.updated_at, t.opened_by, t.credited_by, t.plan, t.charged_method, t.next_action, t.page_url, \
     t.expires_at, t.poll_at, t.polls, t.unanswered, t.quarantined, log.description, log.metadata";

fn methods(bytes: Option<&[u8]>, id: TopUpId) -> Result<Vec<PaymentMethodId>, StoreError> {
    let numbers = unpack(bytes.unwrap_or_default());
    let numbers = numbers.ok_or_else(|| corrupt(format!("{id} has unreadable methods")))?;
    Ok(numbers
        .into_iter()
        .map(PaymentMethodId::from_number)
        .collect())
}

fn packed(methods: &[PaymentMethodId]) -> Option<Vec<u8>> {
    (!methods.is_empty()).then(|| pack(methods.iter().map(|method| method.number())))
}

fn ledger_part(row: &Row<'_>) -> Result<(TopUpId, TopUp), StoreError> {
    let id = TopUpId::from_number(row.get(0)?);
    let unknown = |what: &str| corrupt(format!("{id} has an unknown {what}"));
    let text = |column: usize| {
        row.get::<_, Option<String>>(column)
            .map(|text| text.map(String::into_boxed_str))
    };
    let top_up = TopUp {
        amount: Amount::from_micros(row.get(1)?),
        reason: Reason::from_code(row.get(2)?).ok_or_else(|| unknown("reason"))?,
        channel: Channel::from_code(row.get(3)?).ok_or_else(|| unknown("channel"))?,
        method: row
            .get::<_, Option<i64>>(4)?
            .map(PaymentMethodId::from_number),
        backups: methods(row.get::<_, Option<Vec<u8>>>(5)?.as_deref(), id)?,
        status: TopUpStatus::from_code(row.get(6)?).ok_or_else(|| unknown("status"))?,
        opened_at: Timestamp::from_micros(row.get(7)?),
        charged: Amount::from_micros(row.get(8)?),
        payment_id: text(9)?,
        failure: text(10)?,
    };
    Ok((id, top_up))
}

pub(super) fn from_row(row: &Row<'_>) -> Result<TopUpRow, StoreError> {
    let (id, top_up) = ledger_part(row)?;
    let plan: Option<Vec<u8>> = row.get(16)?;
    Ok(TopUpRow {
        id,
        merchant_id: MerchantId::from_number(row.get(11)?),
        wallet_id: WalletId::from_number(row.get(12)?),
        top_up,
        updated_at: Timestamp::from_micros(row.get(13)?),
        opened_by: EntryId::from_number(row.get(14)?),
        credited_by: row.get::<_, Option<i64>>(15)?.map(EntryId::from_number),
        description: row.get(25)?,
        terms: row.get(26)?,
        calls: Calls {
            plan: plan.map(|plan| methods(Some(&plan), id)).transpose()?,
            charged_method: row
                .get::<_, Option<i64>>(17)?
                .map(PaymentMethodId::from_number),
            next_action: row.get(18)?,
            page_url: row.get(19)?,
            expires_at: row.get::<_, Option<i64>>(20)?.map(Timestamp::from_micros),
            poll_at: Timestamp::from_micros(row.get(21)?),
            polls: row.get(22)?,
            is_unanswered: row.get(23)?,
            quarantined: row.get(24)?,
        },
    })
}

const FROM: &str = "FROM top_ups t JOIN log ON log.id = t.opened_by";

/// A top-up of that merchant.
pub fn get(
    connection: &Connection,
    merchant: MerchantId,
    id: TopUpId,
) -> Result<Option<TopUpRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} {FROM} WHERE t.id = ?1 AND t.merchant_id = ?2"
    ))?;
    let mut rows = statement.query_and_then([id.number(), merchant.number()], from_row)?;
    rows.next().transpose()
}

/// A top-up of any merchant: for who comes back from a hosted page, before it is known whose it is.
pub fn find(connection: &Connection, id: TopUpId) -> Result<Option<TopUpRow>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} {FROM} WHERE t.id = ?1"))?;
    let mut rows = statement.query_and_then([id.number()], from_row)?;
    rows.next().transpose()
}

/// Which top-ups a list shows; what is none filters nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopUpFilter {
    /// Of that status.
    pub status: Option<TopUpStatus>,
    /// For that reason.
    pub reason: Option<Reason>,
}

/// Top-ups of a wallet, newest first, with ids below `before`.
pub fn list(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    filter: TopUpFilter,
    before: Option<TopUpId>,
    rows: usize,
) -> Result<Vec<TopUpRow>, StoreError> {
    list_query(merchant, wallet, filter, before, rows).read(connection, from_row)
}

pub(super) fn list_query(
    merchant: MerchantId,
    wallet: WalletId,
    filter: TopUpFilter,
    before: Option<TopUpId>,
    rows: usize,
) -> Query {
    let select = format!("SELECT {COLUMNS} {FROM} WHERE");
    let mut query = Query::new(&select, "t.wallet_id = {}", wallet.number());
    query.and("t.merchant_id = {}", merchant.number());
    query.and("t.id < {}", before.map_or(i64::MAX, TopUpId::number));
    if let Some(status) = filter.status {
        query.and("t.status = {}", i64::from(status.code()));
    }
    if let Some(reason) = filter.reason {
        query.and("t.reason = {}", i64::from(reason.code()));
    }
    query.first("t.id DESC", rows)
}

/// Top-ups that have not succeeded, as the list of transactions shows them (R2), newest first.
pub(super) struct Unsucceeded<'a> {
    pub(super) merchant: MerchantId,
    pub(super) status: Option<ListedStatus>,
    pub(super) filter: &'a TransactionFilter,
}

impl Unsucceeded<'_> {
    /// Those of a wallet that were opened below a version.
    pub(super) fn of_wallet_query(
        &self,
        wallet: WalletId,
        before: Option<u64>,
        rows: usize,
    ) -> Query {
        let before = before.and_then(|version| i64::try_from(version).ok());
        let select = format!(
            "SELECT {COLUMNS}, log.version AS version FROM top_ups t CROSS JOIN log ON log.id = t.opened_by \
             WHERE t.status <> 3 AND"
        );
        let mut query = Query::new(&select, "t.wallet_id = {}", wallet.number());
        query.and("t.merchant_id = {}", self.merchant.number());
        query.and("log.version < {}", before.unwrap_or(i64::MAX));
        self.narrow(query, rows)
    }

    /// Those of all wallets that were opened below a row, with their wallets' currencies and languages.
    pub(super) fn of_merchant_query(&self, before: Option<EntryId>, rows: usize) -> Query {
        let select = format!(
            "SELECT {COLUMNS}, log.version AS version, w.currency AS currency, w.language AS language \
             FROM top_ups t CROSS JOIN log ON log.id = t.opened_by CROSS JOIN wallets w ON w.id = t.wallet_id \
             WHERE t.status <> 3 AND"
        );
        let mut query = Query::new(&select, "t.merchant_id = {}", self.merchant.number());
        query.and("t.opened_by < {}", before.map_or(i64::MAX, EntryId::number));
        self.narrow(query, rows)
    }

    fn narrow(&self, mut query: Query, rows: usize) -> Query {
        match self.status {
            Some(ListedStatus::Pending) => query.and_plain("t.status < 3"),
            Some(ListedStatus::Failed) => query.and_plain("t.status > 3"),
            Some(ListedStatus::Completed) | None => {}
        }
        let filter = self.filter;
        if let Some(from) = filter.from {
            query.and("t.opened_at >= {}", from.micros());
        }
        if let Some(to) = filter.to {
            query.and("t.opened_at < {}", to.micros());
        }
        if let Some(reason) = filter.reason {
            query.and("t.reason = {}", i64::from(reason.code()));
        }
        if let Some(reference) = &filter.reference {
            query.and("log.reference = {}", reference.clone());
        }
        query.first("t.opened_by DESC", rows)
    }
}

/// Top-ups of a wallet that a payment may still credit: open ones, and those given up since `since`.
pub fn unsettled(
    connection: &Connection,
    merchant: MerchantId,
    wallet: WalletId,
    since: Timestamp,
) -> Result<Vec<TopUpRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} {FROM} WHERE t.wallet_id = ?1 AND t.merchant_id = ?2 \
         AND (t.status < 3 OR (t.status > 3 AND t.updated_at >= ?3)) ORDER BY t.id LIMIT 200"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = [wallet.number(), merchant.number(), since.micros()];
    statement.query_and_then(values, from_row)?.collect()
}

/// Open top-ups of all merchants about which the provider is to be asked, longest due first.
pub fn to_ask(
    connection: &Connection,
    now: Timestamp,
    rows: usize,
) -> Result<Vec<TopUpRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} {FROM} WHERE t.status < 3 AND t.poll_at <= ?1 AND t.quarantined IS NULL \
         ORDER BY t.poll_at LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = [now.micros(), super::limit(rows)];
    statement.query_and_then(values, from_row)?.collect()
}

/// Top-ups of all merchants that the provider is to give up, longest due first.
pub fn to_give_up(
    connection: &Connection,
    now: Timestamp,
    rows: usize,
) -> Result<Vec<TopUpRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} {FROM} WHERE t.to_give_up = 1 AND t.poll_at <= ?1 ORDER BY t.poll_at LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let values = [now.micros(), super::limit(rows)];
    statement.query_and_then(values, from_row)?.collect()
}

/// How often a payment that was credited is asked about; the index of those that still are has the same number.
pub const CHECKS: i64 = 12;

/// Payments of all merchants that were credited and are to be asked about once more, longest due first, each with how
/// often it was.
pub fn to_check(
    connection: &Connection,
    now: Timestamp,
    rows: usize,
) -> Result<Vec<(TopUpRow, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(&to_check_sql())?;
    let values = [now.micros(), super::limit(rows)];
    let read = |row: &Row<'_>| Ok((from_row(row)?, row.get(27)?));
    statement.query_and_then(values, read)?.collect()
}

/// It reads an index of those alone that are still asked about.
pub(super) fn to_check_sql() -> String {
    format!(
        "SELECT {COLUMNS}, t.checks {FROM} WHERE t.status = 3 AND t.checks < {CHECKS} AND iif(t.checks = 0, 0, t.poll_at) <= ?1 \
         ORDER BY iif(t.checks = 0, 0, t.poll_at) LIMIT ?2"
    )
}

/// Notes when each of these is asked about next, and how often it was.
pub fn note_checks(
    connection: &Connection,
    noted: &[(TopUpId, Timestamp, i64)],
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE top_ups SET poll_at = ?2, checks = ?3 WHERE id = ?1")?;
    for (id, at, checks) in noted {
        statement.execute([id.number(), at.micros(), *checks])?;
    }
    Ok(())
}

/// When the next top-up is to be asked about, or to be given up.
pub fn next_poll_at(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(at) FROM (SELECT min(poll_at) AS at FROM top_ups WHERE status < 3 AND quarantined IS NULL \
               UNION ALL SELECT min(poll_at) FROM top_ups WHERE to_give_up = 1)";
    let next: Option<i64> = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(next.map(Timestamp::from_micros))
}

/// Notes that the provider has nothing left to give up of it.
pub fn note_given_up(connection: &Connection, id: TopUpId) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE top_ups SET to_give_up = 0 WHERE id = ?1")?;
    statement.execute([id.number()])?;
    Ok(())
}

/// Notes what is known of the calls to the provider.
pub fn note_calls(connection: &Connection, id: TopUpId, calls: &Calls) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE top_ups SET plan = ?2, charged_method = ?3, next_action = ?4, page_url = ?5, expires_at = ?6, \
         poll_at = ?7, polls = ?8, unanswered = ?9, quarantined = ?10 WHERE id = ?1",
    )?;
    statement.execute(params![
        id.number(),
        calls.plan.as_deref().and_then(packed),
        calls.charged_method.map(PaymentMethodId::number),
        calls.next_action,
        calls.page_url,
        calls.expires_at.map(Timestamp::micros),
        calls.poll_at.micros(),
        calls.polls,
        calls.is_unanswered,
        calls.quarantined
    ])?;
    Ok(())
}

/// Open top-ups of a wallet, as its state keeps them.
pub(super) fn open_of_wallet(
    connection: &Connection,
    wallet: WalletId,
) -> Result<Vec<(TopUpId, TopUp)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {LEDGER_COLUMNS} FROM top_ups t WHERE t.wallet_id = ?1 AND t.status < 3"
    ))?;
    statement
        .query_and_then([wallet.number()], ledger_part)?
        .collect()
}

/// A top-up of a wallet, ended ones too, with the transaction that credited it.
pub(super) fn of_wallet(
    connection: &Connection,
    wallet: WalletId,
    id: TopUpId,
) -> Result<Option<(TopUp, Option<EntryId>)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {LEDGER_COLUMNS}, t.credited_by FROM top_ups t WHERE t.id = ?1 AND t.wallet_id = ?2"
    ))?;
    let mut rows = statement.query_and_then([id.number(), wallet.number()], audited)?;
    rows.next().transpose()
}

/// The ledger's part of a top-up, with the transaction that credited it: for the audit.
pub(super) const AUDIT_COLUMNS: &str = "t.id, t.amount, t.reason, t.channel, t.method, t.backups, t.status, t.opened_at, t.charged, \
     t.payment_id, t.failure, t.credited_by";

/// Reads a row of [`AUDIT_COLUMNS`].
pub(super) fn audited(row: &Row<'_>) -> Result<(TopUp, Option<EntryId>), StoreError> {
    let (_, top_up) = ledger_part(row)?;
    let credited_by = row.get::<_, Option<i64>>(11)?;
    Ok((top_up, credited_by.map(EntryId::from_number)))
}

/// Writes the ledger's part of top-ups. One that was credited is never written again: the batch is refused then.
pub(super) fn write(
    connection: &Connection,
    merchant_of: impl Fn(WalletId) -> Option<MerchantId>,
    top_ups: &[TopUpWrite],
) -> rusqlite::Result<()> {
    if top_ups.is_empty() {
        return Ok(());
    }
    let mut update = connection.prepare_cached(
        "UPDATE top_ups SET status = ?2, charged = ?3, payment_id = ?4, failure = ?5, updated_at = ?6, credited_by = ?7, \
         to_give_up = ?8, poll_at = iif(?8, 0, poll_at) WHERE id = ?1 AND status <> 3",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO top_ups (id, merchant_id, wallet_id, amount, reason, channel, method, backups, status, opened_at, charged, \
         payment_id, failure, updated_at, opened_by, credited_by, to_give_up) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    for write in top_ups {
        let top_up = &write.top_up;
        let credited_by = write.credited_by.map(EntryId::number);
        let to_give_up = top_up.status == TopUpStatus::Canceled;
        let changed = match write.opened_by {
            None => update.execute(params![
                write.id.number(),
                top_up.status.code(),
                top_up.charged.micros(),
                top_up.payment_id,
                top_up.failure,
                write.updated_at.micros(),
                credited_by,
                to_give_up
            ])?,
            Some(opened_by) => insert.execute(params![
                write.id.number(),
                merchant_of(write.wallet_id).map(MerchantId::number),
                write.wallet_id.number(),
                top_up.amount.micros(),
                top_up.reason.code(),
                top_up.channel.code(),
                top_up.method.map(PaymentMethodId::number),
                packed(&top_up.backups),
                top_up.status.code(),
                top_up.opened_at.micros(),
                top_up.charged.micros(),
                top_up.payment_id,
                top_up.failure,
                write.updated_at.micros(),
                opened_by.number(),
                credited_by,
                to_give_up
            ])?,
        };
        super::ledger::expect_one(changed)?;
    }
    Ok(())
}

/// The status of a top-up that a page waits for; none when there is no such top-up.
pub fn status(connection: &Connection, id: TopUpId) -> Result<Option<TopUpStatus>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT status FROM top_ups WHERE id = ?1")?;
    let code: Option<u8> = statement
        .query_row([id.number()], |row| row.get(0))
        .optional()?;
    code.map(|code| {
        TopUpStatus::from_code(code).ok_or_else(|| corrupt(format!("{id} has an unknown status")))
    })
    .transpose()
}
