//! Positions in the feed of events: the id of an event, or a cursor that is bound to its filters.

use super::page::{Listed, Query, read_cursor, write_cursor, wrong_cursor};
use super::problem::Problem;
use tillbox_core::id::EventId;
use tillbox_service::{Principal, Service};

/// Where a page of the feed begins, and how long it is.
pub(crate) struct FeedPage {
    pub(crate) limit: usize,
    /// None: at the beginning.
    pub(crate) after: Option<EventId>,
    binding: [u8; 8],
}

/// What cursors are of.
const LIST: &str = "events";

impl FeedPage {
    /// Reads `limit`, and `after` or `cursor`.
    pub(crate) async fn of(
        query: &Query,
        service: &Service,
        who: &Principal,
    ) -> Result<Self, Problem> {
        let limit = query.limit()?;
        let binding = query.binding(LIST);
        let position = match (query.get("after"), query.get("cursor")) {
            (Some(_), Some(_)) => {
                return Err(Problem::invalid_parameter(
                    "cursor",
                    "goes without after: it is one or the other",
                ));
            }
            (Some(after), None) => Some(("after", after)),
            (None, cursor) => cursor.map(|cursor| ("cursor", cursor)),
        };
        let after = match position {
            None => None,
            Some(("after", id)) if id.starts_with("evt_") => Some(event(service, who, id).await?),
            Some((parameter, cursor)) => {
                Some(read(cursor, binding).ok_or_else(|| wrong_cursor(parameter))?)
            }
        };
        Ok(Self {
            limit,
            after,
            binding,
        })
    }

    /// Prints a page, with where the next one begins if there is more.
    pub(crate) fn list<T>(&self, data: Vec<T>, next: Option<EventId>) -> Listed<T> {
        Listed::found(data, next.map(|next| write(next, self.binding)))
    }
}

/// An event of this merchant; another form, an unknown and a foreign one are not found.
pub(crate) async fn event(
    service: &Service,
    who: &Principal,
    text: &str,
) -> Result<EventId, Problem> {
    let id = EventId::parse(text).map_err(|_malformed| Problem::not_found())?;
    if service.has_event(who, id).await? {
        Ok(id)
    } else {
        Err(Problem::not_found())
    }
}

/// A cursor of the row, and the place in hexadecimal.
fn write(position: EventId, binding: [u8; 8]) -> String {
    let cursor = write_cursor(position.row(), binding);
    format!("{cursor}{:03x}", position.place())
}

fn read(cursor: &str, binding: [u8; 8]) -> Option<EventId> {
    let (row, place) = cursor.split_at_checked(32)?;
    let is_hex = place.len() == 3
        && place
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let place = u16::from_str_radix(place, 16)
        .ok()
        .filter(|place| is_hex && *place < EventId::PLACES)?;
    Some(EventId::new(read_cursor(row, binding)?, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_keep_the_place_and_are_bound() {
        let binding = [3; 8];
        for position in [
            EventId::new(0, 0),
            EventId::new(1 << 50, 10),
            EventId::last_of(77),
        ] {
            let cursor = write(position, binding);
            assert_eq!(read(&cursor, binding), Some(position));
            assert_eq!(read(&cursor, [4; 8]), None);
            for other in [
                format!("{cursor}0"),
                cursor.to_uppercase(),
                cursor[1..].to_owned(),
            ] {
                assert!(
                    other == cursor || read(&other, binding).is_none(),
                    "{other}"
                );
            }
        }
        let beyond = format!("{}400", write_cursor(7, binding));
        assert_eq!(read(&beyond, binding), None);
    }
}
