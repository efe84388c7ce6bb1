//! WebRTC flows in every document: time lines, times, referees.

use fincert_reports::{FlowTimes, Format, MIN_WIDTH, Style, Tally, render};
use fincert_schemas::Lang;
use fincert_schemas::run::flow::{Act, Flow, PeerDid, Referee, Referees};
use fincert_schemas::run::{Ended, Reason, Transcript, What};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::calls::{self, Script};
use crate::fixture::{Fixture, HOSTILE};

const EN: Style = Style { color: false, width: 80, lang: Lang::En };
const ZH: Style = Style { color: false, width: 80, lang: Lang::Zh };

fn document(format: Format, fixture: &Fixture, style: Style) -> String {
    let mut out = Vec::new();
    render(format, &fixture.run(), &style, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

fn text(fixture: &Fixture, style: Style) -> String {
    document(Format::Text, fixture, style)
}

/// The system-out of a case: its time lines alone.
fn lines_of(transcripts: Vec<Transcript>, lang: Lang) -> String {
    let mut fixture = calls::flows();
    for transcript in &transcripts {
        assert_eq!(transcript.scenario, "webrtc.no-video");
    }
    fixture.transcripts = transcripts;
    let xml = document(Format::Junit, &fixture, Style { lang, ..EN });
    let begin = xml.find("<system-out>").expect("a case has its time line") + "<system-out>".len();
    let end = begin + xml[begin..].find("</system-out>").expect("it ends");
    xml[begin..end].replace("&apos;", "'").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}

#[test]
fn flows_english() {
    insta::assert_snapshot!(text(&calls::flows(), EN));
}

#[test]
fn flows_chinese() {
    insta::assert_snapshot!(text(&calls::flows(), ZH));
}

#[test]
fn flows_in_colour() {
    insta::assert_snapshot!(text(&calls::flows(), Style { color: true, ..EN }).replace('\u{1b}', "␛"));
}

#[test]
fn flows_junit() {
    insta::assert_snapshot!(document(Format::Junit, &calls::flows(), EN));
}

#[test]
fn flows_json() {
    let value: Value = serde_json::from_str(&document(Format::Json, &calls::flows(), EN)).expect("it is JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&value["flows"]).expect("it is JSON again"));
    assert_eq!(value["scenarios"][6]["referee"], "str0m");
    // A judgement holds no times.
    let judgement = value["judgement"].to_string();
    assert!(!judgement.contains("waitedMs") && !judgement.contains("durationMs"));
}

#[test]
fn a_good_call() {
    let good = || vec![calls::good("webrtc.no-video", Referee::WebrtcRs)];
    insta::assert_snapshot!(format!("{}{}", lines_of(good(), Lang::En), lines_of(good(), Lang::Zh)));
}

#[test]
fn a_call_without_video_ends_with_what_was_awaited() {
    let lines = lines_of(vec![calls::no_video("webrtc.no-video", Referee::WebrtcRs)], Lang::En);
    let last = lines.lines().last().expect("there are lines");
    assert_eq!(
        last.split_whitespace().collect::<Vec<_>>().join(" "),
        "──── media: waited 6000 ms, from 78 ms on, at fincert's end for RTP of video; instead: 51 packets of audio \
         (payload type 111)"
    );
}

#[test]
fn a_target_that_hangs() {
    let hang = || vec![calls::hang("webrtc.no-video")];
    insta::assert_snapshot!(format!("{}{}", lines_of(hang(), Lang::En), lines_of(hang(), Lang::Zh)));
}

#[test]
fn a_referee_that_cannot_drive_the_flow_says_so() {
    let skipped = Transcript {
        events: Vec::new(),
        ended: Ended::Skipped { reason: Reason::RefereeUnable },
        ..calls::good("webrtc.no-video", Referee::Str0m)
    };
    let transcripts = vec![calls::no_video("webrtc.no-video", Referee::WebrtcRs), skipped];
    let lines = lines_of(transcripts.clone(), Lang::En);
    assert!(lines.ends_with("This referee cannot drive the flow.\n"), "{lines}");
    assert_eq!(transcripts.iter().filter_map(FlowTimes::of).count(), 1, "what was not driven took no time");
    let tally = Tally::of(&calls::flows().judgement, &transcripts);
    assert_eq!((tally.scenarios, tally.driven, tally.skipped), (1, 1, 0));
}

/// Whatever a target does, a time line stays short and holds nothing that could deceive.
#[test]
fn a_time_line_is_short() {
    let mut script = Script::new(Flow::Call);
    for index in 0..300_u64 {
        script.call(index, &format!("RTCPeerConnection.method{index}"), json!({}), json!({"$handle": HOSTILE}));
        let error = json!({"name": HOSTILE.repeat(50), "message": "长".repeat(5_000)});
        script.refused(index, &format!("RTCPeerConnection.other{index}"), None, error);
        script.unanswered(index, &format!("RTCPeerConnection.silent{index}"), 5_000, true);
        script.peer(index, PeerDid::Ice { state: HOSTILE.into() });
        script.peer(index, PeerDid::Failed { method: HOSTILE.into(), why: HOSTILE.repeat(100) });
        script.at(index, What::Act { act: Act::Media });
        script.at(index, What::Gone { status: HOSTILE.into() });
    }
    let detail = HOSTILE.repeat(100);
    let ended = Ended::Broken { reason: Reason::TargetExited, detail };
    let lines = lines_of(vec![script.ends("webrtc.no-video", Referee::WebrtcRs, ended)], Lang::En);
    // A heading, and sixteen entries.
    assert_eq!(lines.trim_matches('\n').lines().count(), 1 + 16, "{lines}");
    assert!(lines.lines().all(|line| line.chars().count() < 1_200 && !line.chars().any(char::is_control)), "{lines}");
    assert!(lines.contains(" more left out"), "{lines}");

    // Waits alone, and no more entries than fit beside what is said of the rest.
    let mut script = Script::new(Flow::Call);
    for index in 0..12 {
        script.call(index, &format!("RTCPeerConnection.method{index}"), json!({}), json!({}));
    }
    for index in 0..9 {
        script.unanswered(100 + index, &format!("RTCPeerConnection.silent{index}"), 5_000, true);
    }
    let lines = lines_of(vec![script.ends("webrtc.no-video", Referee::WebrtcRs, Ended::Driven)], Lang::En);
    assert_eq!(lines.trim_matches('\n').lines().count(), 1 + 16, "{lines}");
    assert!(lines.contains("silent0") && lines.contains("silent8") && lines.contains("… 6 more left out"), "{lines}");
}

#[test]
fn many_failing_flows_are_not_all_shown() {
    let fixture = calls::many();
    let english = text(&fixture, EN);
    assert_eq!(english.matches("    timeline  webrtc-rs\n").count(), 5, "{english}");
    assert!(
        english.contains("\nThe timelines of 3 more flows are in the JUnit report: --report junit=PATH\n"),
        "{english}"
    );
    assert!(english.contains("  … and 2 more\n\nsummary"), "the times of the longest ten are listed: {english}");
    assert!(text(&fixture, ZH).contains("\n另有 3 个流程的经过见 JUnit 报告：--report junit=PATH\n"));
    // There they are indeed.
    assert_eq!(document(Format::Junit, &calls::flows(), EN).matches("<system-out>").count(), 6);
}

#[test]
fn who_drove_the_flows_is_said_at_the_top() {
    let mut fixture = calls::flows();
    let head = |fixture: &Fixture, style: Style| -> String {
        text(fixture, style).lines().take_while(|line| !line.is_empty()).last().unwrap_or_default().to_owned()
    };
    assert_eq!(head(&fixture, EN), "referees  webrtc-rs, and str0m where in doubt (2 flows)");
    assert_eq!(head(&fixture, ZH), "裁判  webrtc-rs，有疑问时由 str0m 再驱动（2 个流程）");
    fixture.header.referee = Some(Referees::Both);
    assert_eq!(head(&fixture, EN), "referees  webrtc-rs and str0m, each flow by both");
    fixture.header.referee = Some(Referees::Str0m);
    assert_eq!(head(&fixture, EN), "referees  str0m alone");
    fixture.transcripts.clear();
    assert!(!text(&fixture, EN).contains("str0m"), "without flows there are no referees");
}

#[test]
fn no_line_of_a_flow_is_wider_than_asked() {
    for fixture in [calls::flows(), calls::many()] {
        for lang in [Lang::Zh, Lang::En] {
            for width in (MIN_WIDTH..121).step_by(3) {
                for line in text(&fixture, Style { color: false, width, lang }).lines() {
                    assert!(line.width() <= width, "{} columns of {width}: {line}", line.width());
                    assert_eq!(line, line.trim_end());
                    assert!(!line.chars().any(char::is_control));
                }
            }
        }
    }
}
