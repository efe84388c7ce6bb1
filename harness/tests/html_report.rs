//! The HTML report in a real browser: no script of a hostile target's runs, it says what was recorded, and ten thousand
//! scenarios leave the page light.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/page.rs"]
mod page;
#[path = "support/recorded.rs"]
mod recorded;
mod support;

use std::io::Write as _;
use std::path::Path;

use fincert::record::Writer;
use fincert_reports::Format;
use fincert_schemas::Lang;
use fincert_schemas::run::{Line, Transcript};
use page::Page;
use recorded::{Recorded, hostile};
use serde_json::{Value, json};
use support::fincert;

/// Leaves a trace if any of it is ever run.
const EVIL: &str = concat!(
    "EVIL'\"--></script></style></title></textarea></noscript></svg><script>owned(1)</script>",
    "<img src=x onerror=owned(2)><svg onload=owned(3)></svg><iframe srcdoc='<script>parent.owned(4)</script>'></iframe>",
    "<a href=javascript:owned(5) autofocus onfocus=owned(6)>x</a>${owned(7)}{{owned(8)}}\\u003cscript>owned(9)</script>",
    "<!--<script>\u{2028}\u{202e}",
);

/// What is there before the page: the trace, and a record of what the Content-Security-Policy had to stop.
const BEFORE: &str = "
    window.stopped = [];
    document.addEventListener('securitypolicyviolation', (event) => window.stopped.push(event.violatedDirective));
    window.owned = (how) => { document.documentElement.dataset.owned = how; };
    window.print = () => {};
";

/// Opens all there is, presses every button, chooses everything that can be chosen, and does so again until nothing new
/// comes to light. At the end all that was ever shown is in `window.said`.
const PRESS_EVERYTHING: &str = "(async () => {
    const rest = () => new Promise((done) => setTimeout(done, 30));
    window.said = '';
    const pressed = new Set();
    for (let round = 0; round < 12; round += 1) {
        let news = 0;
        for (const details of document.querySelectorAll('details')) if (!details.open) { details.open = true; news += 1; }
        await rest();
        for (const box of document.querySelectorAll('input[type=checkbox]')) if (!box.checked) { box.click(); news += 1; }
        for (const button of document.querySelectorAll('.panel .filters button, .evidence .filters button, .more')) {
            if (!button.isConnected) continue;
            const name = button.textContent + button.closest('section, details').textContent.length;
            if (pressed.has(name)) continue;
            pressed.add(name);
            button.click();
            news += 1;
        }
        for (const select of document.querySelectorAll('select')) for (const option of select.options) {
            select.value = option.value;
            select.dispatchEvent(new Event('change'));
        }
        const matrix = document.querySelector('.matrix');
        matrix.focus();
        for (const key of ['ArrowDown', 'ArrowRight', 'End', 'Home']) matrix.dispatchEvent(new KeyboardEvent('keydown', { key }));
        await rest();
        window.said += document.body.innerText;
        if (!news) break;
    }
    return true;
})()";

fn html(run: &Recorded, lang: Lang) -> String {
    run.rendered(Format::Html, lang)
}

