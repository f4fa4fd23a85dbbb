//! Requests as bytes, for what a client library would not send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Sends bytes that a client library would not, and returns the status and the whole answer.
/// The server may stop reading early, so a failing write is no failure.
pub(crate) fn send_raw(
    address: SocketAddr,
    head: &[u8],
    body: impl IntoIterator<Item = Vec<u8>>,
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let timeout = Some(Duration::from_secs(30));
    stream.set_read_timeout(timeout).expect("a timeout");
    stream.set_write_timeout(timeout).expect("a timeout");
    stream.write_all(head).expect("the head is sent");
    for part in body {
        if stream.write_all(&part).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4_096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1);
    let Some(status) = status.and_then(|status| status.parse().ok()) else {
        panic!("no answer but {answer:?}");
    };
    (status, answer)
}
