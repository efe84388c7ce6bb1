//! A small run, made by hand: a certified capability, a failing one with two requirements under one cause,
//! a warning, a target that broke off, an unexpected pass, a hostile string and a very long one.

use fincert_reports::{Run, Standing};
use fincert_schemas::bridge::{CallStyle, Hello, Integration};
use fincert_schemas::run::{
    Accuracy, CAPTURE_VERSION, CauseGroup, Certification, Decision, Ended, Finding, Judgement, Missing, Outcome,
    RECORD_VERSION, Reason, RequirementVerdict, RunHeader, Session, Transcript, Verdict,
};
use fincert_schemas::{Bilingual, Ledger, Level};

/// Owns what a [`Run`] borrows.
pub(crate) struct Fixture {
    pub(crate) header: RunHeader,
    pub(crate) sessions: Vec<Session>,
    pub(crate) transcripts: Vec<Transcript>,
    pub(crate) judgement: Judgement,
    pub(crate) ledger: Ledger,
}

impl Fixture {
    pub(crate) fn run(&self) -> Run<'_> {
        Run {
            header: &self.header,
            sessions: &self.sessions,
            transcripts: &self.transcripts,
            judgement: &self.judgement,
            ledger: &self.ledger,
            digests: &[],
            replay: &|scenario| {
                format!(
                    "fincert certify --target 'stdio:./acme-bridge --port 7001' --seed 42 --filter 'scenario = {scenario}'"
                )
            },
        }
    }
}

pub(crate) const EVERY: &str = r#"
clause: "1"
title: {zh: 使用背景, en: Background}
profile: every
requirements:
  - id: integration.answers
    level: MUST
    quote: ["如果 App 集成了 SDK + 实现联调的 SDK,此时小程序可以直接调用 API,并实现相关功能目标;"]
    zh: App 已集成并联调相关 SDK，或已由宿主自定义注册 API 时，每一次参数合法的调用都必须得到应答。
    en: Where the SDK is integrated, or the host has registered the API itself, every call with a valid request is answered.
  - id: integration.absent-silent
    level: MUST
    quote: []
    zh: App 未集成联调成功的功能 SDK 时，调用金融场景 API 必须无响应。
    en: Where the functional SDK is absent, a call gets no response.
"#;

const OCR: &str = r#"
clause: "2.1"
title: {zh: OCR卡片识别, en: OCR card recognition}
profile: ocr
requirements:
  - id: ocr.result.error-code
    level: MUST
    quote: ["errorCode Int 0 识别结果,0表示成功"]
    zh: 返回结果必须包含整数 errorCode，0 表示识别成功。
    en: The result carries the integer errorCode, in which 0 stands for success.
  - id: ocr.result.description
    level: MUST
    quote: ["description String 识别结果描述"]
    zh: 返回结果中如有 description，必须为字符串。
    en: Where the result carries description, it is a string.
  - id: ocr.result.fields-not-empty
    level: SHOULD
    quote: []
    zh: 图片中清晰可见的项目，识别结果中的相应字段不宜为空。
    en: A field that the picture shows is not left empty in the result.
  - id: ocr.result.bank-card.card-no
    level: MUST
    quote: ["cardNo String 银行卡号"]
    zh: 银行卡识别成功时，结果必须包含字符串 cardNo。
    en: The result of a recognised bank card carries the string cardNo.
    capability: "ocr:BankCard"
  - id: ocr.result.id-card.face
    level: MUST
    quote: ["face 0:正面, 1:反面"]
    zh: 身份证识别成功时，结果必须包含 face，其值为整数 0（正面）或 1（反面）。
    en: The result of a recognised identity card carries face, the integer 0 (front) or 1 (back).
    capability: "ocr:IDCard"
  - id: ocr.result.id-card.face.front
    level: MUST
    quote: ["face 0:正面"]
    zh: 识别身份证正面时，face 必须为 0。
    en: For the front of an identity card face is 0.
    capability: "ocr:IDCard"
  - id: ocr.result.id-card.name
    level: MUST
    quote: ["name String 姓名"]
    zh: 识别身份证正面成功时，结果必须包含字符串 name（姓名）。
    en: The result of a recognised front carries the string name.
    capability: "ocr:IDCard"
  - id: ocr.request.type.busi-cert
    level: MUST
    quote: ['"BusiCert":企业营业执照识别']
    zh: type 为 "BusiCert" 且 errorCode 为 0 时，必须返回企业营业执照的识别结果。
    en: A request of the type "BusiCert" that is answered with errorCode 0 gives a business licence's result.
    capability: "ocr:BusiCert"
"#;