/// What became of a page that was opened and pressed everywhere: the trace, what its policy stopped, all it said.
async fn pressed(page: &mut Page, file: &Path, content: &str) -> (Value, Value, String) {
    std::fs::write(file, content).unwrap();
    page.open(file).await;
    page.run(PRESS_EVERYTHING).await;
    page.run("document.querySelector('.lang')?.click()").await;
    page.run(PRESS_EVERYTHING).await;
    page.run("scrollTo(0, 1e9)").await;
    let owned = page.run("document.documentElement.dataset.owned ?? null").await;
    let stopped = page.run("window.stopped").await;
    (owned, stopped, page.run("window.said").await.as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_of_a_hostile_target_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let mut page = Page::new(BEFORE).await;
    let run = hostile(EVIL);
    for lang in [Lang::Zh, Lang::En] {
        let good = html(&run, lang);
        let (owned, stopped, said) = pressed(&mut page, &file, &good).await;
        assert_eq!((owned, stopped), (Value::Null, json!([])), "a script ran, or the policy had to stop one");
        assert_eq!(page.complaints, Vec::<String>::new());
        // It is there, as text, and what deceives is written out.
        assert!(said.matches("<img src=x onerror=owned(2)>").count() > 50, "{}", said.matches("EVIL").count());
        assert!(said.contains("\\u{202e}") && !said.contains('\u{202e}'));
        let elements = page.run("[...document.querySelectorAll('img, iframe, object, embed, link, script[src], [onload], [onerror], [onfocus], a:not([href^=\"#\"])')].length").await;
        assert_eq!(elements, 0);
    }

    // The same page with its escapes undone: the policy stops what would run, and without the policy it does run. So this
    // test can fail, by either.
    let good = html(&run, Lang::En);
    let naked = good.replace("\\u003c", "<").replace("\\u003e", ">").replace("&lt;", "<").replace("&gt;", ">");
    assert_ne!(naked, good);
    let (owned, stopped, _) = seen(&mut page, &file, &naked).await;
    assert_eq!(owned, Value::Null, "the policy is the second line of defence");
    assert!(!stopped.as_array().unwrap().is_empty());
    let bare = naked.replacen("Content-Security-Policy", "nothing", 1);
    let (owned, _, _) = seen(&mut page, &file, &bare).await;
    assert_ne!(owned, Value::Null, "with neither escapes nor policy it runs");
}

/// A page that may be too broken to press anything.
async fn seen(page: &mut Page, file: &Path, content: &str) -> (Value, Value, ()) {
    std::fs::write(file, content).unwrap();
    page.open(file).await;
    page.run("new Promise((done) => setTimeout(done, 300))").await;
    (page.run("document.documentElement.dataset.owned ?? null").await, page.run("window.stopped").await, ())
}

/// A record as a killed run leaves it, and what `fincert report` makes of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_record_that_was_cut_off_is_shown_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let run = hostile(EVIL);
    let path = folder.path().join("cut.jsonl");
    let mut writer = Writer::create(&path).unwrap();
    writer.line(&Line::Run(run.header)).unwrap();
    for session in run.sessions {
        writer.line(&Line::Session(session)).unwrap();
    }
    for transcript in run.transcripts {
        writer.line(&Line::Transcript(transcript)).unwrap();
    }
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"line\":\"transcript\",\"scen").unwrap();
    let output = fincert(folder.path(), &["report", "cut.jsonl", "--report", "html=out/report.html"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("cut off"), "{stderr}");
    let mut page = Page::new(BEFORE).await;
    page.open(&folder.path().join("out/report.html")).await;
    page.run(PRESS_EVERYTHING).await;
    assert_eq!(page.run("document.documentElement.dataset.owned ?? null").await, Value::Null);
    assert_eq!(page.run("window.stopped").await, json!([]));
    let said = page.run("window.said").await.as_str().unwrap().to_owned();
    assert!(said.contains("EVIL") && said.contains("broken off"));
    assert_eq!(page.complaints, Vec::<String>::new());
}

/// What a panel of the first open transcript holds.
const PANELS: &str = "(async () => {
    const rest = () => new Promise((done) => setTimeout(done, 50));
    for (const details of document.querySelectorAll('details')) details.open = true;
    await rest();
    const panels = [...document.querySelectorAll('.panel')].find((panel) => panel.isConnected);
    const press = async (word) => {
        const buttons = [...panels.parentElement.querySelectorAll(':scope > .filters button')];
        buttons.find((button) => button.textContent === word).click();
        await rest();
    };
    const texts = (selector) => [...panels.querySelectorAll(selector)].map((one) => one.textContent);
    const found = {};
    await press('Time line');
    found.lanes = texts('svg.timeline .lane .name');
    found.states = texts('svg.timeline .lane rect.state + text');
    found.vain = panels.querySelectorAll('svg.timeline rect.mark.vain').length;
    found.media = panels.querySelectorAll('svg.timeline rect.mark.media').length;
    found.inside = [...panels.querySelectorAll('svg.timeline rect')].every((one) => one.getBBox().width > 0 && one.getBBox().x + one.getBBox().width <= 960);
    await press('SDP');
    found.note = texts('.note')[0];
    found.heads = texts('table.sdp thead th');
    found.changed = texts('table.sdp tr.changed mark').length;
    found.sections = texts('table.sdp tr.part th');
    const [left, right] = panels.querySelectorAll('select');
    right.value = left.value;
    right.dispatchEvent(new Event('change'));
    await rest();
    found.same = texts('.note')[0];
    await press('Candidates and pair');
    found.tables = [...panels.querySelectorAll('table')].map((table) => table.textContent);
    return found;
})()";

