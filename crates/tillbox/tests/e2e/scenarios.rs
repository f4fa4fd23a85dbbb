//! One test for each file of scenarios in `tests/data`.

use crate::scenario::{data_directory, run_file};

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
    r22_declines
    r24_limits_of_top_ups
    r25_keys_of_top_ups
    r29_refunds
    r31_prices
    r38_by_currency
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
