//! What has gone back of a payment as bytes: in rows, and as what a store keeps of it.

use super::{CodecError, Reader, Writer};
use crate::id::{DisputeId, EntryId, HoldId, LotId};
use crate::payback::{Chargeback, Dispute, DisputeStatus, Payback, Payout, PayoutStatus};
use crate::time::Timestamp;

/// In the byte that says whether a payout follows.
const RESERVES_FREED: u8 = 2;

/// What a store keeps of what has gone back of a payment.
pub fn encode_payback(payback: &Payback) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    Writer(&mut bytes).payback(payback);
    bytes
}

/// Back from what [`encode_payback`] gave.
pub fn decode_payback(bytes: &[u8]) -> Result<Payback, CodecError> {
    let mut reader = Reader(bytes);
    let payback = reader.payback()?;
    if reader.0.is_empty() {
        Ok(payback)
    } else {
        Err(CodecError("bytes are left over"))
    }
}

impl Writer<'_> {
    pub(super) fn payback(&mut self, payback: &Payback) {
        self.amount(payback.charged);
        self.amount(payback.given);
        self.signed(payback.lot.number());
        self.signed(payback.bonus_lot.map_or(-1, LotId::number));
        self.amount(payback.lapsed);
        self.amount(payback.refunded);
        self.amount(payback.clawed);
        self.amount(payback.charged_back);
        self.amount(payback.given_charged_back);
        self.length(payback.chargebacks.len());
        for chargeback in &payback.chargebacks {
            self.signed(chargeback.entry_id.number());
            self.amount(chargeback.left);
        }
        self.length(payback.disputes.len());
        for dispute in &payback.disputes {
            self.dispute(dispute);
        }
        let flags = if payback.reserves_freed {
            RESERVES_FREED
        } else {
            0
        };
        self.byte(flags | u8::from(payback.payout.is_some()));
        if let Some(payout) = &payback.payout {
            self.paid_back(payout);
        }
        self.signed(payback.moved.map_or(-1, DisputeId::number));
        self.amount(payback.given_moved);
    }

    fn dispute(&mut self, dispute: &Dispute) {
        self.signed(dispute.id.number());
        self.text(&dispute.provider_id);
        self.byte(dispute.status.code());
        self.amount(dispute.amount);
        self.text_or_none(dispute.reason.as_deref());
        self.signed(dispute.hold_id.map_or(-1, HoldId::number));
        self.signed(dispute.opened_at.micros());
    }

    fn paid_back(&mut self, payout: &Payout) {
        self.signed(payout.debit_id.number());
        self.amount(payout.amount);
        self.amount(payout.clawed);
        self.byte(payout.status.code());
        self.text_or_none(payout.failure.as_deref());
    }
}

impl Reader<'_> {
    fn id_or_none(&mut self) -> Result<Option<i64>, CodecError> {
        Ok(Some(self.signed()?).filter(|id| *id >= 0))
    }

    pub(super) fn payback(&mut self) -> Result<Payback, CodecError> {
        let flags;
        Ok(Payback {
            charged: self.amount()?,
            given: self.amount()?,
            lot: LotId::from_number(self.signed()?),
            bonus_lot: self.id_or_none()?.map(LotId::from_number),
            lapsed: self.amount()?,
            refunded: self.amount()?,
            clawed: self.amount()?,
            charged_back: self.amount()?,
            given_charged_back: self.amount()?,
            chargebacks: {
                let length = self.length()?;
                let mut all = Vec::with_capacity(length);
                for _ in 0..length {
                    all.push(Chargeback {
                        entry_id: EntryId::from_number(self.signed()?),
                        left: self.amount()?,
                    });
                }
                all
            },
            disputes: {
                let mut all = Vec::new();
                for _ in 0..self.length()? {
                    all.push(self.dispute()?);
                }
                all
            },
            reserves_freed: {
                flags = self.byte()?;
                if flags & !(RESERVES_FREED | 1) != 0 {
                    return Err(CodecError("it has fields of a later version"));
                }
                flags & RESERVES_FREED != 0
            },
            payout: if flags & 1 == 0 {
                None
            } else {
                Some(self.paid_back()?)
            },
            moved: self.id_or_none()?.map(DisputeId::from_number),
            given_moved: self.amount()?,
        })
    }

    fn dispute(&mut self) -> Result<Dispute, CodecError> {
        Ok(Dispute {
            id: DisputeId::from_number(self.signed()?),
            provider_id: self.text()?,
            status: DisputeStatus::from_code(self.byte()?)
                .ok_or(CodecError("unknown status of a dispute"))?,
            amount: self.amount()?,
            reason: self.text_or_none()?,
            hold_id: self.id_or_none()?.map(HoldId::from_number),
            opened_at: Timestamp::from_micros(self.signed()?),
        })
    }

    fn paid_back(&mut self) -> Result<Payout, CodecError> {
        Ok(Payout {
            debit_id: EntryId::from_number(self.signed()?),
            amount: self.amount()?,
            clawed: self.amount()?,
            status: PayoutStatus::from_code(self.byte()?)
                .ok_or(CodecError("unknown status of a payout"))?,
            failure: self.text_or_none()?,
        })
    }
}
