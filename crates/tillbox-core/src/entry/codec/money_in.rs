//! Top-ups, payouts, auto-recharge and alerts as bytes: in rows, and as what a store keeps of a wallet's standing.

use super::{CodecError, Reader, Writer};
use crate::alerts::{Alert, Alerts, AlertsChange, Source};
use crate::amount::Amount;
use crate::entry::{Destination, PayoutWay};
use crate::id::{PaymentMethodId, TopUpId};
use crate::payback::Payback;
use crate::reason::Reason;
use crate::recharge::{
    Charge, Month, PauseReason, Recharge, RechargeSettings, RechargeState, Refill, Skip,
};
use crate::time::Timestamp;
use crate::top_up::{Channel, TopUp, TopUpStatus};
use std::collections::BTreeMap;

/// What a store keeps of auto-recharge, alerts and payments that are disputed; none where all are as they are in a new
/// wallet.
pub fn encode_standing(
    recharge: Option<&Recharge>,
    alerts: &Alerts,
    disputed: &BTreeMap<TopUpId, Payback>,
) -> Option<Vec<u8>> {
    if recharge.is_none() && *alerts == Alerts::default() && disputed.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(64);
    let mut writer = Writer(&mut bytes);
    writer.byte(u8::from(recharge.is_some()));
    if let Some(recharge) = recharge {
        writer.recharge(recharge);
    }
    writer.byte(alerts.source.code());
    writer.length(alerts.thresholds.len());
    for alert in &alerts.thresholds {
        writer.amount(alert.threshold);
        writer.byte(u8::from(alert.armed));
    }
    if !disputed.is_empty() {
        writer.length(disputed.len());
    }
    for (id, payback) in disputed {
        writer.signed(id.number());
        writer.payback(payback);
    }
    Some(bytes)
}

/// What [`encode_standing`] keeps.
type Standing = (Option<Recharge>, Alerts, BTreeMap<TopUpId, Payback>);

/// Back from what [`encode_standing`] gave.
pub fn decode_standing(bytes: Option<&[u8]>) -> Result<Standing, CodecError> {
    let Some(bytes) = bytes else {
        return Ok((None, Alerts::default(), BTreeMap::new()));
    };
    let mut reader = Reader(bytes);
    let recharge = match reader.byte()? {
        0 => None,
        _ => Some(reader.recharge()?),
    };
    let source = reader.source()?;
    let mut thresholds = Vec::new();
    for _ in 0..reader.length()? {
        thresholds.push(Alert {
            threshold: reader.amount()?,
            armed: reader.byte()? == 1,
        });
    }
    let alerts = Alerts { source, thresholds };
    let mut disputed = BTreeMap::new();
    if !reader.0.is_empty() {
        for _ in 0..reader.length()? {
            let id = TopUpId::from_number(reader.signed()?);
            disputed.insert(id, reader.payback()?);
        }
    }
    Ok((recharge, alerts, disputed))
}

