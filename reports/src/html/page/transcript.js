// A transcript as a sequence diagram: fincert at the left, the target at the right, time downwards. Every row opens on all
// that was recorded of it. A kind of event that this page does not know is shown whole.

const short = (text, limit = 120) => {
  const one = String(text).replace(/\s+/g, " ").trim();
  return one.length > limit ? `${one.slice(0, limit)}…` : one;
};

/** A value in a few words. */
function brief(value, limit = 120) {
  if (value === null || value === undefined) return value === null ? "null" : "";
  if (typeof value !== "object") return short(typeof value === "string" ? JSON.stringify(value) : value, limit);
  if (typeof value.$handle === "string") return short(value.$handle, limit);
  if (typeof value.sdp === "string") return short(`${value.type || "?"} · SDP ${number(value.sdp.length)} B`, limit);
  if (Array.isArray(value)) return short(`[${value.slice(0, 6).map((item) => brief(item, 40)).join(", ")}${value.length > 6 ? ", …" : ""}]`, limit);
  const members = Object.entries(value);
  if (members.length === 0) return "{}";
  return short(`{${members.slice(0, 8).map(([key, item]) => `${short(key, 30)}: ${brief(item, 48)}`).join(", ")}${members.length > 8 ? ", …" : ""}}`, limit);
}
const captured = (one, limit) => (one ? brief(one.value, limit) : "");
const broken = (one) => ((one && one.facts) || []).filter((fact) =>
  fact.fact === "breaks" || fact.fact === "alias" || (fact.fact === "relation" && !fact.holds));

