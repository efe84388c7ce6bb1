//! WebRTC targets that lie, flood and fall silent: each ends in its reason code or the right requirement's verdict, the
//! flow behind it is unharmed, memory and transcripts stay bounded, and nothing is left behind.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

mod support;
#[path = "support/watched.rs"]
mod watched;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use support::{Run, fincert, target};
use watched::Watched;

const PYTHON: &str = "/usr/bin/python3";

// Trouble comes in one of these: the target offers; fincert offers; media; two connections.
const OFFERS: &str = "webrtc.target-offers";
const ANSWERS: &str = "webrtc.end-of-candidates.empty-object";
const VIDEO: &str = "webrtc.video-only";
const TWO: &str = "webrtc.two-calls";
/// The flow behind it is a good one.
const AFTER: &str = "webrtc.end-of-candidates.null";

/// The most memory that a target can make fincert use.
const MEMORY_BOUND_KB: u64 = 256 * 1024;
/// The most that a transcript takes of the record.
const TRANSCRIPT_BOUND: usize = 2 * 1024 * 1024;

/// A busy machine must not make a good answer late; only those are given little time that will never answer.
fn patience(mode: &str) -> &'static str {
    if ["silent-", "hangs-", "made-after-"].iter().any(|start| mode.starts_with(start)) { "4" } else { "20" }
}

/// Both referees drive both flows, so that both meet the trouble.
fn drive(mode: &str, trouble: &str) -> Run {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("agent/node/node_modules");
    assert!(modules.is_dir(), "{} is not there; run: npm ci --prefix harness/agent/node", modules.display());
    let marker = watched::marker();
    let target = format!("stdio:{PYTHON} '{}' {mode} {trouble} {marker}", target("webrtc_hostile.py").display());
    let folder = tempfile::tempdir().unwrap();
    let filter = format!("{trouble} | {AFTER}");
    let mut command = fincert(folder.path(), &["certify", "--target", &target, "--profile", "webrtc"]);
    command.args(["--filter", &filter, "--referee", "both", "--max-wait", patience(mode), "--record", "run.jsonl"]);
    let mut started = Watched::start(command, folder, marker);
    let peak = started.peak_memory_kb();
    let (run, folder) = started.finish();
    assert!((10_000..MEMORY_BOUND_KB).contains(&peak), "{mode}: {peak} kB");
    for line in run.lines("transcript") {
        let size = line.to_string().len();
        assert!(size < TRANSCRIPT_BOUND, "{mode}: a transcript of {size} bytes");
    }
    assert_eq!(ended(&run, AFTER), BOTH_DRIVEN, "{mode}: {}", run.stderr);
    assert_eq!(run.verdict("webrtc.call.fincert-offers", AFTER), "pass", "{mode}: {}", run.stdout);
    // Judged again from its record: the same.
    let again = fincert(folder.path(), &["judge", "run.jsonl"]).output().unwrap();
    assert_eq!(again.status.code(), run.code, "{}", String::from_utf8_lossy(&again.stderr));
    run
}

const BOTH_DRIVEN: [&str; 2] = ["driven", "driven"];

/// How a flow ended with each referee that drove it: `driven`, or the reason code.
fn ended<'r>(run: &'r Run, scenario: &str) -> Vec<&'r str> {
    let lines = run.lines("transcript").into_iter().filter(|line| line["scenario"] == scenario);
    lines.map(|line| line["ended"]["reason"].as_str().or(line["ended"]["how"].as_str()).unwrap()).collect()
}

/// The events of one kind in a flow, of each referee.
fn events<'r>(run: &'r Run, scenario: &str, kind: &str) -> Vec<Vec<&'r Value>> {
    let lines = run.lines("transcript").into_iter().filter(|line| line["scenario"] == scenario);
    let of =
        |line: &'r Value| line["events"].as_array().unwrap().iter().filter(|event| event["event"] == kind).collect();
    lines.map(of).collect()
}

