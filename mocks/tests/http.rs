//! The HTTP side, over a real socket.

#![allow(clippy::unwrap_used)]

mod client;

use std::time::Duration;

use client::{Reply, ask};
use fincert_mocks::{Config, MockHost, defects};
use fincert_schemas::bridge::Integration;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn post(host: &MockHost, api: &str, headers: &str, body: &str) -> Reply {
    ask(host, &format!("POST /ft/{api}"), headers, body).await
}

async fn start(config: Config) -> MockHost {
    MockHost::start(config).await.unwrap()
}

#[tokio::test]
async fn the_help() {
    let host = start(Config::default()).await;
    let reply = ask(&host, "GET /", "", "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    insta::assert_snapshot!("help", reply.body);
    host.shutdown().await;
}

#[tokio::test]
async fn a_call_gives_the_callbacks_value() {
    let host = start(Config::default()).await;
    let reply = post(&host, "finCardOcr", "", r#"{"type":"BankCard","imagePath":"finfile://tmp_1.png"}"#).await;
    assert_eq!((reply.status, reply.header("fincert-via")), (200, Some("success")));
    assert_eq!(reply.header("fincert-example"), Some("ocr-bank-card-debit"));
    assert_eq!(reply.json()["recogResult"]["cardType"], "借记卡");

    let path = "finfile://fixtures/id-back-long";
    let reply = post(&host, "finCardOcr", "", &json!({"type": "IDCard", "imagePath": path}).to_string()).await;
    assert_eq!(reply.json()["recogResult"]["endDate"], "长期");

    let reply = post(&host, "finLivenessCheck", "", "").await;
    assert!(reply.json()["faceImgStr"].as_str().unwrap().starts_with("/9j/"));

    let open = r#"{"package":"a.b","url":"a://b"}"#;
    let reply = post(&host, "finOpenOtherApp", "prefer: wait=1, Example=\"open-other-app-declined\"\r\n", open).await;
    assert_eq!((reply.status, reply.header("fincert-via")), (200, Some("cancel")));
    assert_eq!(reply.json(), json!({"errMsg": "finOpenOtherApp:cancel"}));
    host.shutdown().await;
}

#[tokio::test]
async fn an_invalid_request_fails_and_says_where() {
    let host = start(Config::default()).await;
    let reply = post(&host, "finCardOcr", "", r#"{"type":"Passport"}"#).await;
    assert_eq!((reply.status, reply.header("fincert-via")), (200, Some("fail")));
    let message = reply.json()["errMsg"].as_str().unwrap().to_owned();
    assert!(message.starts_with("finCardOcr:fail invalid request: "), "{message}");
    assert!(message.contains("/imagePath: required") && message.contains("/type: enum"), "{message}");
    assert!(!message.contains("Passport"), "{message}");
    let reply = post(&host, "finOpenOtherApp", "", r#"{"url":"a://b"}"#).await;
    assert!(reply.json()["errMsg"].as_str().unwrap().contains("/package: required"));
    host.shutdown().await;
}

#[tokio::test]
async fn what_is_not_understood_is_said() {
    let host = start(Config::default()).await;
    let reply = post(&host, "finCardOcr", "", "{\n \"type\": }").await;
    assert_eq!((reply.status, reply.json()["line"].clone()), (400, json!(2)));
    let reply = post(&host, "finCardOcr", "", r#"{"type":"IDCard","type":"IDCard"}"#).await;
    assert_eq!((reply.status, reply.json()["pointer"].clone()), (400, json!("/type")));
    assert_eq!(post(&host, "finCardOcr", "", &"[".repeat(10_000)).await.status, 400);
    let reply = post(&host, "finCardOcr", "prefer: example=nothing\r\n", "{}").await;
    assert_eq!(reply.status, 400);
    assert!(reply.json()["examples"].as_array().unwrap().contains(&json!("ocr-error-fail")));
    let reply = post(&host, "finQuux", "", "{}").await;
    assert_eq!((reply.status, reply.json()["apis"][0].clone()), (404, json!("finCardOcr")));
    let reply = ask(&host, "GET /ft/finCardOcr", "", "").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    assert_eq!(ask(&host, "POST /journal", "", "").await.status, 405);
    assert_eq!(ask(&host, "GET /nowhere", "", "").await.status, 404);
    assert_eq!(ask(&host, "GET /bridge", "", "").await.status, 426);
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n";
    assert_eq!(ask(&host, "GET /bridge", upgrade, "").await.status, 400);
    host.shutdown().await;
}

#[tokio::test]
async fn too_much_is_too_much() {
    let host = start(Config::default()).await;
    let body = format!("\"{}\"", "x".repeat(16 * 1024 * 1024));
    let mut stream = TcpStream::connect(host.addr()).await.unwrap();
    let head = format!("POST /ft/finCardOcr HTTP/1.1\r\nhost: mock\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let writing = tokio::spawn(async move {
        let _ = write.write_all(body.as_bytes()).await;
        write
    });
    let mut start = [0; 12];
    read.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    drop(read);
    let _ = writing.await;
    host.shutdown().await;
}

#[tokio::test]
async fn absence_is_said_at_last() {
    let config = Config { integration: Integration::Absent, silence: Duration::ZERO, ..Config::default() };
    let host = start(config).await;
    let reply = post(&host, "finLivenessCheck", "", "{}").await;
    assert_eq!((reply.status, reply.header("fincert-via")), (504, None));
    assert!(reply.json()["error"].as_str().unwrap().contains("no response"));
    host.shutdown().await;
}

#[tokio::test]
async fn a_defect_shows_over_http_too() {
    let config = Config { defect: defects::find("score-87").ok(), ..Config::default() };
    let host = start(config).await;
    let request = r#"{"idNo":"1","name":"2","imagePath":"3"}"#;
    assert!(post(&host, "finFaceAuth", "", request).await.json()["score"].as_f64().unwrap() > 1.0);
    host.shutdown().await;
}

#[tokio::test]
async fn the_journal_keeps_no_value() {
    let host = start(Config::default()).await;
    let request = r#"{"idNo":"11010519491231002X","name":7,"imagePath":"finfile://x","11010519491231002X":null}"#;
    post(&host, "finFaceAuth", "", request).await;
    post(&host, "finLivenessCheck", "prefer: example=liveness-back\r\n", "{}").await;
    let reply = ask(&host, "GET /journal", "", "").await;
    assert!(!reply.body.contains("11010519491231002X"));
    let expected = json!([
        {
            "number": 1,
            "asked": {"over": "http", "method": "ft.finFaceAuth", "unknownFields": 1,
                "request": {"idNo": "string", "name": "number", "imagePath": "string"}},
            "answered": {"via": "fail"},
        },
        {
            "number": 2,
            "asked": {"over": "http", "method": "ft.finLivenessCheck", "request": {}, "unknownFields": 0, "prefer": "liveness-back"},
            "answered": {"via": "success", "example": "liveness-back"},
        },
    ]);
    assert_eq!(reply.json(), expected);
    assert_eq!(host.journal().len(), 2);
    let names = ask(&host, "GET /canned", "", "").await.json();
    assert_eq!(names.as_array().unwrap().len(), 31);
    host.shutdown().await;
}
