//! The defects that fuzzing finds: the smallest request shows each, and nothing smaller does.

#![allow(clippy::unwrap_used)]

use fincert_mocks::decide::{Decision, Over, Request, decide};
use fincert_mocks::defects::{self, Defect, FoundBy, Smallest};
use fincert_mocks::state::{Content, State, StoredFile};
use fincert_mocks::{Config, MockHost};
use fincert_schemas::{fixture, json as frames};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

const PICTURE: &str = "finfile://tmp/1/bank-card-debit.png";

fn session() -> State {
    let mut state = State::default();
    let specimen = fixture::get("bank-card-debit").unwrap();
    let content = Content::of(specimen.bytes);
    state.put(StoredFile { name: specimen.file.clone(), size: specimen.bytes.len() as u64, content });
    assert!(state.file(PICTURE).is_some());
    state
}

fn method(defect: &Defect) -> &'static str {
    match defect.profile {
        "ocr" => "ft.finCardOcr",
        "face" => "ft.finFaceAuth",
        "witness-video" => "ft.finOpenWitnessVideo",
        other => panic!("{other}"),
    }
}

fn ask(defect: &'static Defect, state: &mut State, method: &str, params: &Value) -> Decision {
    let asked = Request { id: &json!(1), method, params, over: Over::Bridge };
    let decision = decide(&asked, state, &Config { defect: Some(defect), ..Config::default() });
    state.remember(&decision);
    decision
}

fn call(defect: &'static Defect, state: &mut State, request: &Value) -> Decision {
    ask(defect, state, method(defect), &json!({"args": [request], "scenario": "fuzz"}))
}

/// What the defect needs before the last call.
fn lead_up(defect: &'static Defect, state: &mut State) {
    let good = json!({"type": "BankCard", "imagePath": PICTURE});
    match defect.name {
        "silent-thousandth-call" | "fails-thousandth-call" => (0..999).for_each(|_| drop(call(defect, state, &good))),
        "double-success-after-failures" => (0..2).for_each(|_| drop(call(defect, state, &json!({})))),
        "deaf-after-reset" => {
            call(defect, state, &good);
            ask(defect, state, "bridge.reset", &json!({}));
            let specimen = fixture::get("bank-card-debit").unwrap();
            let content = Content::of(specimen.bytes);
            state.put(StoredFile { name: specimen.file.clone(), size: 0, content });
        }
        _ => {}
    }
}

/// The smallest request, by what is stated of it.
fn smallest(defect: &Defect) -> Value {
    let rows = defect.fuzzing.unwrap().smallest.iter().map(|(name, wanted)| {
        let value = match wanted {
            Smallest::Any if *name == "videoPort" => "1".to_owned(),
            Smallest::Any if *name == "type" => "BankCard".to_owned(),
            Smallest::Any => "a".to_owned(),
            Smallest::Text(text) => (*text).to_owned(),
            Smallest::Characters(count) => "a".repeat(*count),
            Smallest::OneOf(texts) => texts[0].to_owned(),
            Smallest::BidiControl => "\u{202e}".to_owned(),
            Smallest::BeyondBmp => "𠮷".to_owned(),
            Smallest::Picture if defect.profile == "face" => "finfile://fixtures/face-match".to_owned(),
            Smallest::Picture if defect.name == "deaf-after-reset" => PICTURE.replace("/1/", "/2/"),
            Smallest::Picture => PICTURE.to_owned(),
            Smallest::Climbing => "finfile://tmp/1/../bank-card-debit.png".to_owned(),
        };
        ((*name).to_owned(), Value::from(value))
    });
    Value::Object(rows.collect())
}

#[test]
fn the_smallest_request_shows_the_defect_and_a_plain_one_does_not() {
    let found: Vec<_> = defects::all().iter().filter(|defect| defect.fuzzing.is_some()).collect();
    assert!(found.len() >= 13);
    for defect in found {
        let fuzzing = defect.fuzzing.unwrap();
        let request = smallest(defect);
        assert_eq!(fuzzing.complaint(&request), None, "{}", defect.name);
        let mut state = session();
        if defect.name != "leaks-other-result" {
            lead_up(defect, &mut state);
            assert!(call(defect, &mut state, &request).changed, "{}: {request}", defect.name);
        }
        if fuzzing.calls > 1 && defect.name != "leaks-other-result" {
            assert!(!call(defect, &mut session(), &request).changed, "{} shows at once", defect.name);
        }
    }
}

