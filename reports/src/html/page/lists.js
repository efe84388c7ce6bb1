// Scenarios, requirements, accuracy, times and what the run was made with.

/** The worst verdict of each scenario, and its verdicts by requirement. */
const verdictsOf = (() => {
  let made = null;
  return () => {
    if (made) return made;
    made = D.scenarios.map(() => ({ worst: 0, rows: [] }));
    D.requirements.forEach((row, index) => {
      for (let i = 0; i < row.cells.length; i += 2) {
        const one = made[row.cells[i]];
        one.worst = Math.max(one.worst, row.cells[i + 1]);
        one.rows.push([index, row.cells[i + 1]]);
      }
    });
    return made;
  };
})();

/** Entries that can be searched, and chosen by verdict. */
function searchable(id, items, { text, outcome, make, label }) {
  const list = h("div", { class: "rows" });
  const found = h("p", { class: "note", role: "status" });
  const chosen = state.page[id] || { query: "", outcome: "all" };
  state.page[id] = chosen;
  const draw = () => {
    const words = chosen.query.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = items.filter((item) => (chosen.outcome === "all" || outcome(item) === chosen.outcome) && words.every((word) => text(item).includes(word)));
    found.textContent = t(`${number(kept.length)} / ${number(items.length)} 项`, `${number(kept.length)} of ${number(items.length)}`);
    put(list, growing(kept, make, 60));
  };
  const present = ORDER.filter((word) => items.some((item) => outcome(item) === word));
  let waiting = 0;
  draw();
  return [h("div", { class: "controls" },
    h("input", { type: "search", placeholder: label, "aria-label": label, value: chosen.query, oninput: (event) => {
      chosen.query = event.target.value;
      clearTimeout(waiting);
      waiting = setTimeout(draw, 120);
    } }),
    filters([{ key: "all", word: t("全部", "All") }, ...present.map((word) => ({ key: word, word: `${SIGNS[word]} ${outcomeWord(word)}` }))], chosen.outcome, (key) => {
      chosen.outcome = key;
      draw();
    }), found), list];
}

function scenarioRow(index) {
  const one = D.scenarios[index];
  const { worst, rows } = verdictsOf()[index];
  const drive = one.drives[0];
  const key = `scenario/${one.id}`;
  return lazy(key, { class: "row" }, h("span", { class: "row-line" },
    chip(OUTCOMES[rows.length ? worst : 1]), h("code", null, one.id),
    h("span", { class: "quiet row-end" }, drive ? [endedWord(drive.ended), " · ", ms(Math.max(...one.drives.map((each) => each.ms)))] : "")), () => [
    one.drives.filter((each) => each.ended.how !== "driven").map((each) => h("p", { class: "field hint" }, h("b", null, endedWord(each.ended)), reasonText(each.ended.reason), each.ended.detail ? ` ${clip(each.ended.detail, 600)}` : "")),
    h("div", { class: "field" }, h("b", null, t("重放", "Replay")), command(one.replay)),
    evidence(one.id, null, key),
    h("h3", { class: "minor" }, t(`结论（${rows.length}）`, `Verdicts (${rows.length})`)),
    growing([...rows].sort((a, b) => b[1] - a[1]), ([place, outcome]) => h("li", null, chip(OUTCOMES[outcome]), " ", h("code", null, D.requirements[place].requirement)), 40, "ul", { class: "plain-list" }),
  ]);
}

function scenarios() {
  if (D.scenarios.length === 0) return null;
  const all = verdictsOf();
  return section("scenarios", t("场景", "Scenarios"),
    D.leftOut > 0 && t(`为使本页轻便，${number(D.leftOut)} 个场景的经过未收入，见运行记录。`, `To keep this page light the transcripts of ${number(D.leftOut)} scenarios are not in it; they are in the run record.`),
    searchable("scenarios", D.scenarios.map((_, index) => index), {
      text: (index) => D.scenarios[index].id.toLowerCase(), outcome: (index) => OUTCOMES[all[index].rows.length ? all[index].worst : 1],
      make: scenarioRow, label: t("查找场景", "Find a scenario"),
    }));
}

