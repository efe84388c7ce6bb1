// What fuzzing came to, API by API, and how much of the schemas was exercised.

const caseWord = (kind) => ({
  control: t("普通", "plain"), valid: t("合法", "valid"), hostile: t("恶意", "hostile"), invalid: t("非法", "invalid"),
  overlap: t("并发", "overlapping"), "after-failure": t("失败之后", "after failures"), reset: t("重置之后", "after a reset"),
}[kind] || kind);

function fuzzFailure(failure, scenario, replay, index) {
  const { case: one, shrunk } = failure;
  return lazy(`fuzz/${scenario}/${index}`, { class: `cause ${failure.outcome}` }, h("span", { class: "cause-line" }, chip(failure.outcome),
    h("span", { class: "cause-head" }, h("span", { class: "cause-title" }, clip(failure.actual, 200)),
      h("span", { class: "cause-place" }, [`${t("用例", "case")} ${one.index}`, caseWord(one.kind), one.rule, one.place, ...(one.hostile || [])].filter(Boolean).join(" · "))),
    h("span", { class: "counts" }, t(`见于 ${number(failure.seen)} 个用例`, `seen in ${number(failure.seen)} case${failure.seen === 1 ? "" : "s"}`))), () => [
    clauseCard(failure.requirement),
    h("h3", { class: "minor" }, one.smallest ? t("最小的请求", "The smallest request") : t("请求", "The request")),
    growing(failure.requests, (request) => h("pre", { class: "json", tabindex: "0" }, clip(request, 8000)), 5),
    shrunk && h("p", { class: "field hint" }, h("b", null, t("缩小", "Shrinking")), [
      shrunk.again ? t(`${number(shrunk.calls)} 次调用之后得到`, `found after ${number(shrunk.calls)} calls`)
        : t("同一请求再次驱动时没有重现", "it did not come again on the same request"),
      shrunk.class, shrunk.after ? t(`同一会话中第 ${number(shrunk.after)} 次调用才失败`, `it takes ${number(shrunk.after)} calls of one session`) : ""].filter(Boolean).join(t("；", "; "))),
    h("div", { class: "field" }, h("b", null, t("重放", "Replay")), command(replay)),
    h("p", { class: "note" }, t("原因键 ", "cause "), h("code", null, failure.cause)),
  ]);
}

function fuzz() {
  const all = D.fuzz;
  if (all.length === 0) return null;
  return section("fuzz", t("模糊测试", "Fuzzing"),
    t("由种子生成的请求，极端、恶意或违反一条规则；失败的已缩到最小。", "Requests made from the seed: extreme, hostile, or breaking one rule. Those that fail are shrunk."),
    all.map((one) => {
      const cases = one.cases.reduce((sum, kind) => sum + kind.count, 0);
      const most = Math.max(...one.cases.map((kind) => kind.count), 1);
      const failures = one.failures || [];
      return h("div", { class: "block" }, h("h3", null, one.scenario, " ", h("span", { class: "quiet" }, t(`${number(cases)} 个用例`, `${number(cases)} cases`)),
        " ", failures.length ? chip("fail", t(`${failures.length} 种失败`, `${failures.length} failure${failures.length === 1 ? "" : "s"}`)) : chip("pass", t("没有失败", "no failure"))),
        table([t("用例", "cases"), t("数量", "number"), ""], one.cases.map((kind) => [caseWord(kind.kind), number(kind.count), meter(kind.count / most, "info")]), ""),
        one.not_driven > 0 && h("p", { class: "note" }, t(`${number(one.not_driven)} 个用例没有驱动：时间已到，或目标停机过多。`, `${number(one.not_driven)} cases were not driven: their time was up, or the target went down too often.`)),
        one.not_kept > 0 && h("p", { class: "note" }, t(`${number(one.not_kept)} 个没有发现的用例未收入记录。`, `${number(one.not_kept)} cases in which nothing was found are not kept in the record.`)),
        growing(failures, (failure, index) => fuzzFailure(failure, one.scenario, one.replays[index], index), 20));
    }));
}

const meter = (share, kind) => s("svg", { class: "meter small", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
  s("rect", { width: 100, height: 6, rx: 3, class: "track" }), s("rect", { width: Math.max(share, 0) * 100, height: 6, rx: 3, class: `fill ${kind}` }));

/** Which rules of the schemas the run has exercised, by instances that hold and by such that break them. */
function coverage() {
  const tables = D.coverage;
  if (tables.length === 0) return null;
  const share = (rules, of) => rules.filter(of).length;
  return section("coverage", t("模式规则覆盖", "Schema rules exercised"),
    t("每张表的规则，有多少被合法的实例检验过，有多少被违反过；仅供参考。", "Of each table's rules, how many were exercised by instances that hold, and how many were broken by some; reported, never certified on."),
    h("div", { class: "rows" }, tables.map((one) => {
      const [held, broken] = [share(one.rules, (rule) => rule.valid > 0), share(one.rules, (rule) => rule.invalid > 0)];
      return lazy(`coverage/${one.table}`, { class: "row" }, h("span", { class: "row-line" }, h("code", null, one.table),
        h("span", { class: "quiet row-end" }, t(`合法 ${held}/${one.rules.length} `, `valid ${held}/${one.rules.length} `), meter(held / (one.rules.length || 1), "pass"),
          t(`  违反 ${broken}/${one.rules.length} `, `  broken ${broken}/${one.rules.length} `), meter(broken / (one.rules.length || 1), "warn"))), () =>
        table([t("规则", "rule"), t("位置", "at"), t("要求", "requirement"), t("合法", "valid"), t("违反", "broken")],
          one.rules.map((rule) => [h("code", null, rule.rule), h("code", null, rule.at), rule.requirement ? h("code", null, rule.requirement) : "",
            rule.valid ? number(rule.valid) : h("span", { class: "quiet" }, "–"), rule.invalid ? number(rule.invalid) : h("span", { class: "quiet" }, "–")]), ""));
    })));
}