const LIVENESS: &str = r#"
clause: "2.3"
title: {zh: 活体检测, en: Liveness check}
profile: liveness
requirements:
  - id: liveness.result
    level: MUST
    quote: []
    zh: 活体检测成功时，必须返回结果对象。
    en: A successful liveness check gives a result object.
"#;

/// Moves the cursor, sets the window's title, turns the direction of writing.
pub(crate) const HOSTILE: &str =
    "string \"\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31mPASS\u{202e}gnp.\u{feff}\r\n]]>&<evil/>\u{0}\u{fffe}\"";

pub(crate) fn both(zh: &str, en: &str) -> Bilingual {
    Bilingual::new(zh, en)
}

pub(crate) fn missing(requirement: &str, outcome: Outcome, reason: Option<Reason>) -> Missing {
    Missing { requirement: requirement.into(), outcome, reason }
}

pub(crate) fn certification(
    name: &str,
    decision: Decision,
    must: (u32, u32),
    warnings: u32,
    missing: Vec<Missing>,
) -> Certification {
    Certification { name: name.into(), decision, reason: None, must: must.1, must_met: must.0, warnings, missing }
}

pub(crate) fn verdict(requirement: &str, scenario: &str, outcome: Outcome) -> Verdict {
    Verdict { requirement: requirement.into(), scenario: scenario.into(), outcome, reason: None }
}

pub(crate) fn overall(
    ledger: &Ledger,
    id: &str,
    outcome: Outcome,
    reason: Option<Reason>,
    exercised_in: u32,
) -> RequirementVerdict {
    let requirement = ledger.get(id).expect("the fixture's ledger knows it");
    let (clause, level) = (requirement.clause.clone(), requirement.level);
    RequirementVerdict { requirement: id.into(), clause, level, outcome, reason, exercised_in }
}

fn transcript(scenario: &str, ended: Ended) -> Transcript {
    Transcript { scenario: scenario.into(), session: 1, referee: None, events: Vec::new(), ended }
}

pub(crate) fn cause(
    cause: &str,
    outcome: Outcome,
    requirements: &[&str],
    scenarios: &[&str],
    first: u32,
    count: u32,
) -> CauseGroup {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    CauseGroup {
        cause: cause.into(),
        outcome,
        requirements: own(requirements),
        scenarios: own(scenarios),
        first,
        count,
    }
}

fn ledger() -> Ledger {
    let files = [("1.yaml", EVERY), ("2.1.yaml", OCR), ("2.3.yaml", LIVENESS)];
    Ledger::read(files.map(|(name, text)| (name.to_owned(), text))).expect("the fixture's ledger is sound")
}

pub(crate) fn hello() -> Hello {
    Hello {
        protocol: 1,
        name: "Acme\u{1b}[31m Card OCR 艾克米".into(),
        version: "2.3.1".into(),
        platform: "android".into(),
        integration: Integration::Integrated,
        call_style: CallStyle::Callbacks,
        capabilities: vec!["ocr:BankCard".into(), "ocr:IDCard".into()],
        human: false,
        simulated: false,
        parallel: 1,
    }
}

pub(crate) fn header() -> RunHeader {
    RunHeader {
        record: RECORD_VERSION,
        capture: CAPTURE_VERSION,
        fincert: "0.1.0".into(),
        seed: 42,
        began: "2026-01-01T00:00:00Z".into(),
        target: "stdio:./acme-bridge --port 7001".into(),
        mock: false,
        defect: None,
        profiles: Vec::new(),
        filter: None,
        options: Vec::new(),
        set: Vec::new(),
        revealed: false,
        scenarios: vec!["ocr/bank-card/clear".into(), "ocr/id-card/front".into()],
        known_failing: vec!["ocr.result.error-code @ ocr/bank-card/clear".into()],
        ..RunHeader::default()
    }
}

/// Everything is certified.
pub(crate) fn green() -> Fixture {
    let ledger = ledger();
    let ids = ["integration.answers", "ocr.result.error-code", "ocr.result.bank-card.card-no"];
    let judgement = Judgement {
        suites: "0.1.0".into(),
        standing: Standing::Certified,
        asked: vec!["ocr".into()],
        certifications: vec![
            certification("ocr", Decision::Certified, (3, 3), 0, vec![]),
            certification("ocr:BankCard", Decision::Certified, (3, 3), 0, vec![]),
        ],
        requirements: ids.iter().map(|id| overall(&ledger, id, Outcome::Pass, None, 1)).collect(),
        verdicts: ids.iter().map(|id| verdict(id, "ocr/bank-card/clear", Outcome::Pass)).collect(),
        ..Judgement::default()
    };
    let mut header = header();
    header.known_failing.clear();
    header.mock = true;
    header.target = "mock".into();
    let session = Session { session: 1, hello: Hello { name: "fincert mock host".into(), ..hello() } };
    let transcripts = vec![transcript("ocr/bank-card/clear", Ended::Driven)];
    Fixture { header, sessions: vec![session], transcripts, judgement, ledger }
}