/// One row a test: the mode, where it strikes, how that flow ends with each referee, and verdicts on it.
macro_rules! targets {
    ($( $(#[$note:meta])* $name:ident: $mode:literal in $place:expr => $ended:expr
        $(, $requirement:literal => $verdict:literal)*; )+) => {
        $( $(#[$note])* #[test] fn $name() {
            let run = drive($mode, $place);
            assert_eq!((run.code, ended(&run, $place)), (Some(1), $ended.to_vec()), "{}", run.stderr);
            $( assert_eq!(run.verdict($requirement, $place), $verdict, "{}: {}", $requirement, run.stdout); )*
        } )+
    };
}

targets! {
    /// All else is measured against this: the target itself is fine.
    the_target_without_trouble: "good" in ANSWERS => BOTH_DRIVEN,
        "webrtc.call.fincert-offers" => "pass",
        "bridge.clean-output" => "pass";

    // Descriptions.
    an_offer_of_ten_megabytes: "sdp-ten-megabytes" in OFFERS => BOTH_DRIVEN,
        "webrtc.call.target-offers" => "fail",
        "webrtc.sdp.form" => "warn";
    an_answer_of_ten_megabytes: "sdp-ten-megabytes" in ANSWERS => BOTH_DRIVEN,
        "webrtc.call.fincert-offers" => "fail";
    ten_thousand_m_lines: "sdp-m-lines" in OFFERS => BOTH_DRIVEN,
        "webrtc.call.target-offers" => "fail";
    a_line_of_a_megabyte: "sdp-long-line" in OFFERS => BOTH_DRIVEN,
        "webrtc.call.target-offers" => "fail",
        "webrtc.sdp.form" => "warn";
    a_description_with_nul: "sdp-nul" in OFFERS => BOTH_DRIVEN,
        "webrtc.call.target-offers" => "fail",
        "webrtc.sdp.form" => "warn";
    a_description_that_is_not_utf8: "sdp-not-utf8" in ANSWERS => BOTH_DRIVEN,
        "bridge.well-formed-json" => "warn",
        "webrtc.call.fincert-offers" => "pass";
    a_description_that_would_steer_a_terminal: "sdp-escapes" in ANSWERS => BOTH_DRIVEN,
        "integration.answers" => "pass";
    a_million_empty_lines: "sdp-nothing-but-feeds" in OFFERS => BOTH_DRIVEN,
        "webrtc.call.target-offers" => "fail";
    four_thousand_candidates_in_a_description: "sdp-candidates" in ANSWERS => BOTH_DRIVEN,
        "integration.answers" => "pass";
    forty_thousand_payload_types: "sdp-payload-types" in OFFERS => BOTH_DRIVEN,
        "integration.answers" => "pass";
    three_thousand_formats_of_one_payload_type: "sdp-fmtp" in ANSWERS => BOTH_DRIVEN,
        "integration.answers" => "pass";
    a_description_is_a_string: "description-is-a-string" in OFFERS => BOTH_DRIVEN,
        "webrtc.pc.create-offer.result" => "fail",
        "webrtc.call.target-offers" => "fail";
    a_description_is_a_number: "description-is-a-number" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.create-answer.result" => "fail",
        "webrtc.call.fincert-offers" => "fail";
    a_description_is_a_list: "description-is-a-list" in OFFERS => BOTH_DRIVEN,
        "webrtc.pc.create-offer.result" => "fail";
    a_description_is_a_handle: "description-is-a-handle" in OFFERS => BOTH_DRIVEN,
        "webrtc.pc.create-offer.result" => "fail";
    the_sdp_is_a_handle: "sdp-is-a-handle" in OFFERS => BOTH_DRIVEN,
        "webrtc.pc.create-offer.result" => "fail",
        "webrtc.call.target-offers" => "fail";
    the_type_is_five_megabytes_of_escapes: "type-is-hostile" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.create-answer.result" => "fail";

    // Objects.
    a_handle_of_a_megabyte: "handle-of-a-megabyte" in ANSWERS => BOTH_DRIVEN,
        "bridge.clean-output" => "warn";
    a_handle_that_is_empty: "handle-is-empty" in ANSWERS => BOTH_DRIVEN,
        "bridge.clean-output" => "warn";
    a_handle_that_is_a_list: "handle-is-a-list" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.create" => "fail";
    a_class_of_three_megabytes: "class-of-a-megabyte" in ANSWERS => BOTH_DRIVEN,
        "integration.answers" => "pass";
    five_thousand_tracks: "tracks-by-thousands" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.add-track" => "fail",
        "webrtc.call.fincert-offers" => "pass";
    a_stream_that_is_a_connection: "stream-is-a-connection" in ANSWERS => BOTH_DRIVEN,
        "webrtc.stream" => "fail",
        "webrtc.stream.get-tracks" => "fail";
    a_track_that_is_a_connection: "track-is-a-connection" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.add-track" => "fail";
    two_connections_of_one_name: "handle-reused" in TWO => BOTH_DRIVEN,
        "webrtc.sdp.origin" => "warn";

    // Silence, and the end.
    never_makes_a_connection: "silent-create" in ANSWERS => BOTH_DRIVEN,
        "integration.answers" => "fail",
        "webrtc.pc.create" => "fail";
    never_makes_an_offer: "silent-make" in OFFERS => BOTH_DRIVEN,
        "webrtc.pc.create-offer" => "fail",
        "webrtc.call.target-offers" => "fail";
    never_makes_an_answer: "silent-make" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.create-answer" => "fail",
        "webrtc.call.fincert-offers" => "fail";
    never_sets_a_local_description: "silent-local" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.set-local-description" => "fail",
        "webrtc.call.fincert-offers" => "fail";
    never_takes_a_candidate: "silent-candidate" in ANSWERS => BOTH_DRIVEN,
        "integration.answers" => "fail",
        "webrtc.pc.add-ice-candidate" => "fail";
    never_closes: "silent-close" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.close" => "fail";
    never_reads_a_property: "silent-get" in ANSWERS => ["target-hung"],
        "integration.answers" => "could-not-run target-hung";
    never_begins_to_listen: "silent-listen" in ANSWERS => ["target-hung"],
        "integration.answers" => "could-not-run target-hung";
    exits_in_a_call: "exits-in-a-call" in ANSWERS => ["target-exited"],
        "integration.answers" => "could-not-run target-exited",
        "webrtc.pc.add-ice-candidate" => "could-not-run target-exited";

    // Answers that nobody waits for.
    makes_a_connection_twice: "twice-create" in ANSWERS => BOTH_DRIVEN,
        "integration.answers-once" => "fail",
        "webrtc.call.fincert-offers" => "pass";
    makes_an_answer_twice: "twice-make" in ANSWERS => BOTH_DRIVEN,
        "integration.answers-once" => "fail",
        "webrtc.call.fincert-offers" => "pass";
    makes_another_answer_of_ten_megabytes: "made-anew" in ANSWERS => BOTH_DRIVEN,
        "integration.answers-once" => "fail",
        "webrtc.call.fincert-offers" => "pass";
    sets_a_description_twice: "twice-local" in ANSWERS => BOTH_DRIVEN,
        "integration.answers-once" => "fail";
    reads_a_property_twice: "twice-get" in ANSWERS => BOTH_DRIVEN,
        "bridge.answers-known-ids" => "warn";
    resets_twice: "twice-reset" in ANSWERS => BOTH_DRIVEN,
        "webrtc.call.fincert-offers" => "pass";
    makes_an_answer_after_close: "made-after-close" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.create-answer" => "inconclusive late-answer";

    // Events.
    events_of_strangers: "events-of-strangers" in ANSWERS => BOTH_DRIVEN,
        "webrtc.event.track" => "fail",
        "bridge.clean-output" => "warn",
        "webrtc.call.fincert-offers" => "pass";
    events_after_close: "events-after-close" in ANSWERS => BOTH_DRIVEN,
        "webrtc.event.iceconnectionstatechange.ice-connection-state" => "fail",
        "webrtc.call.fincert-offers" => "pass";
    four_events_of_fourteen_megabytes: "events-large" in ANSWERS => BOTH_DRIVEN,
        "webrtc.call.fincert-offers" => "pass";
    events_of_ninety_thousand_values: "events-of-many-values" in ANSWERS => BOTH_DRIVEN,
        "webrtc.call.fincert-offers" => "pass";
    candidates_that_are_nonsense: "candidates-nonsense" in ANSWERS => BOTH_DRIVEN,
        "webrtc.event.icecandidate" => "fail",
        "webrtc.candidate.candidate" => "fail",
        "webrtc.call.fincert-offers" => "pass";
    five_thousand_candidates: "candidates-5000" in ANSWERS => ["flood"],
        "integration.answers" => "could-not-run flood";

    // Properties and errors.
    a_property_of_ten_megabytes: "property-of-ten-megabytes" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.current-remote-description" => "fail",
        "webrtc.call.fincert-offers" => "pass";
    a_property_that_would_steer_a_terminal: "property-hostile" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.signaling-state" => "fail";
    a_property_without_a_value: "property-without-value" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.signaling-state" => "fail";
    a_property_that_is_a_list: "property-is-a-list" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.signaling-state" => "fail";
    a_property_that_throws: "property-refused" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.signaling-state" => "fail";
    a_state_of_a_megabyte: "state-of-a-megabyte" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.ice-connection-state" => "fail";
    rejects_with_megabytes: "rejects-hostile" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.add-ice-candidate" => "fail";
    listening_throws: "listen-throws" in ANSWERS => BOTH_DRIVEN,
        "webrtc.pc.add-event-listener" => "fail";

    // How many lanes it says it has.
    lanes_without_end: "parallel-without-end" in ANSWERS => BOTH_DRIVEN,
        "webrtc.call.fincert-offers" => "pass";
    no_lane_at_all: "parallel-none" in ANSWERS => BOTH_DRIVEN,
        "webrtc.call.fincert-offers" => "pass";
}

#[test]
#[ignore = "half a minute of waiting: ./test --full has it"]
fn never_resets() {
    let run = drive("silent-reset", ANSWERS);
    assert_eq!(ended(&run, ANSWERS), ["target-hung"]);
    // What was driven until then counts.
    assert_eq!(run.verdict("webrtc.call.fincert-offers", ANSWERS), "pass");
}

/// The reason says whether the bridge is alive, and nothing of what the target made fincert pass on.
#[test]
fn a_hanging_target_is_told_from_a_silent_method() {
    let detail = |run: &Run| run.transcript(ANSWERS)["ended"]["detail"].as_str().unwrap().to_owned();
    let run = drive("silent-get", ANSWERS);
    assert_eq!(detail(&run), "no answer to bridge.get within 10000 ms, but one to bridge.ping");
    let run = drive("hangs-after-a-hostile-type", ANSWERS);
    assert_eq!(ended(&run, ANSWERS), ["target-hung"]);
    let wanted = "no answer to RTCPeerConnection.setLocalDescription within 4000 ms, and none to bridge.ping";
    assert_eq!(detail(&run), wanted);
}

/// A flood of candidates within the bounds: the transcript keeps a part, says how many it leaves out, and has the states
/// all the same.
#[test]
fn of_five_hundred_candidates_a_part_is_kept() {
    let run = drive("candidates-500", ANSWERS);
    assert_eq!(ended(&run, ANSWERS), BOTH_DRIVEN);
    for requirement in ["webrtc.call.fincert-offers", "webrtc.event.iceconnectionstatechange"] {
        assert_eq!(run.verdict(requirement, ANSWERS), "pass", "{}", run.stdout);
    }
    for (emitted, omitted) in events(&run, ANSWERS, "emitted").iter().zip(events(&run, ANSWERS, "omitted")) {
        let candidates = emitted.iter().filter(|event| event["kind"] == "icecandidate").count() as u64;
        assert_eq!(candidates, 300);
        assert!((200..250).contains(&omitted[0]["count"].as_u64().unwrap()), "{omitted:?}");
    }
    for peer in events(&run, ANSWERS, "peer") {
        let handed = peer.iter().filter(|event| event["did"] == "candidate" && event["local"] == false);
        assert_eq!(handed.count(), 100, "the most that a peer is given");
    }
}

/// Why each candidate is not dialled is in the transcript; that no packet goes there, `webrtc_addresses.rs` shows.
#[test]
fn candidates_of_others_are_refused() {
    let run = drive("candidates-foreign", ANSWERS);
    assert_eq!(run.verdict("webrtc.call.fincert-offers", ANSWERS), "pass", "{}", run.stdout);
    let peers = events(&run, ANSWERS, "peer");
    assert_eq!(peers.len(), 2);
    for peer in peers {
        let handed = peer.iter().filter(|event| event["did"] == "candidate" && event["local"] == false);
        let mut why = BTreeSet::new();
        for candidate in handed {
            let text = candidate["candidate"].as_str().unwrap();
            let refused = candidate["refused"].as_str().map(|refused| refused.split(':').next().unwrap().to_owned());
            // Those of the target itself are dialled, and no other.
            assert_eq!(refused.is_some(), !text.contains(" typ host generation"), "{candidate}");
            why.extend(refused);
        }
        let all = ["blocked", "host-name", "malformed", "tcp"];
        assert_eq!(why.iter().map(String::as_str).collect::<Vec<_>>(), all);
    }
}

/// Datagrams at fincert's ports: 100,000 for each candidate that fincert told, from a hundred ports; and packets of the
/// call itself, replayed and damaged on their way. Where the call comes up all the same its media is judged as ever.
#[test]
fn floods_of_datagrams_harm_no_call() {
    for mode in ["flood-of-rtp", "flood-of-stumps", "flood-of-stun"] {
        let run = drive(mode, VIDEO);
        assert_eq!(ended(&run, VIDEO), BOTH_DRIVEN, "{mode}");
        assert_eq!(run.verdict("webrtc.call.video-only", VIDEO), "pass", "{mode}: {}", run.stdout);
    }
}

#[test]
fn replayed_and_damaged_packets_are_counted_and_condemn_nobody() {
    for mode in ["media-replayed", "media-damaged", "all-damaged"] {
        let run = drive(mode, VIDEO);
        assert_eq!(ended(&run, VIDEO), BOTH_DRIVEN, "{mode}");
        let malformed = |counted: &Value| counted["evidence"]["malformed"].as_u64().unwrap_or_default();
        let seen = events(&run, VIDEO, "counted");
        let most: Vec<u64> =
            seen.iter().map(|all| all.iter().map(|e| malformed(e)).max().unwrap_or_default()).collect();
        println!("{mode}: {most:?} malformed; {}", run.verdict("webrtc.call.video-only", VIDEO));
        assert!(most.iter().any(|count| *count > 100), "{mode}: {most:?}");
        let failed = run.judgement()["verdicts"].as_array().unwrap().iter().filter(|v| v["outcome"] == "fail");
        let failed: Vec<&Value> = failed.filter(|v| v["requirement"].as_str().unwrap().contains(".media.")).collect();
        assert!(failed.is_empty(), "{mode}: {failed:?}");
    }
}
