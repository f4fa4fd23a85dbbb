//! Real connections: bytes that are no HTTP, slow heads, an orderly stop.

use crate::app::{KEY, TestApp};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

struct Served {
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
}

async fn serve(app: &TestApp) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(tillbox_web::serve(
        listener,
        Arc::clone(&app.service),
        stopped,
        Duration::from_secs(5),
    ));
    Served {
        address,
        stop,
        server,
    }
}

/// Sends bytes and reads until the server closes.
async fn exchange(served: &Served, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(served.address)
        .await
        .expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn bytes_that_are_no_http_are_answered_in_form() {
    let app = TestApp::start();
    let served = serve(&app).await;
    for (bytes, status) in [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec(), "400"),
        (b"GET / HTTP/9.9\r\n\r\n".to_vec(), "400"),
        (
            b"GET /healthz HTTP/1.1\r\nbad header\r\n\r\n".to_vec(),
            "400",
        ),
        (
            format!(
                "GET /healthz HTTP/1.1\r\nx: {}\r\n\r\n",
                "y".repeat(100_000)
            )
            .into_bytes(),
            "431",
        ),
    ] {
        let answer = exchange(&served, &bytes).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.contains("content-type: application/problem+json"),
            "{head}"
        );
        let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(problem["code"], "invalid_request");
        let id = problem["request_id"].as_str().expect("an id");
        assert!(head.contains(&format!("x-request-id: {id}")), "{head}");
    }
    served.stop.send(true).expect("the server waits for it");
    served.server.await.expect("no panic").expect("served");
}

#[tokio::test]
async fn what_stands_before_bytes_that_are_no_http_is_answered_first() {
    let app = TestApp::start();
    let served = serve(&app).await;
    let bytes = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n\x16\x03 no HTTP\r\n\r\n";
    let answer = exchange(&served, bytes).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains(r#"{"status":"ok"}HTTP/1.1 400"#),
        "{answer}"
    );
    assert!(answer.contains(r#""code":"invalid_request""#), "{answer}");
    served.stop.send(true).expect("the server waits for it");
    served.server.await.expect("no panic").expect("served");
}

/// Time stands still but for waiting, so that nobody waits for real.
#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_cut_off() {
    let app = TestApp::start();
    let served = serve(&app).await;
    let mut stream = TcpStream::connect(served.address)
        .await
        .expect("a connection");
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost:")
        .await
        .expect("sent");
    let mut answer = Vec::new();
    let ended =
        tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the connection is still open");
    served.stop.send(true).expect("the server waits for it");
    served.server.await.expect("no panic").expect("served");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_lives_longer_than_a_head() {
    let app = TestApp::start();
    let served = serve(&app).await;
    let mut stream = TcpStream::connect(served.address)
        .await
        .expect("a connection");
    for _request in 0..2 {
        tokio::time::sleep(Duration::from_secs(50)).await;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .expect("sent");
        let mut answer = [0; 512];
        let count = stream.read(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{count} bytes");
    }
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(70), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is still open");
    served.stop.send(true).expect("the server waits for it");
    served.server.await.expect("no panic").expect("served");
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_closes_idle_connections() {
    let app = TestApp::start();
    let served = serve(&app).await;
    let mut stream = TcpStream::connect(served.address)
        .await
        .expect("a connection");
    let request =
        format!("GET /v1/wallets HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
    served.stop.send(true).expect("the server waits for it");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("the rest");
    served.server.await.expect("no panic").expect("served");
    assert!(
        TcpStream::connect(served.address).await.is_err(),
        "nobody listens"
    );
}

#[tokio::test]
async fn an_answer_to_a_request_that_is_not_read_to_its_end_arrives() {
    let app = TestApp::start();
    let served = serve(&app).await;
    let body = vec![b'x'; 3 << 20];
    for framing in [
        format!("content-length: {}", body.len()),
        "transfer-encoding: chunked".to_owned(),
    ] {
        let mut stream = TcpStream::connect(served.address)
            .await
            .expect("a connection");
        let head = format!("POST /v1/wallets HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("sent");
        let is_chunked = framing.ends_with("chunked");
        for part in body.chunks(64 * 1024) {
            if is_chunked {
                let size = format!("{:x}\r\n", part.len());
                stream.write_all(size.as_bytes()).await.expect("taken");
            }
            // The answer was made long before the last of it is sent.
            stream.write_all(part).await.expect("taken");
            if is_chunked {
                stream.write_all(b"\r\n").await.expect("taken");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stream.shutdown().await.expect("all is sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        let answer = String::from_utf8(answer).expect("text");
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(answer.contains(r#""code":"unauthenticated""#), "{answer}");
    }
    served.stop.send(true).expect("the server waits for it");
    served.server.await.expect("no panic").expect("served");
}

/// Whoever never stops sending is cut off in the end.
#[tokio::test]
async fn what_nobody_reads_is_not_waited_for_for_ever() {
    let app = TestApp::start();
    let served = serve(&app).await;
    let mut stream = TcpStream::connect(served.address)
        .await
        .expect("a connection");
    let head = "POST /v1/wallets HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let part = vec![b'x'; 64 * 1024];
    let endless = async { while stream.write_all(&part).await.is_ok() {} };
    let ended = tokio::time::timeout(Duration::from_secs(10), endless).await;
    assert!(ended.is_ok(), "it is still read");
    served.stop.send(true).expect("the server waits for it");
    served.server.await.expect("no panic").expect("served");
}
