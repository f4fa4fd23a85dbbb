//! The prices of a reseller, and the rows of what its customers did.

/// How a price rounds to a micro-unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    HalfUp,
    Up,
}

/// A price of the reseller; `micros` is the amount for `per` units, in millionths of a dollar.
#[derive(Debug)]
pub(crate) struct Price {
    pub(crate) key: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) micros: i64,
    pub(crate) per: i64,
    pub(crate) increment: i64,
    pub(crate) minimum: i64,
    pub(crate) rounding: Rounding,
}

const fn call(key: &'static str, micros: i64, minimum: i64, increment: i64) -> Price {
    Price {
        key,
        unit: "minute",
        micros,
        per: 60,
        increment,
        minimum,
        rounding: Rounding::HalfUp,
    }
}

const fn message(key: &'static str, micros: i64) -> Price {
    let rounding = Rounding::HalfUp;
    Price {
        key,
        unit: "message",
        micros,
        per: 1,
        increment: 1,
        minimum: 1,
        rounding,
    }
}

const fn tokens(key: &'static str, micros: i64) -> Price {
    let rounding = Rounding::Up;
    Price {
        key,
        unit: "token",
        micros,
        per: 1_000_000,
        increment: 1,
        minimum: 1,
        rounding,
    }
}

pub(crate) const PRICES: [Price; 11] = [
    call("voice.us", 14_000, 60, 60),
    call("voice.us.toll_free", 22_500, 60, 60),
    call("voice.es.mobile", 24_500, 6, 6),
    call("voice.uk", 18_900, 30, 6),
    message("sms.us", 7_500),
    message("sms.es", 61_200),
    message("whatsapp.marketing", 50_000),
    message("whatsapp.utility", 20_000),
    message("whatsapp.authentication", 30_000),
    tokens("ai.small", 150_000),
    tokens("ai.large", 2_500_000),
];

/// What happened. Amounts are in millionths of a dollar; `hold` numbers the holds of the month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    TopUp {
        micros: i64,
    },
    Gift {
        micros: i64,
    },
    Rental {
        micros: i64,
    },
    Purchase {
        micros: i64,
    },
    Usage {
        price: usize,
        quantity: i64,
        hold: Option<usize>,
    },
    Hold {
        hold: usize,
        micros: i64,
    },
    Capture {
        hold: usize,
        micros: i64,
        is_final: bool,
    },
    Release {
        hold: usize,
    },
}

/// One row: when in the month, in seconds, who, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) second: u64,
    pub(crate) customer: usize,
    pub(crate) kind: Kind,
}

/// The row as a line of CSV: `second,customer,kind,what,quantity,micros,hold`.
pub(crate) fn line(row: &Row) -> String {
    let hold_text = |hold: &usize| hold.to_string();
    let (kind, what, quantity, micros, hold) = match &row.kind {
        Kind::TopUp { micros } => ("top_up", "", 0, *micros, String::new()),
        Kind::Gift { micros } => ("gift", "", 0, *micros, String::new()),
        Kind::Rental { micros } => ("rental", "", 0, *micros, String::new()),
        Kind::Purchase { micros } => ("purchase", "", 0, *micros, String::new()),
        Kind::Usage {
            price,
            quantity,
            hold,
        } => {
            let hold = hold.as_ref().map(hold_text).unwrap_or_default();
            ("usage", PRICES[*price].key, *quantity, 0, hold)
        }
        Kind::Hold { hold, micros } => ("hold", "", 0, *micros, hold_text(hold)),
        Kind::Capture {
            hold,
            micros,
            is_final,
        } => {
            let what = if *is_final { "final" } else { "part" };
            ("capture", what, 0, *micros, hold_text(hold))
        }
        Kind::Release { hold } => ("release", "", 0, 0, hold_text(hold)),
    };
    format!(
        "{},{},{kind},{what},{quantity},{micros},{hold}",
        row.second, row.customer
    )
}
