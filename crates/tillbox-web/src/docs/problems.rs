//! What each problem means, and what to do about it.

use super::{Prose, Run};
use crate::assets;
use askama::Template;

/// One kind of problem.
pub(super) struct Kind {
    code: &'static str,
    statuses: &'static str,
    text: Prose,
}

/// The page of all of them.
#[derive(Template)]
#[template(path = "docs/problems.html")]
pub(super) struct Page {
    title: &'static str,
    kinds: Vec<Kind>,
}

impl Page {
    pub(super) fn new() -> Self {
        let kinds = KINDS.iter().map(|(code, statuses, text)| Kind {
            code,
            statuses,
            text: Prose::new(text),
        });
        Self {
            title: "Problems",
            kinds: kinds.collect(),
        }
    }
}

/// Code, statuses, and what to do. A test holds that every code that can leave is here.
const KINDS: &[(&str, &str, &str)] = &[
    (
        "amount_out_of_range",
        "422",
        "The amount is outside of what is allowed here. `minimum` and `maximum` say what is, as far as there is a bound.",
    ),
    (
        "capture_exceeds_hold",
        "422",
        "A hold gives no more than what is left of it: `remaining`. Capture that much, and debit the rest.",
    ),
    (
        "conflict",
        "409",
        "The state of things does not allow it now; `reason` says which. Look at the wallet, then decide.",
    ),
    (
        "currency_mismatch",
        "422",
        "The price has no version in the wallet's currency.",
    ),
    (
        "forbidden",
        "403",
        "The API key is valid, but lacks `scope`. Use a key that has it, or make one.",
    ),
    (
        "hold_not_open",
        "409",
        "The hold has ended: `hold_status` is `captured`, `released` or `expired`.",
    ),
    (
        "idempotency_key_required",
        "400",
        "Calls that move value carry an `Idempotency-Key`, so that sending them again can't happen twice. Use one for each thing that you sell, such as the message's own id.",
    ),
    (
        "idempotency_key_reused",
        "422",
        "The key was used for another request. Nothing happened; use a new key for another request.",
    ),
    (
        "insufficient_funds",
        "402",
        "The wallet has not enough available: `required`, `available`, `shortfall`. `top_up_url` leads the customer to the page where funds are added, and `auto_recharge` says whether more is on its way. Nothing was taken.",
    ),
    (
        "internal",
        "500",
        "A fault of the server. Whether the effect happened is not known: send the same request with the same `Idempotency-Key`. Name the `request_id` in a report.",
    ),
    (
        "invalid_request",
        "400",
        "The request has a form that is not understood; `errors` names each place, as a JSON pointer into the body or as a parameter.",
    ),
    (
        "method_not_allowed",
        "405",
        "The path does not take this method.",
    ),
    (
        "not_found",
        "404",
        "There is no such thing, or it belongs to another merchant.",
    ),
    (
        "not_withdrawable",
        "422",
        "More than may be paid out was asked for. `withdrawable` says what may: value that was paid for, that no hold reserves, in a wallet without debt.",
    ),
    (
        "outcome_unknown",
        "503",
        "The disk failed while the change was being written: it may be there or not. Send the same request with the same `Idempotency-Key`; the answer tells.",
    ),
    (
        "overloaded",
        "503",
        "The server has too much to do, is stopping, or can't reach what it needs. Nothing happened. Try again after `Retry-After` seconds.",
    ),
    (
        "payload_too_large",
        "413",
        "The body is larger than what is taken.",
    ),
    (
        "payment_declined",
        "402",
        "The payment was not made: `decline_code` for a program, `message` for the customer, in the customer's language. Nothing was charged. Another try needs another `Idempotency-Key`.",
    ),
    (
        "payment_method_required",
        "409",
        "There is no payment method to charge. Add one first: `POST /v1/customers/{customer_id}/payment-methods`.",
    ),
    (
        "refund_exceeds_remaining",
        "422",
        "A transaction gives back no more than what is left of it: `remaining`.",
    ),
    (
        "request_timeout",
        "408",
        "The body did not arrive in time. Nothing happened.",
    ),
    (
        "unauthenticated",
        "401",
        "The API key is missing or wrong: send `Authorization: Bearer` with it. At the address of notices: the signature is.",
    ),
    (
        "unsupported_media_type",
        "415",
        "Bodies are JSON: send `Content-Type: application/json`.",
    ),
    (
        "wallet_not_active",
        "409",
        "The wallet takes no such command in its state: `wallet_status`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::KINDS;

    /// The file in which every problem is made.
    const SOURCE: &str = include_str!("../api/problem.rs");

    /// Codes as they stand in the source: a status, then the code, in the call of `new`.
    fn made() -> Vec<&'static str> {
        let calls = SOURCE.split("new(").skip(1);
        let codes = calls.filter_map(|call| {
            let (before, rest) = call.split_once('"')?;
            let is_call = before.trim_start().starts_with("StatusCode::");
            is_call.then(|| rest.split('"').next().unwrap_or_default())
        });
        codes.collect()
    }

    #[test]
    fn every_code_that_is_made_is_explained_and_no_other() {
        let mut made = made();
        assert!(
            made.len() > 15,
            "the source is read in another way now: {made:?}"
        );
        made.sort_unstable();
        made.dedup();
        let explained: Vec<&str> = KINDS.iter().map(|(code, ..)| *code).collect();
        assert_eq!(made, explained, "in the order of the alphabet");
    }
}
