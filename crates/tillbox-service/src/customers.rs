//! Customers: whoever owns wallets.

use crate::access::Principal;
use crate::audit_log::AuditAction;
use crate::error::ServiceError;
use crate::metadata::MetadataChange;
use crate::service::Service;
use crate::wallets::Answered;
use tillbox_core::entry::KeyStamp;
use tillbox_core::id::CustomerId;
use tillbox_engine::port::StoredAnswer;
use tillbox_store::StoreError;
use tillbox_store::sqlite::Connection;
use tillbox_store::sqlite::answers;
use tillbox_store::sqlite::customers::{self, CustomerRow};
use tillbox_store::sqlite::erasures;
use tillbox_store::sqlite::portal_sessions;

/// A customer to make.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// Its name.
    pub name: String,
    /// Where it is written to.
    pub email: Option<String>,
    /// The caller's own id of it, unique.
    pub external_id: Option<String>,
    /// The language that it reads.
    pub locale: String,
    /// The caller's own data, a JSON object.
    pub metadata: String,
}

/// What changes of a customer; none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct CustomerChange {
    /// Another name.
    pub name: Option<String>,
    /// Another address, or none.
    pub email: Option<Option<String>>,
    /// Another id of the caller's, or none.
    pub external_id: Option<Option<String>>,
    /// Another language.
    pub locale: Option<String>,
    /// Other data.
    pub metadata: Option<MetadataChange>,
}

const TAKEN: &str = "another customer has this external_id";

impl Service {
    /// Makes a customer. Under a key the answer is stored with it and given again.
    pub async fn create_customer(
        &self,
        who: &Principal,
        new: NewCustomer,
        key: Option<KeyStamp>,
        answer: impl FnOnce(&CustomerRow) -> Vec<u8> + Send + 'static,
    ) -> Result<Answered, ServiceError> {
        who.check_merchant()?;
        let now = self.clock_now(who);
        let row = CustomerRow {
            merchant_id: who.merchant_id,
            id: CustomerId::from_number(self.next_id()),
            name: new.name,
            email: new.email,
            external_id: new.external_id,
            locale: new.locale,
            metadata: new.metadata,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        let deed = self.deed(who, AuditAction::CustomerCreated).on(row.id);
        let write = move |connection: &Connection| {
            customers::insert(connection, &row)?;
            deed.note(connection)?;
            Ok((answer(&row), ()))
        };
        self.write_keyed(key, TAKEN, write, |()| ()).await
    }

    /// A plain write whose answer is stored under its key, in the same commit; `conflict` is what is said
    /// when something unique is taken. `then` follows the commit with what was made besides the answer; an answer
    /// that is given again makes nothing.
    pub(crate) async fn write_keyed<T: Clone + Send + 'static>(
        &self,
        key: Option<KeyStamp>,
        conflict: &'static str,
        write: impl FnOnce(&Connection) -> Result<(Vec<u8>, T), StoreError> + Send + 'static,
        then: impl FnOnce(T) + Send + 'static,
    ) -> Result<Answered, ServiceError> {
        let keyed = move |connection: &Connection| {
            if let Some(stamp) = key
                && let Some(found) = answers::find(connection, stamp.key)?
            {
                return Ok((found, None));
            }
            let (body, made) = write(connection)?;
            let stamp = key.unwrap_or(KeyStamp {
                key: [0; 16],
                fingerprint: [0; 16],
            });
            let answer = StoredAnswer {
                key: stamp,
                status: 201,
                body: body.into(),
            };
            if key.is_some() {
                answers::insert(connection, &answer)?;
            }
            Ok((answer, Some(made)))
        };
        let settled = |(_answer, made): &(StoredAnswer, Option<T>)| {
            if let Some(made) = made {
                then(made.clone());
            }
        };
        let taken = key.map(|stamp| stamp.key);
        let written = self.database.write_under(taken, keyed, settled);
        let (answer, made) = written
            .await
            .map_err(|error| conflict_as(error, conflict))?;
        match key {
            Some(stamp) if made.is_none() => replay(answer, stamp),
            _ => Ok(Answered {
                status: answer.status,
                body: answer.body,
                replayed: false,
            }),
        }
    }

