//! Lists as CSV: all of a list, written as it is read.

use super::page::Query;
use super::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::borrow::Cow;
use std::io::{Error, Result as IoResult};

/// Rows that one read takes: short reads, so that a slow client holds nothing.
pub(crate) const ROWS: usize = 500;

/// Whether the caller asks for CSV.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    let mut kinds = accept.unwrap_or_default().split(',');
    kinds.any(|kind| kind.trim().starts_with("text/csv"))
}

/// Refuses what would ask for a page.
pub(crate) fn check_whole(query: &Query) -> Result<(), Problem> {
    match query.get("limit").or(query.get("cursor")) {
        None => Ok(()),
        Some(_) => Err(Problem::invalid_parameter(
            "limit",
            "CSV has no pages: all rows are sent",
        )),
    }
}

/// A text that a spreadsheet would take for a formula is told by an apostrophe that it is none.
pub(crate) fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Lines of CSV.
pub(crate) fn lines<Field: AsRef<str>>(
    records: impl Iterator<Item = impl AsRef<[Field]>>,
) -> IoResult<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::with_capacity(16_384));
    for record in records {
        writer.write_record(
            record
                .as_ref()
                .iter()
                .map(|field| field.as_ref().as_bytes()),
        )?;
    }
    let written = writer.into_inner();
    written.map_err(|error| Error::other(error.to_string()))
}

/// Where it stands: before the header, before what `next` takes, or at the end.
enum Next<Place> {
    Header,
    Rows(Option<Place>),
    End,
}

/// Answers with a header and all lines: `next` reads those from a place on, at first from none, and says where the
/// ones behind them begin.
pub(crate) fn response<Place, Read>(
    file: &'static str,
    header_line: &'static str,
    next: impl Fn(Option<Place>) -> Read + Send + Sync + 'static,
) -> Response
where
    Place: Send + 'static,
    Read: Future<Output = IoResult<(Vec<u8>, Option<Place>)>> + Send + 'static,
{
    let next = std::sync::Arc::new(next);
    let chunks = futures_util::stream::try_unfold(Next::Header, move |place| {
        let next = std::sync::Arc::clone(&next);
        async move {
            match place {
                Next::Header => {
                    let header = header_line.as_bytes().to_vec();
                    Ok::<_, Error>(Some((header, Next::Rows(None))))
                }
                Next::Rows(place) => {
                    let (lines, behind) = next(place).await?;
                    Ok(Some((
                        lines,
                        behind.map_or(Next::End, |place| Next::Rows(Some(place))),
                    )))
                }
                Next::End => Ok(None),
            }
        }
    });
    kept_as(file, Body::from_stream(chunks))
}

/// Answers with a body of CSV, to be kept as a file.
pub(crate) fn kept_as(file: &'static str, body: impl Into<Body>) -> Response {
    let mut response = body.into().into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let disposition = format!("attachment; filename=\"{file}\"");
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
