//! What the audit found, for people and for programs.

use std::fmt;
use std::time::Duration;
use tillbox_core::audit;
use tillbox_core::entry::LogHead;
use tillbox_core::id::WalletId;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows of the log that were read.
    pub rows: u64,
    /// Rows that there were at the start, of all merchants; a running writer makes more.
    pub rows_total: u64,
}

/// A rule that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name.
    pub invariant: &'static str,
    /// In which wallet, where it is about one.
    pub wallet: Option<WalletId>,
    /// At which of its rows, where it is about one.
    pub version: Option<u64>,
    /// What was found, for people.
    pub detail: String,
}

/// What the audit found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Rows of the log that were read.
    pub rows: u64,
    /// Wallets that were read.
    pub wallets: u64,
    /// Where the whole log stood when it began.
    pub head: LogHead,
    /// How many rows the anchor beside the database tells of, if there is one.
    pub anchored: Option<u64>,
    /// How long it took.
    pub took: Duration,
    /// The rules that were checked.
    pub rules: Vec<&'static str>,
    /// The first of each kind; none when all is well.
    pub violations: Vec<Violation>,
}

pub(super) const ANCHOR: &str = "the log reaches its anchor";
pub(super) const LOG_CHAIN: &str = "the log's chain holds";
pub(super) const OWN: &str = "each row is one of its wallet's";
pub(super) const MERCHANT: &str = "every row has its merchant";
pub(super) const KEYS: &str = "every key leads to its row";
pub(super) const ONE_KEY: &str = "a key has a row or an answer";
pub(super) const REFUNDS: &str = "refunds are stored beside the log";
pub(super) const DEBT_PAYMENTS: &str = "payments of debt are stored beside the log";
pub(super) const TOLD: &str = "each row is found by its merchant";
pub(super) const STRETCHES: &str = "where a merchant is said to have rows, it has one";
pub(super) const OPENINGS: &str = "each opening is told of once, before the rows";
pub(super) const STATE: &str = "the stored state is what the log comes to";
pub(super) const LOTS: &str = "stored lots are what the log comes to";
pub(super) const HOLDS: &str = "stored holds are what the log comes to";
pub(super) const SNAPSHOTS: &str = "snapshots are what the log comes to";
pub(super) const BOOKS: &str = "the books are what the log comes to";
pub(super) const TOP_UPS: &str = "stored top-ups are what the log comes to";
pub(super) const PAYBACKS: &str = "what is stored of what went back is what the log comes to";
pub(super) const PAYOUTS: &str = "stored payouts are what the log comes to";
pub(super) const DISPUTES: &str = "stored disputes are what the log comes to";
pub(super) const WARNINGS: &str = "each warning of an expiry is its lot's";

/// Rules about the log as a whole, and about tables that have no merchant: checked when all merchants are.
const OF_ALL: &[&str] = &[LOG_CHAIN, ONE_KEY, STRETCHES, BOOKS];
/// Rules about what is stored beside a wallet's rows.
const OF_WALLETS: &[&str] = &[
    ANCHOR,
    OWN,
    MERCHANT,
    KEYS,
    REFUNDS,
    DEBT_PAYMENTS,
    TOLD,
    OPENINGS,
    STATE,
    LOTS,
    HOLDS,
    TOP_UPS,
    PAYBACKS,
    PAYOUTS,
    DISPUTES,
    SNAPSHOTS,
    WARNINGS,
];

/// Rules that an audit of all merchants checks.
pub fn rules_of_all() -> Vec<&'static str> {
    [audit::RULES, OF_WALLETS, OF_ALL].concat()
}

/// Rules that an audit of one merchant checks.
pub fn rules_of_one() -> Vec<&'static str> {
    [audit::RULES, OF_WALLETS].concat()
}

impl Report {
    pub(super) fn new(rules: Vec<&'static str>) -> Self {
        Self {
            rows: 0,
            wallets: 0,
            head: LogHead::EMPTY,
            anchored: None,
            took: Duration::ZERO,
            rules,
            violations: Vec::new(),
        }
    }

    /// Rows read in a second.
    pub fn rows_per_second(&self) -> u64 {
        let milliseconds = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        self.rows.saturating_mul(1_000) / milliseconds.max(1)
    }

    /// The hash over the whole log, in hexadecimal.
    pub fn head_hash(&self) -> String {
        blake3::Hash::from_bytes(self.head.hash)
            .to_hex()
            .to_string()
    }

    /// One JSON object.
    pub fn to_json(&self) -> String {
        let violations = self.violations.iter().map(|violation| {
            serde_json::json!({
                "invariant": violation.invariant,
                "wallet_id": violation.wallet.map(|wallet| wallet.to_string()),
                "version": violation.version,
                "detail": violation.detail,
            })
        });
        let whole = serde_json::json!({
            "ok": self.violations.is_empty(),
            "rows": self.rows,
            "wallets": self.wallets,
            "height": self.head.height,
            "head": self.head_hash(),
            "anchored_height": self.anchored,
            "rows_per_second": self.rows_per_second(),
            "rules": self.rules,
            "violations": violations.collect::<Vec<_>>(),
        });
        whole.to_string()
    }

    pub(super) fn add(&mut self, violation: Violation) {
        let mut known = self.violations.iter();
        if !known.any(|known| known.invariant == violation.invariant) {
            self.violations.push(violation);
        }
    }

    /// Adds what another part of the audit found.
    pub(super) fn take_in(&mut self, part: Self) {
        self.rows += part.rows;
        self.wallets += part.wallets;
        for violation in part.violations {
            self.add(violation);
        }
    }

    /// Something that is about no wallet.
    pub(super) fn found(&mut self, invariant: &'static str, detail: String) {
        self.add(Violation {
            invariant,
            wallet: None,
            version: None,
            detail,
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, wallets) = (self.rows, self.wallets);
        let speed = self.rows_per_second();
        write!(
            formatter,
            "{rows} rows of {wallets} wallets read, {speed} rows/s\nheight {}, hash {}",
            self.head.height,
            self.head_hash()
        )?;
        match self.anchored {
            Some(height) => write!(formatter, ", anchored at {height}")?,
            None => write!(formatter, ", not anchored")?,
        }
        if self.violations.is_empty() {
            let rules = self.rules.len();
            return write!(formatter, "\nall invariants hold ({rules} rules)");
        }
        for violation in &self.violations {
            write!(formatter, "\nbroken: {}", violation.invariant)?;
            if let Some(wallet) = violation.wallet {
                write!(formatter, "\n  wallet {wallet}")?;
            }
            if let Some(version) = violation.version {
                write!(formatter, ", version {version}")?;
            }
            write!(formatter, "\n  {}", violation.detail)?;
        }
        Ok(())
    }
}
