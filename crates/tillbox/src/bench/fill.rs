//! What is there before anything is measured: wallets with value, and transactions.

use super::http::Random;
use super::in_process::{Ledger, debit, key};
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tillbox_core::amount::Amount;
use tillbox_core::command::Credit;
use tillbox_core::currency::Currency;
use tillbox_core::id::{CustomerId, WalletId};
use tillbox_core::lot::FundingType;
use tillbox_service::{Mode, NewCustomer, OpenWallet, Operation};

/// Debits of one call.
const MANY: usize = 500;

impl Ledger {
    /// Opens wallets with plenty of value, each with a customer of its own.
    pub(crate) async fn open_wallets(
        &self,
        count: usize,
        bar: &ProgressBar,
    ) -> Result<Vec<WalletId>> {
        let next = Arc::new(AtomicUsize::new(0));
        let workers = (0..512).map(|_| {
            let next = Arc::clone(&next);
            async move {
                let mut opened = Vec::new();
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    opened.push(self.open_wallet().await?);
                    bar.inc(1);
                }
                anyhow::Ok(opened)
            }
        });
        let opened = futures_util::future::try_join_all(workers).await?;
        bar.finish_and_clear();
        let mut all: Vec<WalletId> = opened.into_iter().flatten().collect();
        all.sort_unstable();
        Ok(all)
    }

    async fn open_wallet(&self) -> Result<WalletId> {
        let customer = NewCustomer {
            name: "Bench".to_owned(),
            email: None,
            external_id: None,
            locale: "en".to_owned(),
            metadata: "{}".to_owned(),
        };
        let created = self
            .service
            .create_customer(&self.principal, customer, None, |row| {
                row.id.to_string().into_bytes()
            })
            .await?;
        let customer_id = CustomerId::parse(std::str::from_utf8(&created.body)?)
            .ok()
            .context("the customer has no id")?;
        let open = OpenWallet {
            customer_id,
            currency: Currency::parse("USD").map_err(|_unknown| anyhow::anyhow!("no dollars"))?,
            name: None,
            metadata: "{}".to_owned(),
            overdraft_limit: Amount::ZERO,
            initial_credit: Some(Credit::new(
                Amount::from_micros(1_000_000_000_000),
                FundingType::Cash,
            )),
        };
        let opened = self
            .service
            .open_wallet(
                &self.principal,
                open,
                None,
                Mode::Commit,
                Arc::new(|view| view.row.id.to_string().into_bytes()),
            )
            .await?;
        WalletId::parse(std::str::from_utf8(&opened.body)?)
            .ok()
            .context("the wallet has no id")
    }

    /// Stores debits, half of them on the first wallet.
    pub(crate) async fn store_transactions(
        &self,
        wallets: &[WalletId],
        count: usize,
        bar: &ProgressBar,
    ) -> Result<()> {
        let left = Arc::new(AtomicUsize::new(count.div_ceil(MANY)));
        let workers = (0..8).map(|_| {
            let left = Arc::clone(&left);
            async move {
                let mut random = Random::new()?;
                let take = || {
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                        left.checked_sub(1)
                    })
                };
                while take().is_ok() {
                    let operations = (0..MANY).map(|number| Operation {
                        wallet_id: if number % 2 == 0 {
                            wallets[0]
                        } else {
                            wallets[random.below(wallets.len())]
                        },
                        command: debit(),
                        key: Some(key(&mut random)),
                        mode: Mode::Commit,
                    });
                    let operations = operations.collect();
                    let answers = self.service.submit_many(&self.principal, operations).await;
                    if let Some(Err(error)) = answers.into_iter().find(Result::is_err) {
                        bail!("a debit was refused: {error}");
                    }
                    bar.inc(u64::try_from(MANY)?);
                }
                anyhow::Ok(())
            }
        });
        futures_util::future::try_join_all(workers).await?;
        bar.finish_and_clear();
        Ok(())
    }
}
