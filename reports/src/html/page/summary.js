// What a manager reads: how the run stands, what was decided, and how many requirements have which verdict.

function notes() {
  const list = [];
  const add = (kind, text) => list.push(h("p", { class: `banner ${kind}` }, text));
  if (D.mock) {
    add("info", t("本次认证的是 fincert 自带的模拟宿主，不是任何集成。", "This certifies fincert's own mock host and not an integration."));
  } else if (D.sessions.some((one) => one.hello.simulated)) {
    add("info", t("目标声明真人操作由其模拟（simulated），需要真人的场景并未由真人完成。",
      "The target says that it simulates the person: no person did what the scenarios with a person ask for."));
  }
  if (D.header.defect) add("warn", t(`模拟宿主带有缺陷 ${D.header.defect}。`, `The mock host was given the defect ${D.header.defect}.`));
  const chosenBy = [D.header.own && "--scenarios", D.header.filter && `--filter ${D.header.filter}`].filter(Boolean).join(" ");
  if (chosenBy) {
    add("warn", t(`只运行了部分场景：${chosenBy}。部分运行不作认证。`,
      `Only some scenarios were run: ${chosenBy}. A run of some does not certify.`));
  }
  if (D.header.revealed) {
    add("fail", t("本报告含未脱敏的数据（--reveal），请勿外传。", "This report holds values that are not masked (--reveal). Do not pass it on."));
  }
  if (D.sessions.length === 0) add("fail", t("目标未曾应答 bridge.hello。", "The target never said hello."));
  return list;
}

/** The standing in a sentence that needs no knowledge of fincert. */
function sentence() {
  const asked = D.decisions.filter((one) => !one.name.includes(":"));
  const certified = asked.filter((one) => one.decision === "certified").length;
  const decided = certified + asked.filter((one) => one.decision === "not-certified").length;
  const failures = D.causes.filter((cause) => !cause.known && cause.outcome === "fail").length;
  const doubts = D.causes.filter((cause) => !cause.known && (cause.outcome === "inconclusive" || cause.outcome === "could-not-run")).length;
  const parts = [];
  if (decided) parts.push(t(`${decided} 个项目中 ${certified} 个通过认证`, `${certified} of ${decided} profile${decided === 1 ? "" : "s"} certified`));
  if (failures) parts.push(t(`${failures} 个问题需要修复`, `${failures} ${failures === 1 ? "thing" : "things"} to mend`));
  if (doubts) parts.push(t(`${doubts} 个问题无法判定`, `${doubts} in doubt`));
  if (D.expectedFailures) parts.push(t(`${D.expectedFailures} 项预期内的失败`, `${D.expectedFailures} expected failure${D.expectedFailures === 1 ? "" : "s"}`));
  if (!failures && !doubts && decided && D.standing === "certified") parts.push(t("没有发现问题", "nothing to mend"));
  return parts.join(t("，", " · "));
}

function bar(counts, label) {
  const total = ORDER.reduce((sum, outcome) => sum + (counts[outcome] || 0), 0) || 1;
  const shown = ORDER.filter((outcome) => counts[outcome]);
  let at = 0;
  const pieces = shown.map((outcome) => {
    const width = (counts[outcome] / total) * 1000;
    const piece = s("rect", { x: at, width: Math.max(width - 2, 1.5), height: 12, rx: 2, class: `fill ${outcome}` },
      s("title", null, `${counts[outcome]} ${outcomeWord(outcome)}`));
    at += width;
    return piece;
  });
  return h("div", { class: "tally" },
    s("svg", { viewBox: "0 0 1000 12", preserveAspectRatio: "none", role: "img", "aria-label": label }, pieces),
    h("ul", { class: "legend" }, shown.map((outcome) => h("li", null, chip(outcome, `${number(counts[outcome])} ${outcomeWord(outcome)}`)))));
}

function targets() {
  const seen = new Set();
  const list = D.sessions.filter(({ hello }) => {
    const key = JSON.stringify(hello);
    return !seen.has(key) && seen.add(key);
  });
  return list.slice(0, 4).map(({ hello }) => h("p", { class: "target" }, h("strong", null, clip(hello.name, 120)), " ", clip(hello.version, 60),
    h("span", { class: "quiet" }, `  ${clip(hello.platform, 60)} · ${integrationWord(hello.integration)} · ${styleWord(hello.callStyle)}`)));
}