impl Writer<'_> {
    fn method(&mut self, method: Option<PaymentMethodId>) {
        self.signed(method.map_or(-1, PaymentMethodId::number));
    }

    fn methods(&mut self, methods: &[PaymentMethodId]) {
        self.length(methods.len());
        for method in methods {
            self.signed(method.number());
        }
    }

    pub(super) fn text_or_none(&mut self, text: Option<&str>) {
        self.byte(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub(super) fn top_up(&mut self, top_up: &TopUp) {
        self.amount(top_up.amount);
        self.byte(top_up.reason.code());
        self.byte(top_up.channel.code());
        self.method(top_up.method);
        self.methods(&top_up.backups);
        self.byte(top_up.status.code());
        self.signed(top_up.opened_at.micros());
        self.amount(top_up.charged);
        self.text_or_none(top_up.payment_id.as_deref());
        self.text_or_none(top_up.failure.as_deref());
    }

    pub(super) fn recharge(&mut self, recharge: &Recharge) {
        self.byte(u8::from(recharge.is_enabled));
        self.amount(recharge.settings.threshold);
        match recharge.settings.refill {
            Refill::Fixed(amount) => {
                self.byte(0);
                self.amount(amount);
            }
            Refill::UpTo(target) => {
                self.byte(1);
                self.amount(target);
            }
        }
        self.amount(recharge.settings.monthly_cap.unwrap_or(-Amount::MAX_SINGLE));
        self.method(recharge.method);
        self.methods(&recharge.backups);
        match recharge.state {
            RechargeState::Armed => self.byte(0),
            RechargeState::CoolingDown { until } => {
                self.byte(1);
                self.signed(until.micros());
            }
            RechargeState::Paused(reason) => {
                self.byte(2);
                self.byte(reason.code());
            }
        }
        self.unsigned(u64::from(recharge.failures));
        self.byte(u8::from(recharge.charge.is_some()));
        if let Some(charge) = recharge.charge {
            self.signed(charge.top_up_id.number());
            self.amount(charge.amount);
            self.signed(i64::from(charge.month.code()));
        }
        self.signed(i64::from(recharge.month.code()));
        self.amount(recharge.month_charged);
        self.byte(recharge.warned_percent);
        self.byte(recharge.skipped.map_or(0, Skip::code));
    }

    pub(super) fn destination(&mut self, to: &Destination) {
        self.byte(to.way.code());
        self.text_or_none(to.payment_id.as_deref());
    }

    pub(super) fn alerts_change(&mut self, change: &AlertsChange) {
        self.byte(change.source.code());
        self.length(change.thresholds.len());
        for threshold in &change.thresholds {
            self.amount(*threshold);
        }
    }
}

impl Reader<'_> {
    fn method(&mut self) -> Result<Option<PaymentMethodId>, CodecError> {
        let number = self.signed()?;
        Ok((number >= 0).then(|| PaymentMethodId::from_number(number)))
    }

    fn methods(&mut self) -> Result<Vec<PaymentMethodId>, CodecError> {
        let mut methods = Vec::new();
        for _ in 0..self.length()? {
            methods.push(PaymentMethodId::from_number(self.signed()?));
        }
        Ok(methods)
    }

    pub(super) fn text_or_none(&mut self) -> Result<Option<Box<str>>, CodecError> {
        match self.byte()? {
            0 => Ok(None),
            _ => self.text().map(Some),
        }
    }

    fn month(&mut self) -> Result<Month, CodecError> {
        let code = i32::try_from(self.signed()?).map_err(|_large| CodecError("unknown month"))?;
        Ok(Month::from_code(code))
    }

    fn source(&mut self) -> Result<Source, CodecError> {
        Source::from_code(self.byte()?).ok_or(CodecError("unknown source of alerts"))
    }

    pub(super) fn top_up(&mut self) -> Result<TopUp, CodecError> {
        Ok(TopUp {
            amount: self.amount()?,
            reason: Reason::from_code(self.byte()?).ok_or(CodecError("unknown reason"))?,
            channel: Channel::from_code(self.byte()?).ok_or(CodecError("unknown channel"))?,
            method: self.method()?,
            backups: self.methods()?,
            status: TopUpStatus::from_code(self.byte()?)
                .ok_or(CodecError("unknown status of a top-up"))?,
            opened_at: Timestamp::from_micros(self.signed()?),
            charged: self.amount()?,
            payment_id: self.text_or_none()?,
            failure: self.text_or_none()?,
        })
    }

    pub(super) fn recharge(&mut self) -> Result<Recharge, CodecError> {
        let is_enabled = self.byte()? == 1;
        let threshold = self.amount()?;
        let refill = match self.byte()? {
            0 => Refill::Fixed(self.amount()?),
            _ => Refill::UpTo(self.amount()?),
        };
        let monthly_cap = Some(self.amount()?).filter(|cap| !cap.is_negative());
        let method = self.method()?;
        let backups = self.methods()?;
        let state = match self.byte()? {
            0 => RechargeState::Armed,
            1 => RechargeState::CoolingDown {
                until: Timestamp::from_micros(self.signed()?),
            },
            _ => RechargeState::Paused(
                PauseReason::from_code(self.byte()?).ok_or(CodecError("unknown pause"))?,
            ),
        };
        let failures =
            u32::try_from(self.unsigned()?).map_err(|_large| CodecError("too many failures"))?;
        let charge = match self.byte()? {
            0 => None,
            _ => Some(Charge {
                top_up_id: TopUpId::from_number(self.signed()?),
                amount: self.amount()?,
                month: self.month()?,
            }),
        };
        Ok(Recharge {
            is_enabled,
            settings: RechargeSettings {
                threshold,
                refill,
                monthly_cap,
            },
            method,
            backups,
            state,
            failures,
            charge,
            month: self.month()?,
            month_charged: self.amount()?,
            warned_percent: self.byte()?,
            skipped: match self.byte()? {
                0 => None,
                code => Some(Skip::from_code(code).ok_or(CodecError("unknown limit"))?),
            },
        })
    }

    pub(super) fn destination(&mut self) -> Result<Destination, CodecError> {
        Ok(Destination {
            way: PayoutWay::from_code(self.byte()?).ok_or(CodecError("unknown way of a payout"))?,
            payment_id: self.text_or_none()?,
        })
    }

    pub(super) fn alerts_change(&mut self) -> Result<AlertsChange, CodecError> {
        let source = self.source()?;
        let mut thresholds = Vec::new();
        for _ in 0..self.length()? {
            thresholds.push(self.amount()?);
        }
        Ok(AlertsChange { source, thresholds })
    }
}