/// Everything that can go wrong.
pub(crate) fn red() -> Fixture {
    let ledger = ledger();
    let face = ["ocr.result.id-card.face", "ocr.result.id-card.face.front"];
    let broken = ["ocr.result.id-card.name", "integration.answers"];
    let gone = Some(Reason::TargetExited);
    let fail = |id: &str| missing(id, Outcome::Fail, None);

    let id_card = vec![fail(face[0]), fail(face[1]), missing(broken[0], Outcome::CouldNotRun, gone)];
    let mut ocr = id_card.clone();
    ocr.insert(0, fail("ocr.result.description"));
    ocr.push(missing("ocr.request.type.busi-cert", Outcome::NotExercised, Some(Reason::NotDeclared)));
    let mut certifications = vec![
        certification("ocr", Decision::NotCertified, (3, 8), 2, ocr),
        certification("ocr:BankCard", Decision::Certified, (3, 3), 1, vec![]),
        certification("ocr:IDCard", Decision::NotCertified, (2, 5), 2, id_card),
        certification("ocr:BusiCert", Decision::NotAsked, (0, 1), 0, vec![]),
        certification("liveness", Decision::NotAsked, (0, 1), 0, vec![]),
        certification("webrtc", Decision::NotOffered, (0, 2), 0, vec![]),
    ];
    certifications[3].reason = Some(Reason::NotDeclared);
    certifications[4].reason = Some(Reason::NeedsPerson);
    certifications[5].missing = (1..=7)
        .map(|n| missing(&format!("webrtc.sdp.rule-{n}"), Outcome::NotExercised, Some(Reason::NoCheck)))
        .collect();

    let mut verdicts = vec![
        verdict("integration.answers", "ocr/bank-card/clear", Outcome::Pass),
        verdict("integration.answers", "ocr/id-card/crumpled", Outcome::CouldNotRun),
        verdict("ocr.result.error-code", "ocr/bank-card/clear", Outcome::Pass),
        verdict("ocr.result.description", "ocr/id-card/front", Outcome::Fail),
        verdict("ocr.result.fields-not-empty", "ocr/bank-card/clear", Outcome::Warn),
        verdict("ocr.result.bank-card.card-no", "ocr/bank-card/clear", Outcome::Pass),
        verdict(face[0], "ocr/id-card/front", Outcome::Fail),
        verdict(face[0], "ocr/id-card/back", Outcome::Fail),
        verdict(face[0], "ocr/id-card/turned", Outcome::Fail),
        verdict(face[1], "ocr/id-card/front", Outcome::Fail),
        verdict(broken[0], "ocr/id-card/crumpled", Outcome::CouldNotRun),
    ];
    for verdict in verdicts.iter_mut().filter(|v| v.outcome == Outcome::CouldNotRun) {
        verdict.reason = gone;
    }

    Fixture {
        judgement: Judgement {
            suites: "0.1.0".into(),
            standing: Standing::UnexpectedPass,
            asked: vec!["ocr".into()],
            certifications,
            requirements: vec![
                overall(&ledger, "integration.answers", Outcome::CouldNotRun, gone, 2),
                overall(&ledger, "integration.absent-silent", Outcome::NotApplicable, Some(Reason::ConditionNotMet), 0),
                overall(&ledger, "ocr.result.error-code", Outcome::Pass, None, 1),
                overall(&ledger, "ocr.result.description", Outcome::Fail, None, 1),
                overall(&ledger, "ocr.result.fields-not-empty", Outcome::Warn, None, 1),
                overall(&ledger, "ocr.result.bank-card.card-no", Outcome::Pass, None, 1),
                overall(&ledger, face[0], Outcome::Fail, None, 3),
                overall(&ledger, face[1], Outcome::Fail, None, 1),
                overall(&ledger, broken[0], Outcome::CouldNotRun, gone, 1),
                overall(&ledger, "ocr.request.type.busi-cert", Outcome::NotExercised, Some(Reason::NotDeclared), 0),
                overall(&ledger, "liveness.result", Outcome::NotExercised, Some(Reason::NeedsPerson), 0),
            ],
            verdicts,
            findings: findings(&face, &broken),
            causes: vec![
                cause(
                    "schema:/recogResult/cardType",
                    Outcome::Warn,
                    &["ocr.result.fields-not-empty"],
                    &["ocr/bank-card/clear"],
                    0,
                    1,
                ),
                cause(
                    "schema:/face",
                    Outcome::Fail,
                    &face,
                    &["ocr/id-card/front", "ocr/id-card/back", "ocr/id-card/turned"],
                    1,
                    4,
                ),
                cause("schema:/description", Outcome::Fail, &["ocr.result.description"], &["ocr/id-card/front"], 5, 1),
                cause("gone:1", Outcome::CouldNotRun, &broken, &["ocr/id-card/crumpled"], 6, 2),
            ],
            accuracy: vec![
                Accuracy { field: "BankCard/cardNo".into(), compared: 6, equal: 6, similarity: 1000 },
                Accuracy { field: "IDCard/address".into(), compared: 4, equal: 1, similarity: 873 },
                Accuracy { field: "IDCard/name".into(), compared: 12, equal: 11, similarity: 988 },
            ],
            unexpected_passes: vec!["ocr.result.error-code @ ocr/bank-card/clear".into()],
            expected_failures: 0,
        },
        header: header(),
        sessions: vec![Session { session: 1, hello: hello() }, Session { session: 2, hello: hello() }],
        transcripts: vec![
            transcript("ocr/bank-card/clear", Ended::Driven),
            transcript("ocr/id-card/front", Ended::Driven),
            transcript("ocr/id-card/back", Ended::Driven),
            transcript("ocr/id-card/turned", Ended::Driven),
            transcript(
                "ocr/id-card/crumpled",
                Ended::Broken { reason: Reason::TargetExited, detail: "exit status 139".into() },
            ),
            transcript("liveness/blink", Ended::Skipped { reason: Reason::NeedsPerson }),
        ],
        ledger,
    }
}