    /// A customer that is not deleted.
    pub async fn customer(
        &self,
        who: &Principal,
        id: CustomerId,
    ) -> Result<CustomerRow, ServiceError> {
        who.check_customer(id)?;
        let merchant_id = who.merchant_id;
        let row = self
            .database
            .read(move |connection| customers::get(connection, merchant_id, id))
            .await?;
        row.filter(|row| row.deleted_at.is_none())
            .ok_or(ServiceError::NotFound)
    }

    /// Customers, newest first, before `before`.
    pub async fn customers(
        &self,
        who: &Principal,
        external_id: Option<String>,
        before: Option<CustomerId>,
        limit: usize,
    ) -> Result<Vec<CustomerRow>, ServiceError> {
        who.check_merchant()?;
        let merchant_id = who.merchant_id;
        self.database
            .read(move |connection| {
                customers::list(
                    connection,
                    merchant_id,
                    external_id.as_deref(),
                    before,
                    limit,
                )
            })
            .await
    }

    /// Changes a customer.
    pub async fn change_customer(
        &self,
        who: &Principal,
        id: CustomerId,
        change: CustomerChange,
    ) -> Result<CustomerRow, ServiceError> {
        who.check_merchant()?;
        let (merchant_id, now) = (who.merchant_id, self.clock_now(who));
        let deed = self.deed(who, AuditAction::CustomerUpdated).on(id);
        let changed = self.database.write(move |connection| {
            let Some(row) =
                customers::get(connection, merchant_id, id)?.filter(|row| row.deleted_at.is_none())
            else {
                return Ok(None);
            };
            let metadata = match change.metadata {
                Some(change) => match change.apply(&row.metadata) {
                    Ok(metadata) => metadata,
                    Err(refused) => return Ok(Some(Err(refused))),
                },
                None => row.metadata,
            };
            let row = CustomerRow {
                name: change.name.unwrap_or(row.name),
                email: change.email.unwrap_or(row.email),
                external_id: change.external_id.unwrap_or(row.external_id),
                locale: change.locale.unwrap_or(row.locale),
                metadata,
                updated_at: now,
                ..row
            };
            customers::update(connection, &row)?;
            deed.note(connection)?;
            Ok(Some(Ok(row)))
        });
        changed
            .await
            .map_err(|error| conflict_as(error, TAKEN))?
            .unwrap_or(Err(ServiceError::NotFound))
    }

    /// Deletes a customer and erases its personal data; amounts stay (W6). Where there is much of it, that goes on
    /// behind the answer.
    pub async fn delete_customer(
        &self,
        who: &Principal,
        id: CustomerId,
    ) -> Result<(), ServiceError> {
        who.check_merchant()?;
        let (merchant_id, now) = (who.merchant_id, self.clock_now(who));
        let deed = self.deed(who, AuditAction::CustomerDeleted).on(id);
        let deleted = self
            .database
            .write(move |connection| {
                portal_sessions::end_all(connection, merchant_id, id)?;
                let deleted = customers::delete(connection, merchant_id, id, now)?;
                if deleted {
                    erasures::begin(connection, merchant_id, id, now)?;
                    deed.note(connection)?;
                }
                Ok(deleted)
            })
            .await;
        let found = deleted
            .map_err(|error| conflict_as(error, "the customer has a wallet that is not closed"))?;
        if !found {
            return Err(ServiceError::NotFound);
        }
        // It is deleted, whatever becomes of this: what is left to erase is the job's.
        if let Err(error) = self.erase_on().await {
            tracing::warn!(%error, "a customer's data is not erased yet");
        }
        Ok(())
    }
}

/// The answer that a key was given, unless it was given for another request.
pub(crate) fn replay(answer: StoredAnswer, stamp: KeyStamp) -> Result<Answered, ServiceError> {
    if stamp.fingerprint != answer.key.fingerprint {
        return Err(ServiceError::KeyReused);
    }
    Ok(Answered {
        status: answer.status,
        body: answer.body,
        replayed: true,
    })
}

fn conflict_as(error: ServiceError, what: &'static str) -> ServiceError {
    match error {
        ServiceError::Store(StoreError::Conflict(_)) => ServiceError::Conflict(what),
        other => other,
    }
}
