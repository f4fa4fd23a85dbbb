//! Activation: the first payment, which opens a wallet (W3). The charge is the merchant's setting, and exempt from the
//! limits of a top-up (R24). One at a time: who asks while one is under way is told of that one.

use super::{Asked, TopUpView};
use crate::access::Principal;
use crate::error::ServiceError;
use crate::service::Service;
use crate::wallets::WalletView;
use crate::{Mode, Operation};
use tillbox_core::command::{Command, OpenTopUp};
use tillbox_core::entry::{KeyStamp, Note};
use tillbox_core::id::{PaymentMethodId, TopUpId, WalletId};
use tillbox_core::reason::Reason;
use tillbox_core::rejection::Rejection;
use tillbox_core::top_up::{Channel, TopUp, TopUpStatus};
use tillbox_core::wallet::WalletStatus;
use tillbox_store::sqlite::top_ups::TopUpFilter;

/// What asking for an activation came to.
#[derive(Clone, Debug)]
pub struct Activation {
    /// The wallet, as it stands now.
    pub wallet: WalletView,
    /// The payment, where it is not over; one that failed is an answer of its own.
    pub payment: Option<TopUpView>,
    /// A dry run: the payment as it would begin.
    pub would_begin: Option<Box<TopUp>>,
    /// Whether the key had begun it before.
    pub replayed: bool,
}

impl Service {
    /// What the activation of a wallet would charge: none where nothing is due.
    pub async fn activation_charge(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<Option<tillbox_core::amount::Amount>, ServiceError> {
        let currency = self.wallet_currency(who, wallet_id).await?;
        Ok(self.settings(who).in_currency(currency).activation_charge)
    }

    /// Charges what activates the wallet, and waits a while for the outcome.
    pub async fn activate_wallet(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        method: Option<PaymentMethodId>,
        key: Option<KeyStamp>,
        mode: Mode,
    ) -> Result<Activation, ServiceError> {
        let charge = self.activation_charge(who, wallet_id).await?;
        let Some(charge) = charge else {
            return self.activate_free(who, wallet_id, mode).await;
        };
        let named = self.named_method(who, wallet_id, method).await?;
        let open = OpenTopUp {
            id: TopUpId::from_number(self.next_id()),
            amount: charge,
            reason: Reason::Activation,
            channel: Channel::Saved,
            method: named.method(),
            note: Note::default(),
        };
        let asked = self.open_top_up(who, wallet_id, open, key, mode).await;
        let asked = named.judge(asked);
        let mut would_begin = None;
        let (payment, replayed) = match asked {
            Ok(Asked::Begun { view, replayed }) => (Some(*view), replayed),
            Ok(Asked::WouldBegin { top_up, .. }) => {
                would_begin = Some(top_up);
                (None, false)
            }
            Err(ServiceError::Rejected {
                rejection: Rejection::Conflict(_),
                ..
            }) => (self.activation_under_way(who, wallet_id).await?, false),
            Err(error) => return Err(error),
        };
        let wallet = self.wallet(who, wallet_id).await?;
        let is_over = wallet.status != WalletStatus::PendingActivation;
        let payment =
            payment.filter(|view| !is_over || view.row.top_up.status == TopUpStatus::Failed);
        Ok(Activation {
            wallet,
            payment,
            would_begin,
            replayed,
        })
    }

    /// A wallet that waits for a charge that its merchant has done away with by now.
    async fn activate_free(
        &self,
        who: &Principal,
        wallet_id: WalletId,
        mode: Mode,
    ) -> Result<Activation, ServiceError> {
        let operation = Operation {
            wallet_id,
            command: Command::Activate,
            key: None,
            mode,
        };
        self.submit(who, operation).await?;
        let mut wallet = self.wallet(who, wallet_id).await?;
        if mode == Mode::DryRun {
            wallet.status = WalletStatus::Active;
            wallet.version = wallet.version.saturating_add(1);
        }
        Ok(Activation {
            wallet,
            payment: None,
            would_begin: None,
            replayed: false,
        })
    }

    async fn activation_under_way(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<Option<TopUpView>, ServiceError> {
        let filter = TopUpFilter {
            reason: Some(Reason::Activation),
            ..TopUpFilter::default()
        };
        let views = self.top_ups(who, wallet_id, filter, None, 1).await?;
        Ok(views.into_iter().next())
    }

    /// The payment that the activation of a wallet waits for.
    pub async fn open_activation(
        &self,
        who: &Principal,
        wallet_id: WalletId,
    ) -> Result<Option<TopUpView>, ServiceError> {
        let view = self.activation_under_way(who, wallet_id).await?;
        Ok(view.filter(|view| view.row.top_up.status.is_open()))
    }
}
