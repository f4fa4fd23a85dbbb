//! One test for each file of scenarios in `tests/data`.

use crate::scenario::{data_directory, run_file};
use regex_lite::Regex;
use serde_json::Value;
use std::path::PathBuf;

macro_rules! scenario_files {
    ($($name:ident)*) => {
        const FILES: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                run_file(stringify!($name));
            }
        )*
    };
}

scenario_files! {
    activation
    amounts_by_currency
    batches
    customers_and_wallets
    l04_draw_order
    ledger_page
    r01_versions_and_seq
    r03_types_and_signs
    r04_rating
    r06_debt
    r07_force
    r08_withdrawable
    r09_adjustments_and_limits
    r10_expiry
    r13_holds_on_overdraft
    r14_captures
    r15_expired_holds
    r16_usage_from_holds
    r18_when_it_fires
    r19_how_much_it_charges
    r20_saving_auto_recharge
    r21_when_it_is_asked
    r22_declines
    r23_months_of_the_cap
    r24_limits_of_top_ups
    r25_keys_of_top_ups
    r26_what_was_charged
    r29_refunds
    r31_prices
    r38_by_currency
    r39_close
    r40_frozen_wallets
    r41_low_balance
    r42_order_of_checks
    r43_keys
    r45_dry_runs
    seed_scenarios
    settings
    transaction_lists
}

#[test]
fn every_file_of_scenarios_is_run() {
    let mut found: Vec<String> = std::fs::read_dir(data_directory())
        .expect("the data can be listed")
        .filter_map(|entry| {
            let name = entry.expect("an entry").file_name().into_string().ok()?;
            name.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    found.sort();
    let mut listed: Vec<&str> = FILES.to_vec();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

/// Every amount in a table of `docs/ledger.md` is one that the scenario of that heading asks for or expects.
#[test]
fn the_page_on_the_ledger_shows_what_the_scenarios_hold() {
    let read = |path: PathBuf| std::fs::read_to_string(path).expect("it can be read");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = read(root.join("docs/ledger.md"));
    let scenarios = read(data_directory().join("ledger_page.json"));
    let scenarios: Vec<Value> = serde_json::from_str(&scenarios).expect("JSON");
    let amount = Regex::new(r"-?\d+\.\d{2,}").expect("a pattern");
    let mut shown = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let (heading, text) = section.split_once('\n').expect("text follows a heading");
        let cells: String = text.lines().filter(|line| line.starts_with('|')).collect();
        if cells.is_empty() {
            continue;
        }
        let scenario = scenarios
            .iter()
            .find(|scenario| scenario["name"] == heading)
            .unwrap_or_else(|| panic!("no scenario is named {heading:?}"));
        let steps = scenario["steps"].to_string();
        for found in amount.find_iter(&cells) {
            let found = found.as_str();
            // What a debit draws is negative in the answer, and told without its sign.
            assert!(
                steps.contains(&format!("\"{found}\"")) || steps.contains(&format!("\"-{found}\"")),
                "{found} under {heading:?} is in no step of its scenario"
            );
        }
        shown.push(heading);
    }
    let named: Vec<&str> = scenarios
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(
        shown, named,
        "each scenario has its table, in the order of the page"
    );
}
