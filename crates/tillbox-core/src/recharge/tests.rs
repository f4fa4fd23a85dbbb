use super::*;
use proptest::prelude::*;

fn usd(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

fn dollars() -> Currency {
    Currency::parse("USD").expect("USD")
}

fn at(hours: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(hours * 3_600)
}

fn limits() -> TopUpLimits {
    TopUpLimits {
        minimum: usd("10"),
        maximum: Some(usd("1000")),
        maximum_balance: None,
    }
}

fn settings(threshold: &str, amount: &str) -> RechargeSettings {
    RechargeSettings {
        threshold: usd(threshold),
        refill: Refill::Fixed(usd(amount)),
        monthly_cap: None,
    }
}

fn view(balance: &str) -> RechargeView {
    RechargeView {
        status: WalletStatus::Active,
        balance: usd(balance),
        held: Amount::ZERO,
        due_expiry: Amount::ZERO,
        pending_top_ups: Amount::ZERO,
        month_charged: Amount::ZERO,
        is_charging: false,
        state: RechargeState::Armed,
        now: at(0),
    }
}

fn check(
    settings: &RechargeSettings,
    limits: &TopUpLimits,
    view: &RechargeView,
    expected: Result<&str, NoCharge>,
) {
    assert_eq!(
        evaluate(settings, limits, view, dollars()),
        expected.map(usd),
        "{settings:?} {limits:?} {view:?}"
    );
}

#[test]
fn r18_it_fires_strictly_below_the_threshold_of_the_effective_balance() {
    let settings = settings("50", "25");
    check(&settings, &limits(), &view("40"), Ok("25"));
    check(&settings, &limits(), &view("49.999999"), Ok("25"));
    check(&settings, &limits(), &view("50"), Err(NoCharge::EnoughLeft));
    let held = RechargeView {
        held: usd("0.01"),
        ..view("50")
    };
    check(&settings, &limits(), &held, Ok("25"));
    let pending = RechargeView {
        pending_top_ups: usd("25"),
        ..view("40")
    };
    check(&settings, &limits(), &pending, Err(NoCharge::EnoughLeft));
    let expiring = RechargeView {
        due_expiry: usd("20"),
        ..view("60")
    };
    check(&settings, &limits(), &expiring, Ok("25"));
}

#[test]
fn r19_a_small_amount_is_charged_as_the_next_whole_multiple() {
    check(&settings("50", "25"), &limits(), &view("-10"), Ok("75"));
    check(&settings("50", "25"), &limits(), &view("25"), Ok("25"));
    check(
        &settings("50", "25"),
        &limits(),
        &view("24.999999"),
        Ok("50"),
    );
    check(&settings("5000", "300"), &limits(), &view("0"), Ok("900"));
}

#[test]
fn r19_a_charge_is_cut_to_what_fits() {
    let capped = RechargeSettings {
        monthly_cap: Some(usd("100")),
        ..settings("50", "25")
    };
    let spent = |charged: &str| RechargeView {
        month_charged: usd(charged),
        ..view("-10")
    };
    check(&capped, &limits(), &spent("40"), Ok("50"));
    check(&capped, &limits(), &spent("75"), Ok("25"));
    check(&capped, &limits(), &spent("80"), Err(NoCharge::CapReached));
    check(&capped, &limits(), &spent("130"), Err(NoCharge::CapReached));
    let full = TopUpLimits {
        maximum_balance: Some(usd("60")),
        ..limits()
    };
    check(
        &settings("50", "25"),
        &full,
        &view("40"),
        Err(NoCharge::MaximumBalance),
    );
    check(&settings("50", "25"), &full, &view("35"), Ok("25"));
}

#[test]
fn r19_a_target_is_reached_in_whole_minor_units() {
    let target = |threshold: &str, target: &str| RechargeSettings {
        refill: Refill::UpTo(usd(target)),
        ..settings(threshold, "1")
    };
    check(
        &target("50", "100"),
        &limits(),
        &view("39.9925"),
        Ok("60.01"),
    );
    check(&target("50", "51"), &limits(), &view("49"), Ok("10"));
    let small = TopUpLimits {
        maximum: Some(usd("20")),
        ..limits()
    };
    check(&target("50", "100"), &small, &view("0"), Ok("20"));
    let capped = RechargeSettings {
        monthly_cap: Some(usd("5")),
        ..target("50", "100")
    };
    check(&capped, &limits(), &view("0"), Err(NoCharge::CapReached));
}

#[test]
fn r20_settings_that_can_never_work_are_refused() {
    let check = |settings: RechargeSettings| settings.check(&limits(), dollars());
    assert_eq!(check(settings("50", "25")), Ok(()));
    assert_eq!(
        check(settings("50", "9.99")),
        Err(SettingsError::AmountOutOfRange)
    );
    assert_eq!(
        check(settings("50", "1000.01")),
        Err(SettingsError::AmountOutOfRange)
    );
    assert_eq!(
        check(settings("50", "25.005")),
        Err(SettingsError::NotWholeMinorUnits)
    );
    let target = |target: &str| RechargeSettings {
        refill: Refill::UpTo(usd(target)),
        ..settings("50", "25")
    };
    assert_eq!(
        check(target("49.99")),
        Err(SettingsError::TargetBelowThreshold)
    );
    assert_eq!(check(target("50")), Ok(()));
}

#[test]
fn r21_only_an_armed_recharge_of_an_active_wallet_fires() {
    let settings = settings("50", "25");
    for status in [
        WalletStatus::PendingActivation,
        WalletStatus::Frozen,
        WalletStatus::Closed,
    ] {
        check(
            &settings,
            &limits(),
            &RechargeView {
                status,
                ..view("0")
            },
            Err(NoCharge::NotActive(status)),
        );
    }
    let in_state = |state| RechargeView { state, ..view("0") };
    let charging = RechargeView {
        is_charging: true,
        ..view("0")
    };
    check(&settings, &limits(), &charging, Err(NoCharge::InFlight));
    let paused = RechargeState::Paused(PauseReason::HardDecline);
    check(
        &settings,
        &limits(),
        &in_state(paused),
        Err(NoCharge::Paused(PauseReason::HardDecline)),
    );
    let cooling = |until| in_state(RechargeState::CoolingDown { until });
    check(
        &settings,
        &limits(),
        &cooling(at(1)),
        Err(NoCharge::CoolingDown(at(1))),
    );
    check(&settings, &limits(), &cooling(at(0)), Ok("50"));
}

#[test]
fn r22_soft_declines_are_retried_after_one_three_and_seven_hours_then_it_pauses() {
    let cooling = |hours| RechargeState::CoolingDown { until: at(hours) };
    let soft = |failures, hours| after_failure(failures, FailureClass::Soft, at(hours));
    assert_eq!(soft(0, 0), (cooling(1), 1));
    assert_eq!(soft(1, 1), (cooling(4), 2));
    assert_eq!(soft(2, 4), (cooling(11), 3));
    let too_many = RechargeState::Paused(PauseReason::TooManyFailures);
    assert_eq!(soft(3, 11), (too_many, 4));
}

#[test]
fn r22_an_outage_counts_for_nothing_and_hard_declines_pause_at_once() {
    let after = |class| after_failure(2, class, at(0));
    let cooling = RechargeState::CoolingDown { until: at(1) };
    assert_eq!(after(FailureClass::ProviderOutage), (cooling, 2));
    let paused = RechargeState::Paused;
    assert_eq!(
        after(FailureClass::Hard),
        (paused(PauseReason::HardDecline), 3)
    );
    assert_eq!(
        after(FailureClass::AuthenticationRequired),
        (paused(PauseReason::AuthenticationRequired), 3)
    );
}

#[test]
fn no_balance_is_too_extreme() {
    let all = TopUpLimits {
        minimum: Amount::ZERO,
        maximum: None,
        maximum_balance: Some(Amount::MAX_BALANCE),
    };
    for refill in [
        Refill::Fixed(Amount::from_micros(10_000)),
        Refill::Fixed(Amount::MAX_SINGLE),
        Refill::UpTo(Amount::MAX_SINGLE),
    ] {
        let settings = RechargeSettings {
            threshold: Amount::MAX_SINGLE,
            refill,
            monthly_cap: Some(Amount::ZERO),
        };
        let lowest = RechargeView {
            balance: -Amount::MAX_BALANCE,
            held: Amount::MAX_BALANCE,
            ..view("0")
        };
        assert_eq!(
            evaluate(&settings, &all, &lowest, dollars()),
            Err(NoCharge::CapReached)
        );
        let uncapped = RechargeSettings {
            monthly_cap: None,
            ..settings
        };
        assert!(evaluate(&uncapped, &all, &lowest, dollars()).is_ok());
    }
}

proptest! {
    /// A charge is a positive multiple within every limit, and either closes the gap or is the largest that fits.
    #[test]
    fn r19_a_charge_closes_the_gap_or_is_the_largest_that_fits(
        balance in -2_000_i64..200, threshold in 1_i64..500, amount in 10_i64..300,
        cap in prop::option::of(0_i64..3_000), charged in 0_i64..3_000, most in prop::option::of(0_i64..3_000),
    ) {
        let money = |units: i64| Amount::from_micros(units * 1_000_000);
        let settings = RechargeSettings { threshold: money(threshold), refill: Refill::Fixed(money(amount)), monthly_cap: cap.map(money) };
        let limits = TopUpLimits { maximum_balance: most.map(money), ..limits() };
        let view = RechargeView { balance: money(balance), month_charged: money(charged), ..view("0") };
        let fits = |charge: i64| {
            charge <= 1_000 && cap.is_none_or(|cap| charged + charge <= cap) && most.is_none_or(|most| balance + charge <= most)
        };
        match evaluate(&settings, &limits, &view, dollars()) {
            Ok(charge) => {
                let charge = charge.micros() / 1_000_000;
                prop_assert!(charge > 0 && charge % amount == 0 && fits(charge));
                prop_assert!(balance + charge >= threshold || !fits(charge + amount));
                prop_assert!(charge == amount || balance + charge - amount < threshold);
            }
            Err(NoCharge::EnoughLeft) => prop_assert!(balance >= threshold),
            Err(_) => prop_assert!(balance < threshold && !fits(amount)),
        }
    }
}