/** What a row says: who, what, and how it looks. `to`: an arrow; `at`: a note at one of them; else a line across. */
function describe(event, calls) {
  const method = (id) => short((calls.get(id) || {}).method || `#${id}`, 80).replace(/^ft\./, "");
  const good = { success: 1, resolve: 1, return: 1 };
  switch (event.event) {
    case "call": {
      const subject = event.subject ? Object.values(event.subject)[0] : null;
      return { to: "target", step: event.step, name: event.method, text: captured(event.request),
        tags: [event.handle, event.purpose, subject].filter(Boolean), facts: broken(event.request) };
    }
    case "answer":
      return { to: "fincert", look: good[event.via] ? "good" : "bad", name: `${method(event.id)} → ${event.via}`, text: captured(event.value), facts: broken(event.value) };
    case "callback":
      return { to: "fincert", look: "event", name: `${method(event.id)} → ${event.kind}`, tags: [`seq ${event.seq}`],
        text: event.as_answered ? t("与应答相同", "the same as answered") : captured(event.value), facts: broken(event.value) };
    case "refused":
      return { to: "fincert", look: "bad", name: `${method(event.id)} → ${t("桥拒绝", "refused by the bridge")}`, text: `${event.code} ${short(event.message)}` };
    case "no-response":
      return { to: "fincert", look: "none", name: `${method(event.id)} → ${t("没有应答", "no response")}`,
        text: t(`等了 ${ms(event.deadline_ms)}；`, `waited ${ms(event.deadline_ms)}; `) + (event.alive
          ? t("桥仍应答 ping", "the bridge still answered a ping") : t("桥也没有应答 ping", "no answer to a ping either")) };
    case "emitted":
      return { to: "fincert", look: "event", name: event.kind, text: captured(event.value), facts: broken(event.value),
        tags: [event.handle, event.known ? null : t("无人监听", "nobody listens")].filter(Boolean) };
    case "read":
      return { at: "target", minor: true, name: `${event.name} = ${event.refused ? "✕" : event.value ? captured(event.value, 60) : "undefined"}`,
        text: event.refused || "", tags: [event.handle, event.polls > 1 ? t(`读了 ${event.polls} 次`, `${event.polls} reads`) : null].filter(Boolean), facts: broken(event.value) };
    case "listened":
      return { at: "target", minor: !event.refused, look: event.refused ? "bad" : "", name: `${t("监听", "listen")} ${event.kind}`, text: event.refused || "", tags: [event.handle] };
    case "peer": {
      const tags = [`peer ${event.peer}`];
      const end = event.local ? "fincert" : t("目标", "target");
      switch (event.did) {
        case "description":
          return { at: "fincert", look: event.refused ? "bad" : "", tags, name: t(`设置${event.local ? "本地" : "远端"}描述：${event.kind}`, `set ${event.local ? "local" : "remote"} ${event.kind}`), text: event.refused || "" };
        case "candidate":
          return { at: "fincert", minor: !event.refused, look: event.refused ? "bad" : "", tags, name: t(`候选（${end}）`, `candidate of ${end}`), text: `${short(event.candidate)} ${event.refused || ""}` };
        case "ice": return { at: "fincert", tags, name: `ICE ${event.state}`, text: "" };
        case "connection": return { at: "fincert", tags, name: t(`连接 ${event.state}`, `connection ${event.state}`), text: "" };
        case "track": return { at: "fincert", tags, name: t(`收到轨道 ${event.kind}`, `track ${event.kind}`), text: `mid ${event.mid}` };
        case "failed": return { at: "fincert", look: "bad", tags, name: t(`${event.method} 失败`, `${event.method} failed`), text: event.why };
        default: return { at: "fincert", tags, name: event.did, text: "" };
      }
    }
    case "counted": {
      const total = (list) => (list || []).reduce((sum, one) => sum + one.packets, 0);
      return { at: "fincert", tags: [`peer ${event.peer}`], name: t("计数", "counters"), text: t(`收 ${number(total(event.evidence.received))} 包，发 ${number(total(event.evidence.sent))} 包`, `received ${number(total(event.evidence.received))} packets, sent ${number(total(event.evidence.sent))}`) };
    }
    case "turn": return { at: "fincert", name: "TURN", text: brief(event.evidence) };
    case "awaited":
      return { at: event.end, look: event.met ? "good" : "bad", name: `${event.met ? "✓" : "✕"} ${t("等待", "awaited")} ${awaitWord(event.what)} ${short(event.of || "", 60)}`,
        text: t(`${ms(event.waited_ms)}${event.instead ? `；实际：${short(event.instead)}` : ""}`, `${ms(event.waited_ms)}${event.instead ? `; instead: ${short(event.instead)}` : ""}`), minor: event.met && event.waited_ms === 0 };
    case "flow": return { across: true, name: t(`流程 ${event.flow}`, `flow ${event.flow}`), text: "" };
    case "act": return { across: true, name: actWord(event.act), text: "" };
    case "file": return { to: "target", minor: true, name: t(`文件 ${short(event.name, 60)}`, `file ${short(event.name, 60)}`), text: `${number(event.bytes)} B` };
    case "ping": return { at: "target", minor: event.alive, look: event.alive ? "" : "bad", name: event.alive ? t("ping 有应答", "ping answered") : t("ping 没有应答", "ping not answered"), text: "" };
    case "bad-frame": return { to: "fincert", look: "bad", name: reasonText(event.fault), text: `${short(event.detail)} · ${short(event.quote)}` };
    case "lexical": return { to: "fincert", look: "bad", name: event.fault, text: event.at };
    case "stderr": return { at: "target", look: "quiet", name: "stderr", text: short(event.text, 300) };
    case "gone": return { across: true, look: "bad", name: t("目标退出或连接关闭", "the target is gone"), text: event.status };
    case "prompt": return { across: true, name: t("提示操作者", "a person was asked"), text: event.text };
    case "case": return { across: true, look: event.smallest ? "bad" : "", name: `${t("用例", "case")} ${event.index} · ${caseWord(event.kind)}${event.smallest ? t(" · 最小", " · smallest") : ""}`,
      text: [event.rule, event.place, ...(event.hostile || [])].filter(Boolean).join(" · ") };
    case "shrunk": return { across: true, look: "bad", name: t(`用例 ${event.case} 缩小：${number(event.calls)} 次调用`, `case ${event.case} shrunk in ${number(event.calls)} calls`), text: short(event.class || event.cause, 200) };
    case "omitted": return { across: true, look: "quiet", name: t(`从略 ${number(event.count)} 项`, `${number(event.count)} more not kept`), text: event.what };
    default: return { across: true, name: event.event, text: short(JSON.stringify(event), 200) };
  }
}