function hero() {
  const good = D.standing === "certified";
  const kind = good ? "pass" : D.standing === "as-expected" ? "warn" : "fail";
  const tally = D.tally;
  const counts = {
    pass: tally.pass, warn: tally.warn, fail: tally.fail, inconclusive: tally.inconclusive,
    "could-not-run": tally.could_not_run, "not-exercised": tally.not_exercised, "not-applicable": tally.not_applicable,
  };
  const scenarios = [t(`${number(tally.scenarios)} 个场景`, `${number(tally.scenarios)} scenarios`), t(`${number(tally.driven)} 已驱动`, `${number(tally.driven)} driven`)];
  if (tally.skipped) scenarios.push(t(`${tally.skipped} 已跳过`, `${tally.skipped} skipped`));
  if (tally.broken) scenarios.push(t(`${tally.broken} 中断`, `${tally.broken} broken off`));
  return h("section", { id: "summary", class: `hero ${kind}`, "aria-label": t("结论", "Result") },
    h("div", { class: "verdict" },
      h("div", { class: `seal ${kind}`, "aria-hidden": "true" }, good ? "✓" : kind === "warn" ? "!" : "✕"),
      h("div", null,
        h("h1", null, say(standingWords[D.standing]), D.mock && h("span", { class: "quiet" }, t("（模拟宿主）", " (mock host)"))),
        h("p", { class: "lead" }, sentence()),
        targets())),
    bar(counts, t("各项要求的结论", "Verdicts on the requirements")),
    h("p", { class: "note" }, t(`共 ${number(tally.requirements)} 项要求；`, `${number(tally.requirements)} requirements; `), scenarios.join(t("，", ", "))));
}

function card(one, parts) {
  const decided = one.decision === "certified" || one.decision === "not-certified";
  const kind = { certified: "pass", "not-certified": "fail" }[one.decision] || "not-exercised";
  const share = one.must ? one.must_met / one.must : 0;
  const missing = one.missing || [];
  const bad = missing.slice(0, 4);
  return h("article", { class: `card ${kind}` },
    h("header", null, h("h3", null, one.name), h("span", { class: "quiet" }, profileWord(one.name))),
    h("p", { class: "decision" }, h("span", { class: `sign ${kind}`, "aria-hidden": "true" }, SIGNS[kind]), decisionWord(one.decision)),
    decided && s("svg", { class: "meter", viewBox: "0 0 100 3", preserveAspectRatio: "none", role: "img", "aria-label": `MUST ${one.must_met}/${one.must}` },
      s("rect", { width: 100, height: 3, rx: 1.5, class: "track" }), s("rect", { width: 100 * share, height: 3, rx: 1.5, class: `fill ${kind}` })),
    decided && h("p", { class: "note" }, `MUST ${one.must_met}/${one.must}`,
      one.warnings ? t(` · ${one.warnings} 项警告`, ` · ${one.warnings} warning${one.warnings === 1 ? "" : "s"}`) : ""),
    one.decision === "not-certified" && bad.length > 0 && h("ul", { class: "missing" },
      bad.map((gap) => h("li", null, h("span", { class: `sign ${gap.outcome}`, title: outcomeWord(gap.outcome) }, SIGNS[gap.outcome]), h("code", null, gap.requirement))),
      missing.length > bad.length && h("li", { class: "quiet" }, t(`另有 ${missing.length - bad.length} 项`, `and ${missing.length - bad.length} more`))),
    !decided && h("p", { class: "note" }, one.decision === "not-offered"
      ? t(`${missing.length} 项 MUST 要求尚无检查项`, `${missing.length} MUST${missing.length === 1 ? " has" : "s have"} no check yet`)
      : one.reason ? reasonText(one.reason) : ""),
    parts.length > 0 && h("ul", { class: "parts" }, parts.map((part) => {
      const word = { certified: "pass", "not-certified": "fail" }[part.decision] || "not-exercised";
      return h("li", null, chip(word, part.name.split(":")[1]),
        h("span", { class: "quiet" }, word === "not-exercised" ? decisionWord(part.decision) : `${part.must_met}/${part.must}`));
    })));
}

function decisions() {
  const shown = D.decisions.filter((one) => one.reason !== "not-asked");
  // What was decided comes first.
  const rank = { "not-certified": 0, certified: 1 };
  const whole = shown.filter((one) => !one.name.includes(":")).sort((a, b) => (rank[a.decision] ?? 2) - (rank[b.decision] ?? 2));
  const alone = shown.filter((one) => one.name.includes(":") && !whole.some((profile) => profile.name === one.name.split(":")[0]));
  if (shown.length === 0) return null;
  return section("profiles", t("项目", "Profiles"), null, h("div", { class: "cards" },
    whole.map((one) => card(one, shown.filter((part) => part.name.startsWith(`${one.name}:`)))), alone.map((one) => card(one, []))));
}

function unexpected() {
  if (D.unexpected.length === 0) return null;
  return section("unexpected", t("意外通过", "Unexpected passes"),
    t("以下已知失败项现已通过，请将其从已知失败列表中删除。", "These were declared to fail and pass now. Take them off the known-failing list."),
    growing(D.unexpected, (pair) => h("li", null, h("code", null, pair)), 50, "ul", { class: "plain-list" }));
}