#[test]
fn a_smaller_request_does_not_show_it() {
    let card = |kind: &str, path: &str| json!({"type": kind, "imagePath": path});
    let video = |password: &str| {
        json!({"videoType": "a", "videoIp": "a", "videoPort": "1", "loginName": "a", "loginPwd": password,
            "roomId": "a", "roomName": "a", "appId": "a"})
    };
    for (name, harmless) in [
        ("crash-on-long-path", vec![card("BankCard", &"a".repeat(255)), card("BankCard", &"a".repeat(1024))]),
        ("crash-on-format-string", vec![card("BankCard", "%"), card("BankCard", "%d"), card("BankCard", PICTURE)]),
        ("hang-on-empty-string", vec![card("BankCard", " "), card("IDCard", ""), json!({"type": "BankCard"})]),
        ("silent-on-empty-password", vec![video("a")]),
        ("short-type-accepted", vec![card("", PICTURE), card("Passport", PICTURE), card("𠮷", PICTURE)]),
        ("cesu-8-in-error", vec![card("BankCard", "证"), card("BankCard", "\u{ffff}")]),
        ("follows-dot-dot", vec![card("BankCard", "finfile://tmp/1/../x.png"), card("BankCard", PICTURE)]),
        (
            "bidi-name-breaks-result",
            vec![json!({"idNo": "1", "name": "a", "imagePath": "finfile://fixtures/face-match"})],
        ),
        ("missing-image-path-accepted", vec![card("BankCard", PICTURE)]),
    ] {
        let defect = defects::find(name).unwrap();
        for request in harmless {
            assert!(!call(defect, &mut session(), &request).changed, "{name}: {request}");
        }
    }
}

#[test]
fn counts_and_resets_are_what_they_say() {
    let good = json!({"type": "BankCard", "imagePath": "finfile://fixtures/bank-card-debit"});
    let thousandth = defects::find("silent-thousandth-call").unwrap();
    let mut state = session();
    let silent: Vec<_> = (1..=2000).filter(|_| call(thousandth, &mut state, &good).changed).collect();
    assert_eq!(silent, [1000, 2000]);

    let deaf = defects::find("deaf-after-reset").unwrap();
    let mut state = session();
    let within = |scenario: &str| json!({"args": [good], "scenario": scenario});
    let mut deaf_to = |scenario: &str| ask(deaf, &mut state, "ft.finCardOcr", &within(scenario)).changed;
    assert!(!deaf_to("a") && !deaf_to("b"));
    ask(deaf, &mut state, "bridge.reset", &json!({}));
    let mut deaf_to = |scenario: &str| ask(deaf, &mut state, "ft.finCardOcr", &within(scenario)).changed;
    assert!(!deaf_to("c"), "a reset between scenarios is harmless");
    ask(deaf, &mut state, "bridge.reset", &json!({}));
    let mut deaf_to = |scenario: &str| ask(deaf, &mut state, "ft.finCardOcr", &within(scenario)).changed;
    assert!(deaf_to("c") && !deaf_to("c"));

    let twice = defects::find("double-success-after-failures").unwrap();
    let mut state = session();
    let mut doubled = |request: &Value| call(twice, &mut state, request).changed;
    assert!(!doubled(&json!({})) && !doubled(&good) && !doubled(&json!({})) && !doubled(&json!({})) && doubled(&good));
}

#[test]
fn scenarios_drive_what_they_show_and_fuzzing_the_rest() {
    let by = |wanted| defects::all().iter().filter(|defect| defect.found_by == wanted).count();
    assert!(by(FoundBy::Fuzz) >= 9 && by(FoundBy::Both) >= 4);
    for defect in defects::all() {
        let fuzzing = defect.fuzzing.map(|fuzzing| (fuzzing.within, fuzzing.calls, fuzzing.words()));
        assert!(fuzzing.is_none_or(|(within, calls, words)| within >= calls && words.starts_with("{")));
    }
}

async fn bridge(
    defect: &str,
) -> (
    MockHost,
    impl futures_util::Sink<Message, Error = impl std::fmt::Debug>
    + futures_util::Stream<Item = Result<Message, impl std::fmt::Debug>>
    + Unpin,
) {
    let host = MockHost::start(Config { defect: defects::find(defect).ok(), ..Config::default() }).await.unwrap();
    let (socket, _) = connect_async(host.bridge_url()).await.unwrap();
    (host, socket)
}

fn message(id: u64, request: &Value) -> Message {
    let params = json!({"args": [request]});
    Message::text(json!({"jsonrpc": "2.0", "id": id, "method": "ft.finCardOcr", "params": params}).to_string())
}

