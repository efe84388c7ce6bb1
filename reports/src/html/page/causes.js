// What there is to mend: one block a cause, and in it everything that is needed to find it.

const requirementRows = new Map(D.requirements.map((row) => [row.requirement, row]));
const scenarioPlaces = new Map(D.scenarios.map((one, place) => [one.id, place]));

function clauseCard(id) {
  const row = requirementRows.get(id);
  if (!row || !row.text) return h("div", { class: "clause" }, h("code", null, id));
  const { text } = row;
  const [mine, other] = state.lang === "zh" ? [text.zh, text.en] : [text.en, text.zh];
  return h("div", { class: "clause" },
    h("p", { class: "clause-head" }, h("span", { class: "clause-number" }, t(`条款 ${row.clause}`, `clause ${row.clause}`)), level(text.level), h("code", null, id)),
    h("p", { class: "clause-text" }, mine),
    h("p", { class: "clause-other", lang: state.lang === "zh" ? "en" : "zh" }, other),
    text.quote.map((quote) => h("blockquote", { lang: "zh" }, quote)),
    text.note && h("p", { class: "note" }, t("裁定：", "Ruling: "), text.note));
}

const place = (finding) => [
  finding.scenario,
  finding.step ? t(`第 ${finding.step} 步`, `step ${finding.step}`) : null,
  finding.case !== undefined ? t(`用例 ${finding.case}`, `case ${finding.case}`) : null,
  finding.at === "" ? t("整个值", "the whole value") : finding.at,
].filter(Boolean);

function comparison(finding) {
  return h("div", { class: "compare" },
    h("div", { class: "side expected" }, h("h3", { class: "minor" }, t("预期", "Expected")), h("p", null, clip(say(finding.expected)))),
    h("div", { class: "side actual" }, h("h3", { class: "minor" }, t("实际", "Actual")), h("p", null, clip(finding.actual))));
}

/** Everything about a scenario that a finding is of: transcripts, and for a flow what is drawn of it. */
function evidence(scenario, step, key, open) {
  const one = D.scenarios[scenarioPlaces.get(scenario)];
  if (!one) return null;
  return one.drives.map((drive, index) => {
    const session = D.sessions.find((each) => each.session === drive.session);
    const what = drive.referee ? t(`裁判 ${drive.referee}`, `referee ${drive.referee}`)
      : one.drives.length > 1 ? [session && integrationWord(session.hello.integration), t(`第 ${index + 1} 段`, `part ${index + 1}`)].filter(Boolean).join(t("，", ", ")) : "";
    const name = what ? t(`经过（${what}）`, `Transcript (${what})`) : t("经过", "Transcript");
    if (drive.block === undefined) {
      return drive.events > 0 && h("p", { class: "note" }, name, t("：未收入本页，见运行记录。", ": not in this page; it is in the run record."));
    }
    // Steps are calls; the other referee may have come there by another number of them.
    const focus = one.drives.length === 1 || !drive.referee ? step : null;
    const element = lazy(`${key}/t${index}`, { class: "evidence" },
      [name, h("span", { class: "quiet" }, t(` ${number(drive.events)} 条记录，${ms(drive.ms)}`, ` ${number(drive.events)} events, ${ms(drive.ms)}`))],
      () => transcriptPanels(read(`t${drive.block}`), focus, `${key}/t${index}`));
    // The first lies open where a finding points into it.
    if (index === 0 && open) {
      element.make();
      element.open = true;
    }
    return element;
  });
}