/// The SDP with what differs, candidates and pair, and the time line of a real flow that fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_fails_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let output = fincert(
        folder.path(),
        &[
            "certify",
            "--filter",
            "webrtc.offerer-swap.target-first",
            "--integration",
            "integrated",
            "--defect",
            "media-stops-when-the-other-offers",
            "--report",
            "html=report.html",
        ],
    )
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let mut page = Page::new(BEFORE).await;
    page.open(&folder.path().join("report.html")).await;
    if page.run("document.documentElement.lang").await != "en" {
        page.run("document.querySelector('.lang').click()").await;
    }
    let found = page.run(PANELS).await;
    let has =
        |list: &str, text: &str| found[list].as_array().unwrap().iter().any(|one| one.as_str().unwrap().contains(text));
    for lane in ["signalling · fincert", "ICE · fincert", "DTLS · fincert", "audio received", "waited in vain"] {
        assert!(has("lanes", lane), "{lane}: {found}");
    }
    assert!(has("states", "connected"), "{found}");
    assert!(found["vain"].as_u64().unwrap() >= 1 && found["media"].as_u64().unwrap() >= 2, "{found}");
    assert_eq!(found["inside"], true, "{found}");
    assert!(found["note"].as_str().unwrap().contains("differ") && found["changed"].as_u64().unwrap() > 4, "{found}");
    assert!(has("heads", "offer") && has("heads", "answer") && has("sections", "m=audio"), "{found}");
    assert_eq!(found["same"], "0 lines differ");
    assert!(has("tables", "host") && has("tables", "127.0.0.1") && has("tables", "TLS_"), "{found}");
    assert_eq!(page.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_scenarios_leave_the_page_light() {
    let mut run = hostile("x");
    let one = run.transcripts[0].clone();
    let verdicts = run.judgement.verdicts.clone();
    run.judgement.findings.clear();
    run.judgement.causes.clear();
    run.transcripts =
        (0..10_000).map(|n| Transcript { scenario: format!("many.{n}"), events: Vec::new(), ..one.clone() }).collect();
    run.judgement.verdicts = (0..10_000)
        .flat_map(|n| verdicts.iter().map(move |v| (n, v)))
        .map(|(n, verdict)| fincert_schemas::run::Verdict { scenario: format!("many.{n}"), ..verdict.clone() })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, html(&run, Lang::En)).unwrap();
    let mut page = Page::new(BEFORE).await;
    page.open(&file).await;
    let count = "document.querySelectorAll('*').length";
    assert!(page.run(count).await.as_u64().unwrap() < 15_000);
    // Far to the right the matrix shows the last scenario, and the page is no heavier.
    let name = page
        .run(
            "new Promise((done) => {
            const matrix = document.querySelector('.matrix');
            matrix.scrollLeft = matrix.scrollWidth;
            setTimeout(() => done([...matrix.querySelectorAll('.matrix-heads span')].pop().textContent), 200);
        })",
        )
        .await;
    assert_eq!(name, "many.9999");
    let found = page
        .run(
            "new Promise((done) => {
            const search = document.querySelector('#scenarios input');
            search.value = 'many.7777';
            search.dispatchEvent(new Event('input'));
            setTimeout(() => done(document.querySelectorAll('#scenarios .row').length), 400);
        })",
        )
        .await;
    assert_eq!(found, 1);
    assert!(page.run(count).await.as_u64().unwrap() < 15_000);
    assert_eq!(page.complaints, Vec::<String>::new());
}

#[test]
fn where_it_cannot_be_written_nothing_is_left_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let run = hostile("x");
    let path = folder.path().join("run.jsonl");
    Writer::create(&path).unwrap().line(&Line::Run(run.header)).unwrap();
    let header = std::fs::read_to_string(&path).unwrap();
    std::fs::write(folder.path().join("future.jsonl"), header.replace("\"record\":1", "\"record\":99")).unwrap();
    std::fs::write(folder.path().join("foreign.jsonl"), "{\"hello\": 1}\n").unwrap();
    std::fs::create_dir(folder.path().join("dir")).unwrap();
    let before = std::fs::read_dir(folder.path()).unwrap().count();
    for (record, report, code, said) in [
        ("run.jsonl", "html=dir", 2, "dir"),
        ("run.jsonl", "html=/dev/full", 2, "No space left"),
        ("run.jsonl", "html=/proc/fincert/report.html", 2, "/proc/fincert"),
        ("run.jsonl", "pdf=report.pdf", 2, "html"),
        ("missing.jsonl", "html=report.html", 2, "missing.jsonl"),
        ("future.jsonl", "html=report.html", 4, "record version 99"),
        ("foreign.jsonl", "html=report.html", 4, "no run record"),
    ] {
        let output = fincert(folder.path(), &["report", record, "--report", report]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{report}: {stderr}");
        assert!(stderr.contains(said), "{report}: {stderr}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before, "{report}");
    }
    assert!(std::fs::read_dir(folder.path().join("dir")).unwrap().next().is_none());
}