#[tokio::test]
async fn overlapping_calls_get_the_others_result_and_single_ones_never() {
    let (host, mut socket) = bridge("leaks-other-result").await;
    let card = |kind: &str, id: &str| json!({"type": kind, "imagePath": format!("finfile://fixtures/{id}")});
    let bank = card("BankCard", "bank-card-debit");
    let licence = card("BusiCert", "busi-cert-original");
    for (round, (first, second)) in [(&bank, &licence), (&licence, &bank)].into_iter().enumerate() {
        let id = round as u64 * 10;
        socket.feed(message(id, first)).await.unwrap();
        socket.feed(message(id + 1, second)).await.unwrap();
        socket.flush().await.unwrap();
        let mut kinds = Vec::new();
        while kinds.len() < 2 {
            let frame: Value = serde_json::from_slice(&socket.next().await.unwrap().unwrap().into_data()).unwrap();
            if let Some(kind) = frame.pointer("/result/value/type") {
                kinds.push((frame["id"].as_u64().unwrap(), kind.clone()));
            }
        }
        kinds.sort_by_key(|(id, _)| *id);
        assert_eq!(kinds, [(id, first["type"].clone()), (id + 1, first["type"].clone())]);
    }
    for id in 100..120 {
        let request = if id % 2 == 0 { &bank } else { &licence };
        socket.send(message(id, request)).await.unwrap();
        loop {
            let frame: Value = serde_json::from_slice(&socket.next().await.unwrap().unwrap().into_data()).unwrap();
            if let Some(kind) = frame.pointer("/result/value/type") {
                assert_eq!((frame["id"].as_u64(), kind), (Some(id), &request["type"]));
                break;
            }
        }
    }
    host.shutdown().await;
}

#[tokio::test]
async fn crashes_hangs_and_bytes_over_the_bridge() {
    let (host, mut socket) = bridge("crash-on-long-path").await;
    socket.send(message(1, &json!({"type": "BankCard", "imagePath": "a".repeat(256)}))).await.unwrap();
    let rest: Vec<_> = socket.collect().await;
    assert!(rest.iter().flatten().all(Message::is_close), "{rest:?}");
    host.shutdown().await;

    let (host, mut socket) = bridge("hang-on-empty-string").await;
    socket.send(message(1, &json!({"type": "BankCard", "imagePath": ""}))).await.unwrap();
    socket.send(message(2, &json!({}))).await.unwrap();
    socket.send(Message::text(r#"{"jsonrpc":"2.0","id":3,"method":"bridge.reset","params":{}}"#)).await.unwrap();
    let frame: Value = serde_json::from_slice(&socket.next().await.unwrap().unwrap().into_data()).unwrap();
    assert_eq!(frame["id"], 3);
    host.shutdown().await;

    let (host, mut socket) = bridge("cesu-8-in-error").await;
    socket.send(message(1, &json!({"type": "BankCard", "imagePath": "𠮷"}))).await.unwrap();
    let frame = frames::parse(&socket.next().await.unwrap().unwrap().into_data()).unwrap();
    assert!(matches!(frame.faults[..], [frames::Lexical::InvalidUtf8 { .. }]));
    assert_eq!(frame.value["id"], 1);
    host.shutdown().await;
}

#[tokio::test]
async fn they_show_over_http_too() {
    async fn post(defect: &str, body: &str) -> Vec<u8> {
        let host = MockHost::start(Config { defect: defects::find(defect).ok(), ..Config::default() }).await.unwrap();
        let mut stream = TcpStream::connect(host.addr()).await.unwrap();
        let head = "POST /ft/finCardOcr HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n";
        stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        assert!(host.journal().last().unwrap().answered.shown, "{defect}");
        host.shutdown().await;
        bytes
    }
    let long = format!(r#"{{"type":"BankCard","imagePath":"{}"}}"#, "a".repeat(256));
    assert_eq!(post("crash-on-long-path", &long).await, b"", "the connection is closed without an answer");
    let odd = post("cesu-8-in-error", r#"{"type":"BankCard","imagePath":"𠮷"}"#).await;
    assert!(odd.windows(6).any(|bytes| bytes == b"\xed\xa1\x82\xed\xbe\xb7"));
    let doubles = post("integers-as-doubles", r#"{"type":"BankCard","imagePath":"a"}"#).await;
    assert!(String::from_utf8(doubles).unwrap().contains("\"errorCode\":0.0"));
    let climbs =
        post("follows-dot-dot", r#"{"type":"BankCard","imagePath":"finfile://fixtures/../bank-card-debit"}"#).await;
    assert!(String::from_utf8(climbs).unwrap().contains("\"errorCode\":0"));
}