function causeBlock(cause, index) {
  const first = D.findings[cause.found[0]];
  const kind = cause.outcome;
  const word = cause.known ? t("已知失败", "known failure") : undefined;
  const lead = requirementRows.get(first ? first.requirement : cause.requirements[0]);
  const headline = lead && lead.text ? (state.lang === "zh" ? lead.text.zh : lead.text.en) : cause.cause;
  const counts = [];
  if (cause.requirements.length > 1) counts.push(t(`${cause.requirements.length} 项要求`, `${cause.requirements.length} requirements`));
  if (cause.scenarios.length > 1) counts.push(t(`${cause.scenarios.length} 个场景`, `${cause.scenarios.length} scenarios`));
  const key = `cause/${cause.cause}`;
  const summary = h("span", { class: "cause-line" },
    chip(cause.known ? "not-exercised" : kind, word),
    h("span", { class: "cause-head" }, h("span", { class: "cause-title" }, headline),
      h("span", { class: "cause-place" }, first ? place(first).join(" · ") : cause.cause)),
    counts.length > 0 && h("span", { class: "counts" }, counts.join(" · ")));
  const element = lazy(key, { class: `cause ${cause.known ? "known" : kind}` }, summary, () => {
    if (!first) return [cause.requirements.slice(0, 20).map(clauseCard)];
    const others = cause.scenarios.filter((scenario) => scenario !== first.scenario);
    const rest = cause.found.slice(1).map((place) => D.findings[place]).filter(Boolean);
    const hint = first.hint ? say(first.hint) : cause.reason ? reasonAdvice(cause.reason) : "";
    return [
      comparison(first),
      cause.reason && h("p", { class: "field" }, h("b", null, t("原因", "Reason")), reasonText(cause.reason)),
      hint && h("p", { class: "field hint" }, h("b", null, t("提示", "Hint")), hint),
      h("div", { class: "field" }, h("b", null, t("重放", "Replay")), command(cause.replay)),
      h("h3", { class: "minor" }, t("违反的要求", "Requirements it breaks")),
      growing(cause.requirements, clauseCard, 5),
      evidence(first.scenario, first.step, key, first.case === undefined),
      others.length > 0 && lazy(`${key}/others`, { class: "evidence" }, t(`另见于 ${others.length} 个场景`, `Also in ${others.length} other scenario${others.length === 1 ? "" : "s"}`), () =>
        growing(others, (scenario) => h("li", null, h("code", null, scenario)), 50, "ul", { class: "plain-list" })),
      rest.length > 0 && lazy(`${key}/rest`, { class: "evidence" }, t(`同一原因的其他发现（${cause.found.length - 1}）`, `Other findings of this cause (${cause.found.length - 1})`), () =>
        growing(rest, (finding) => h("div", { class: "finding" },
          h("p", { class: "cause-place" }, h("code", null, finding.requirement), " ", place(finding).join(" · ")), comparison(finding)), 20)),
      h("p", { class: "note" }, t("检查项 ", "check "), h("code", null, first.check), t("，原因键 ", ", cause "), h("code", null, cause.cause)),
    ];
  });
  // The first thing to mend lies open.
  if (index === 0 && kind === "fail" && !cause.known && !state.page.opened) {
    element.make();
    element.open = true;
  }
  return element;
}

function causes() {
  if (D.causes.length === 0) {
    return section("causes", t("问题", "What to mend"), null, h("p", { class: "empty" }, t("没有发现问题。", "Nothing was found.")));
  }
  const groups = [
    ["all", t("全部", "All"), () => true],
    ["fail", t("不通过", "Failures"), (cause) => !cause.known && cause.outcome === "fail"],
    ["doubt", t("存疑", "In doubt"), (cause) => !cause.known && (cause.outcome === "inconclusive" || cause.outcome === "could-not-run")],
    ["warn", t("警告", "Warnings"), (cause) => !cause.known && cause.outcome === "warn"],
    ["known", t("已知失败", "Known failures"), (cause) => cause.known],
  ].map(([key, word, keep]) => ({ key, word, list: D.causes.filter(keep) })).filter((group) => group.list.length > 0);
  const list = h("div", { class: "causes" });
  const show = (group) => {
    state.page.causes = group.key;
    put(list, growing(group.list, causeBlock, 40));
    state.page.opened = true;
  };
  const chosen = groups.find((group) => group.key === state.page.causes) || groups[0];
  const tabs = filters(groups.map((group) => ({ ...group, word: `${group.word} ${number(group.list.length)}` })), chosen.key, (key) => show(groups.find((group) => group.key === key)));
  show(chosen);
  return section("causes", t("问题", "What to mend"),
    t("同一原因的发现归在一处；最先列出的最要紧。", "Findings that share a cause stand together; the gravest come first."),
    groups.length > 2 && tabs, list,
    D.findingsInAll > Object.keys(D.findings).length && h("p", { class: "note" },
      t(`共 ${number(D.findingsInAll)} 条发现，本页收入 ${number(Object.keys(D.findings).length)} 条，其余见运行记录。`,
        `There are ${number(D.findingsInAll)} findings, ${number(Object.keys(D.findings).length)} of them in this page; the rest is in the run record.`)));
}

/** A row of buttons of which one is pressed. */
function filters(choices, chosen, choose) {
  const buttons = choices.map((choice) => h("button", { type: "button", "aria-pressed": choice.key === chosen ? "true" : "false", onclick: () => {
    for (const other of buttons) other.setAttribute("aria-pressed", other === buttons[choices.indexOf(choice)] ? "true" : "false");
    choose(choice.key);
  } }, choice.word));
  return h("div", { class: "filters", role: "group" }, buttons);
}