fn findings(face: &[&str; 2], broken: &[&str; 2]) -> Vec<Finding> {
    let empty = Finding {
        requirement: "ocr.result.fields-not-empty".into(),
        scenario: "ocr/bank-card/clear".into(),
        step: Some(1),
        outcome: Outcome::Warn,
        check: "ocr.truth".into(),
        cause: "schema:/recogResult/cardType".into(),
        at: Some("/recogResult/cardType".into()),
        expected: both("图片所示的内容", "what the picture shows"),
        actual: "the empty string".into(),
        hint: None,
    };
    let wrong_face = |requirement: &str, scenario: &str| Finding {
        requirement: requirement.into(),
        scenario: scenario.into(),
        outcome: Outcome::Fail,
        check: "ocr.schema".into(),
        cause: "schema:/face".into(),
        at: Some("/face".into()),
        expected: both("整数 0 或 1", "the integer 0 or 1"),
        actual: "array of 2".into(),
        hint: Some(both(
            "该表中的“0:正面, 1:反面”列举的是两个取值，不是一个包含两者的数组；每次识别只返回其中之一。",
            "The table's “0:正面, 1:反面” lists two values, not an array that holds both; a result carries one of them.",
        )),
        ..empty.clone()
    };
    let hostile = Finding {
        requirement: "ocr.result.description".into(),
        cause: "schema:/description".into(),
        at: Some("/description".into()),
        expected: both("字符串，不含控制字符", "a string without control characters"),
        actual: format!("{HOSTILE} {}", "很长的文字".repeat(200)),
        hint: None,
        ..wrong_face("", "ocr/id-card/front")
    };
    let gone = |requirement: &str| Finding {
        requirement: requirement.into(),
        scenario: "ocr/id-card/crumpled".into(),
        step: Some(2),
        outcome: Outcome::CouldNotRun,
        check: "run.ended".into(),
        cause: "gone:1".into(),
        at: None,
        expected: both("目标应答调用", "the target answers the call"),
        actual: "exit status 139 while ft.finCardOcr was pending".into(),
        hint: None,
    };
    vec![
        empty.clone(),
        wrong_face(face[0], "ocr/id-card/front"),
        wrong_face(face[1], "ocr/id-card/front"),
        wrong_face(face[0], "ocr/id-card/back"),
        wrong_face(face[0], "ocr/id-card/turned"),
        hostile,
        gone(broken[0]),
        gone(broken[1]),
    ]
}

/// Fails just as it was declared to.
pub(crate) fn as_expected() -> Fixture {
    let mut fixture = red();
    let judgement = &mut fixture.judgement;
    judgement.standing = Standing::AsExpected;
    judgement.unexpected_passes.clear();
    judgement.certifications.truncate(3);
    judgement.certifications[0].missing.pop();
    let bad = |outcome| matches!(outcome, Outcome::Fail | Outcome::CouldNotRun);
    let known = judgement.verdicts.iter().filter(|v| bad(v.outcome));
    fixture.header.known_failing = known.map(|v| format!("{} @ {}", v.requirement, v.scenario)).collect();
    judgement.expected_failures = fixture.header.known_failing.len() as u32;
    fixture
}

/// The levels are what the ledger says.
#[test]
fn the_fixture_is_sound() {
    for verdict in red().judgement.requirements {
        assert!(verdict.level <= Level::May);
    }
}
