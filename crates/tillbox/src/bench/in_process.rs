//! Load on the engine itself, without HTTP.

use super::http::Random;
use super::stopwatch;
use anyhow::{Context, Result, bail};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tillbox_core::amount::Amount;
use tillbox_core::command::{Command, Debit};
use tillbox_core::entry::{KeyStamp, Note};
use tillbox_core::id::WalletId;
use tillbox_core::reason::Reason;
use tillbox_engine::LaneEnd;
use tillbox_service::{
    BootstrapKey, Mode, Operation, Outcome, Principal, PublicUrl, Restored, Running, Service,
};
use tillbox_store::sqlite::books::Span;

pub(crate) struct Ledger {
    pub(super) service: Arc<Service>,
    thread: JoinHandle<LaneEnd>,
    pub(super) principal: Principal,
}

impl Ledger {
    pub(crate) fn start(database: &str, key: &str) -> Result<Self> {
        let Running {
            service, ledger, ..
        } = crate::serve::start(
            database,
            256,
            PublicUrl::parse("http://127.0.0.1")?,
            BootstrapKey::parse(key)?,
            Restored::Refuse,
            &tokio::runtime::Handle::current(),
        )?;
        let principal = service.authenticate(key).context("the key is not known")?;
        Ok(Self {
            service,
            thread: ledger,
            principal,
        })
    }

    /// Debits by `waiting` callers for as long as `length`; gives the latency of each.
    pub(crate) async fn run(
        &self,
        wallets: &[WalletId],
        waiting: usize,
        length: Duration,
    ) -> Result<Vec<Duration>> {
        let wallets: Arc<[WalletId]> = wallets.into();
        let end = stopwatch() + length;
        let callers = (0..waiting).map(|_| {
            let (service, principal, wallets) = (
                Arc::clone(&self.service),
                self.principal.clone(),
                Arc::clone(&wallets),
            );
            tokio::spawn(async move {
                let mut random = Random::new()?;
                let mut latencies = Vec::with_capacity(4_096);
                while stopwatch() < end {
                    let wallet_id = wallets[random.below(wallets.len())];
                    let operation = Operation {
                        wallet_id,
                        command: debit(),
                        key: Some(key(&mut random)),
                        mode: Mode::Commit,
                    };
                    let started = stopwatch();
                    match service.submit(&principal, operation).await {
                        Ok(Outcome::Row { .. }) => latencies.push(started.elapsed()),
                        other => bail!("a debit was answered {other:?}"),
                    }
                }
                Ok(latencies)
            })
        });
        let mut all = Vec::new();
        for caller in callers.collect::<Vec<_>>() {
            all.extend(caller.await??);
        }
        Ok(all)
    }

    /// Has all that is stored read for reports.
    pub(crate) async fn close_books(&self) -> Result<()> {
        self.service
            .booked_in(&self.principal, Span::default())
            .await?;
        Ok(())
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.service.stop();
        match self.thread.join() {
            Ok(LaneEnd::Stopped) => Ok(()),
            other => bail!("the ledger ended with {other:?}"),
        }
    }
}

pub(super) fn debit() -> Command {
    let note = Note {
        description: Some("SMS to +1 555 0100".into()),
        ..Note::default()
    };
    Command::Debit(Debit {
        amount: Amount::from_micros(7_500),
        reason: Reason::Usage,
        force: None,
        note,
    })
}

pub(super) fn key(random: &mut Random) -> KeyStamp {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&random.next().to_ne_bytes());
    key[8..].copy_from_slice(&random.next().to_ne_bytes());
    KeyStamp {
        key,
        fingerprint: [1; 16],
    }
}