function requirements() {
  if (D.requirements.length === 0) return null;
  const rows = D.requirements;
  const text = rows.map((row) => `${row.requirement} ${row.clause} ${row.text ? `${row.text.zh} ${row.text.en} ${row.text.profile}` : ""}`.toLowerCase());
  return section("requirements", t("要求", "Requirements"), null,
    searchable("requirements", rows.map((_, index) => index), {
      text: (index) => text[index], outcome: (index) => rows[index].outcome, label: t("查找要求、条款或文字", "Find a requirement, clause or text"),
      make: (index) => {
        const row = rows[index];
        return lazy(`requirement/${row.requirement}`, { class: "row" }, h("span", { class: "row-line" }, chip(row.outcome), h("span", { class: "clause-number" }, row.clause), level(row.level),
          h("code", null, row.requirement), h("span", { class: "quiet row-end" }, t(`${row.exercised_in} 个场景`, `${row.exercised_in} scenario${row.exercised_in === 1 ? "" : "s"}`))), () => [
          clauseCard(row.requirement),
          row.reason && h("p", { class: "field" }, h("b", null, t("原因", "Reason")), reasonText(row.reason), " ", h("span", { class: "quiet" }, reasonAdvice(row.reason))),
          row.cells.length > 0 && growing(row.cells.filter((_, i) => i % 2 === 0).map((scenario, i) => [scenario, row.cells[i * 2 + 1]]).sort((a, b) => b[1] - a[1]),
            ([scenario, outcome]) => h("li", null, chip(OUTCOMES[outcome]), " ", h("code", null, D.scenarios[scenario].id)), 40, "ul", { class: "plain-list" }),
        ]);
      },
    }));
}

function accuracy() {
  if (D.accuracy.length === 0) return null;
  return section("accuracy", t("识别准确度", "Accuracy"), t("与样本真值比较；仅供参考，不影响认证。", "Against the specimens' ground truth; reported, never certified on."),
    table([t("字段", "field"), t("比较", "compared"), t("相等", "equal"), t("相似度", "similarity")], D.accuracy.map((one) => [
      h("code", null, one.field), number(one.compared), h("span", { class: one.equal < one.compared ? "warn-text" : "" }, number(one.equal)),
      [meter(one.similarity / 1000, one.equal < one.compared ? "warn" : "pass"), ` ${(one.similarity / 10).toFixed(1)} %`]]), ""));
}

function flows() {
  if (D.flows.length === 0) return null;
  const list = [...D.flows].sort((a, b) => b.durationMs - a.durationMs);
  const most = list[0].durationMs || 1;
  const first = (one) => [one.firstRtpMs.audio, one.firstRtpMs.video].filter((at) => at !== undefined).sort((a, b) => a - b)[0];
  const cell = (value) => (value === undefined ? "–" : ms(value));
  return section("flows", t("WebRTC 流程用时", "Times of the WebRTC flows"), t("仅供参考，不影响认证。", "Reported, never certified on."),
    h("div", { class: "wide", tabindex: "0" }, h("table", null, h("thead", null, h("tr", null, [t("流程", "flow"), t("裁判", "referee"), t("连通", "connected"), t("首个媒体", "first media"), t("总计", "total"), t("比例", "share")].map((head) => h("th", { scope: "col" }, head)))),
      growing(list, (one) => h("tr", null, h("td", null, h("code", null, one.scenario)), h("td", null, one.referee), h("td", null, cell(one.connectedMs)), h("td", null, cell(first(one))), h("td", null, ms(one.durationMs)),
        h("td", null, meter(one.durationMs / most, "info"))), 40, "tbody"))));
}

function environment() {
  const { header } = D;
  const field = (name, value) => (value === undefined || value === null || value === "" ? null : [h("dt", null, name), h("dd", null, value)]);
  const code = (value) => (value ? h("code", null, clip(value, 600)) : null);
  const list = (values) => (values && values.length ? values.map((value) => [h("code", null, clip(value, 200)), " "]) : null);
  return section("environment", t("环境", "Environment"), t("重做这次运行所需的一切。", "All that is needed to do this run again."),
    h("dl", { class: "facts" },
      field(t("目标", "target"), code(header.target)), field(t("开始于", "began"), header.began), field(t("种子", "seed"), code(header.seed)),
      field("fincert", header.fincert), field(t("检查集", "suites"), D.suites), field(t("记录版本", "record version"), `${header.record} · ${t("捕获", "capture")} ${header.capture}`),
      field(t("要求认证", "profiles asked for"), list(header.profiles) || t("目标声明且可认证的全部", "all that the target declares and fincert offers")),
      field("--filter", code(header.filter)), field("--defect", code(header.defect)), field("--referee", code(header.referee)),
      field(t("其他选项", "other options"), list(header.options)), field("--set", list(header.set)),
      field(t("已知失败", "known failures"), header.known_failing && header.known_failing.length ? number(header.known_failing.length) : null)),
    D.digests.length > 0 && [h("h3", null, t("摘要（SHA-256）", "Digests (SHA-256)")), h("dl", { class: "facts" }, D.digests.map((one) => field(say(one.name), code(one.sha256))))],
    h("h3", null, t(`会话（${D.sessions.length}）`, `Sessions (${D.sessions.length})`)),
    growing(D.sessions, ({ session, hello }) => lazy(`session/${session}`, { class: "row" }, h("span", { class: "row-line" }, h("span", { class: "clause-number" }, session),
      h("span", null, clip(hello.name, 120), " ", clip(hello.version, 60)), h("span", { class: "quiet row-end" }, `${clip(hello.platform, 60)} · ${integrationWord(hello.integration)}`)), () => json(hello)), 30));
}
