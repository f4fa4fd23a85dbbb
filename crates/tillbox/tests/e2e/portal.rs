//! The customers' pages: what they are let in by is told once, and kept nowhere.

use crate::client::Request;
use crate::server::{BOOTSTRAP_KEY, Server};
use serde_json::json;

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn bytes_of(token: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&token[at..at + 2], 16).expect("two digits");
    (0..token.len()).step_by(2).map(digit).collect()
}

#[test]
fn tokens_are_in_no_log_and_in_no_file() {
    let server = Server::start_talkative();
    let client = server.client();
    let customer = client.post("/v1/customers", &json!({"name": "Caller"}));
    let body = json!({"customer_id": customer.is(201).id()});
    let link = client
        .post("/v1/portal-sessions", &body)
        .is(201)
        .string("url");
    let origin = format!("http://{}", server.address());
    let path = link
        .strip_prefix(&origin)
        .expect("where the server listens");
    client
        .send(&Request::new("GET", path).without_bearer())
        .is(200);
    let form = Request::new("POST", path).without_bearer().bytes(b"");
    let opened = client.send(&form).is(303);
    let cookie = opened.header("set-cookie").expect("a cookie");
    let session = cookie.split(['=', ';']).nth(1).expect("a token").to_owned();
    let used = Request::new("POST", "/wallet/sign-out")
        .without_bearer()
        .header("cookie", &format!("tillbox={session}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .bytes(format!("token={session}").as_bytes());
    assert_eq!(client.try_send(&used).expect("an answer").status, 403);

    let token = path.strip_prefix("/portal/").expect("a token");
    let database = server.database_file();
    let folder = std::fs::read_dir(database.parent().expect("a folder")).expect("a folder");
    let mut files = 0;
    for entry in folder {
        let file = std::fs::read(entry.expect("an entry").path()).expect("a file");
        for secret in [token, &session, BOOTSTRAP_KEY] {
            assert!(!contains(&file, secret.as_bytes()), "as text");
        }
        for secret in [token, &session] {
            assert!(!contains(&file, &bytes_of(secret)), "as bytes");
        }
        files += 1;
    }
    assert!(
        files > 3,
        "the database, its log, and what the process said"
    );
}