function row(event, said, focus) {
  const place = said.to ? `to-${said.to}` : said.at ? `at-${said.at}` : "across";
  const focused = focus && said.step === focus;
  const label = h("summary", null,
    said.step && h("span", { class: "step" }, said.step),
    h("b", null, said.name), " ", (said.tags || []).map((tag) => h("span", { class: "tag" }, short(tag, 60))),
    event.late && h("span", { class: "tag bad" }, t("迟到", "late")),
    said.text && h("span", { class: "value" }, said.text),
    (said.facts || []).slice(0, 5).map((fact) => h("span", { class: "fact" }, `${fact.fact === "alias" ? "!" : "✕"} ${fact.at || "·"} ${fact.rule || fact.alias || fact.relation}${fact.expected ? `: ${short(fact.expected, 80)}` : ""}`)));
  const details = h("details", { class: "message" }, label);
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) {
      const { at_us, ...rest } = event;
      details.append(json(rest));
    }
  });
  return h("li", { class: `${place} ${said.look || ""} ${focused ? "focus" : ""}` },
    h("time", null, event.at_us < 1e7 ? `${(event.at_us / 1000).toFixed(event.at_us < 1e5 ? 1 : 0)}` : number(Math.round(event.at_us / 1000))), details);
}

function diagram(transcript, focus, key) {
  const calls = new Map();
  for (const event of transcript.events) if (event.event === "call") calls.set(event.id, event);
  const rows = transcript.events.map((event) => [event, describe(event, calls)]);
  const minors = rows.filter(([, said]) => said.minor && !(said.facts || []).length);
  const list = h("div", null);
  const draw = () => {
    const all = state.open.has(`${key}/all`) || rows.length - minors.length < 2;
    const hidden = new Set(all ? [] : minors);
    put(list,
      h("div", { class: "lanes", "aria-hidden": "true" }, h("span", null, "ms"), h("span", { class: "lane" }, "fincert"), h("span", { class: "lane" }, t("目标", "target"))),
      growing(rows.filter((one) => !hidden.has(one)), ([event, said]) => row(event, said, focus), 120, "ol", { class: "sequence" }));
  };
  draw();
  const { ended } = transcript;
  return h("div", { class: "diagram" },
    minors.length > 0 && minors.length < rows.length && h("label", { class: "check" },
      h("input", { type: "checkbox", checked: state.open.has(`${key}/all`), onchange: (event) => {
        if (event.target.checked) state.open.add(`${key}/all`);
        else state.open.delete(`${key}/all`);
        draw();
      } }), t(`也显示读取、监听与候选（${minors.length}）`, `Reads, listeners and candidates as well (${minors.length})`)),
    list,
    ended.how !== "driven" && h("p", { class: `field ${ended.how === "broken" ? "hint" : ""}` },
      h("b", null, endedWord(ended)), reasonText(ended.reason), ended.detail ? ` ${clip(ended.detail, 600)}` : ""));
}

function story(told) {
  const entries = told[state.lang === "zh" ? 0 : 1];
  return h("table", { class: "story" }, h("tbody", null, entries.map((entry) => h("tr", { class: entry.tone },
    h("td", null, entry.at), entry.who ? h("th", { scope: "row" }, entry.who) : h("td", null), h("td", null, entry.text)))));
}

/** The panels of a transcript: for a flow its story, the time line, SDP and candidates; for all the sequence. */
function transcriptPanels({ transcript, story: told }, focus, key) {
  const panels = [];
  if (transcript.referee) {
    if (told) panels.push(["story", t("简述", "In short"), () => story(told)]);
    panels.push(["line", t("时间线", "Time line"), () => timeLine(transcript)]);
    panels.push(["sdp", "SDP", () => sdpPanel(transcript)]);
    panels.push(["ice", t("候选与连接", "Candidates and pair"), () => candidatesPanel(transcript)]);
  }
  panels.push(["sequence", t("顺序图", "Sequence"), () => diagram(transcript, focus, key)]);
  if (panels.length === 1) return panels[0][2]();
  const body = h("div", { class: "panel" });
  const show = (name) => {
    state.page[key] = name;
    put(body, panels.find((panel) => panel[0] === name)[2]());
  };
  const chosen = panels.some((panel) => panel[0] === state.page[key]) ? state.page[key] : panels[0][0];
  show(chosen);
  return [filters(panels.map(([name, word]) => ({ key: name, word })), chosen, show), body];
}
