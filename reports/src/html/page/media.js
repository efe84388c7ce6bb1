// A flow drawn over time: signalling, ICE, DTLS and media, each a lane; and its candidates, pair and counters.

const LOOKS = {
  connected: "good", completed: "good", stable: "good", checking: "busy", connecting: "busy", gathering: "busy",
  "have-local-offer": "busy", "have-remote-offer": "busy", complete: "good", disconnected: "warn", failed: "bad", closed: "off", new: "off",
};

/** Lanes of states and marks, taken from the events in order. */
function lanesOf(transcript) {
  const lanes = new Map();
  const lane = (key, name) => {
    if (!lanes.has(key)) lanes.set(key, { name, states: [], marks: [] });
    return lanes.get(key);
  };
  const handles = [];
  const end = (handle) => {
    if (!handles.includes(handle)) handles.push(handle);
    return handles.indexOf(handle) > 0 ? ` ${short(handle, 12)}` : "";
  };
  const state = (key, name, at, value) => {
    const { states } = lane(key, name);
    if (typeof value !== "string" || value.length > 24) return;
    if (!states.length || states[states.length - 1].value !== value) states.push({ at, value });
  };
  const properties = { signalingState: "s", iceConnectionState: "i", conectionState: "c", connectionState: "c", iceGatheringState: "g" };
  const names = { s: t("信令", "signalling"), i: "ICE", c: "DTLS", g: t("收集", "gathering") };
  const acts = [];
  const waits = [];
  const media = new Map();
  let last = 0;
  for (const event of transcript.events) {
    if (event.late) continue;
    const at = event.at_us / 1000;
    last = Math.max(last, at);
    const target = (letter, handle, value) => {
      const suffix = end(handle);
      state(`${letter}t${suffix}`, `${names[letter]} · ${t("目标", "target")}${suffix}`, at, value);
    };
    if (event.event === "read" && properties[event.name] && event.value) target(properties[event.name], event.handle, event.value.value);
    if (event.event === "emitted" && event.value && event.value.value && typeof event.value.value === "object") {
      if (event.kind === "iceconnectionstatechange") target("i", event.handle, event.value.value.iceConnectionState);
      if (event.kind === "signalingstatechange") target("s", event.handle, event.value.value.signalingState);
    }
    if (event.event === "act") acts.push({ at, word: actWord(event.act) });
    if (event.event === "awaited" && !event.met) waits.push({ from: at - event.waited_ms, to: at, text: `${endWord(event.end)}: ${awaitWord(event.what)} ${event.of || ""}` });
    if (event.event === "no-response") waits.push({ from: at - event.deadline_ms, to: at, text: t("没有应答", "no response") });
    if (event.event === "peer") {
      const suffix = event.peer > 1 ? ` ${event.peer}` : "";
      if (event.did === "ice") state(`if${suffix}`, `ICE · fincert${suffix}`, at, event.state);
      if (event.did === "connection") state(`cf${suffix}`, `DTLS · fincert${suffix}`, at, event.state);
      if (event.did === "description") {
        lane(`sf${suffix}`, `${names.s} · fincert${suffix}`).marks.push({ at, look: event.refused ? "bad" : event.local ? "mine" : "theirs",
          sign: (event.kind || "?")[0].toUpperCase(), text: `${event.local ? "fincert" : t("目标", "target")}: ${event.kind}${event.refused ? ` ✕ ${event.refused}` : ""}` });
      }
    }
    if (event.event === "counted") {
      for (const one of event.evidence.received || []) {
        const key = `${event.peer}/${one.ssrc}`;
        media.set(key, { peer: event.peer, kind: one.kind || "?", codec: one.codec, from: one.firstAtUs / 1000, to: one.lastAtUs / 1000, packets: one.packets });
      }
    }
  }
  for (const one of media.values()) {
    const suffix = one.peer > 1 ? ` ${one.peer}` : "";
    lane(`m${one.kind}${suffix}`, t(`收到 ${one.kind}${suffix}`, `${one.kind} received${suffix}`)).marks.push({ at: one.from, to: one.to, look: "media",
      text: t(`首个 RTP ${ms(Math.round(one.from))}，${one.codec || ""} ${number(one.packets)} 包`, `first RTP at ${ms(Math.round(one.from))}, ${one.codec || ""} ${number(one.packets)} packets`) });
    last = Math.max(last, one.to);
  }
  if (waits.length) lane("w", t("空等", "waited in vain")).marks.push(...waits.map((wait) => ({ at: wait.from, to: wait.to, look: "vain", text: `${wait.text} · ${ms(Math.round(wait.to - wait.from))}` })));
  const order = ["s", "g", "i", "c", "m", "w"];
  const rank = (key) => order.indexOf(key[0]) * 2 + (key[1] === "f" ? 1 : 0);
  const sorted = [...lanes.entries()].sort(([a], [b]) => rank(a) - rank(b)).map(([, one]) => one);
  return { lanes: sorted.slice(0, 24), acts, last: Math.max(last, 1) };
}

/** Set-up takes a fraction of a second and waiting takes many: a logarithm shows both. */
function scales(last) {
  const soft = 100;
  return {
    log: { x: (at) => Math.log1p(Math.max(at, 0) / soft) / Math.log1p(last / soft), ticks: [0, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000] },
    linear: { x: (at) => Math.max(at, 0) / last, ticks: Array.from({ length: 11 }, (_, index) => {
      const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000].find((size) => last / size <= 10) || last / 10;
      return index * step;
    }) },
  };
}

function timeLine(transcript) {
  const { lanes, acts, last } = lanesOf(transcript);
  if (lanes.length === 0) return h("p", { class: "empty" }, t("此流程没有连接。", "This flow has no connection."));
  const [LEFT, WIDTH, ROW, TOP] = [132, 828, 26, 46];
  const height = TOP + lanes.length * ROW + 8;
  const box = h("div", null);
  const draw = (kind) => {
    state.page.scale = kind;
    const scale = scales(last)[kind];
    const x = (at) => LEFT + 4 + scale.x(Math.min(at, last)) * (WIDTH - 12);
    const ticks = scale.ticks.filter((at) => at <= last).filter((at, index, all) => index === 0 || x(at) - x(all[index - 1]) > 26);
    const svg = s("svg", { viewBox: `0 0 ${LEFT + WIDTH} ${height}`, role: "img", class: "timeline", "aria-label": t("时间线：信令、ICE、DTLS 与媒体", "Time line of signalling, ICE, DTLS and media") },
      ticks.map((at) => [s("line", { x1: x(at), x2: x(at), y1: 18, y2: height - 4, class: "tick" }), s("text", { x: x(at), y: 12, class: "axis" }, at >= 1000 ? `${at / 1000} s` : `${at}`)]),
      acts.map((act, index) => s("g", { class: "act" }, s("title", null, act.word), s("line", { x1: x(act.at), x2: x(act.at), y1: 24, y2: height - 4 }),
        s("circle", { cx: x(act.at), cy: 30, r: 8 }), s("text", { x: x(act.at), y: 34 }, index + 1))),
      lanes.map((one, index) => {
        const y = TOP + index * ROW;
        return s("g", { class: "lane" }, s("line", { x1: LEFT, x2: LEFT + WIDTH, y1: y + ROW - 2, y2: y + ROW - 2, class: "rule" }),
          s("text", { x: LEFT - 8, y: y + 16, class: "name" }, one.name),
          one.states.map((from, place) => {
            const to = place + 1 < one.states.length ? one.states[place + 1].at : last;
            const [a, b] = [x(from.at), x(to)];
            const room = b - a;
            return s("g", null, s("title", null, `${from.value} · ${ms(Math.round(from.at))} – ${ms(Math.round(to))}`),
              s("rect", { x: a, y: y + 3, width: Math.max(room - 1, 2), height: ROW - 9, rx: 3, class: `state ${LOOKS[from.value] || "busy"}` }),
              room > from.value.length * 6.2 + 8 && s("text", { x: a + 5, y: y + 15.5, class: "state-name" }, from.value));
          }),
          // Marks that would cover each other stand side by side.
          one.marks.reduce((placed, mark) => [...placed, { mark, at: Math.max(x(mark.at), placed.length ? placed[placed.length - 1].at + 19 : 0) }], []).map(({ mark, at }) => s("g", null, s("title", null, `${mark.text} · ${ms(Math.round(mark.at))}`),
            mark.to === undefined
              ? [s("circle", { cx: at, cy: y + 11, r: 8, class: `mark ${mark.look}` }), s("text", { x: at, y: y + 15, class: "mark-sign" }, mark.sign)]
              : s("rect", { x: x(mark.at), y: y + 3, width: Math.max(x(mark.to) - x(mark.at), 3), height: ROW - 9, rx: 3, class: `mark ${mark.look}` }))));
      }));
    put(box, h("div", { class: "wide", tabindex: "0" }, svg));
  };
  const kind = state.page.scale || (last > 3000 ? "log" : "linear");
  draw(kind);
  return [filters([{ key: "log", word: t("对数刻度", "Logarithmic") }, { key: "linear", word: t("线性刻度", "Linear") }], kind, draw), box,
    h("p", { class: "note" }, t("毫秒，自场景开始。O 为 offer，A 为 answer：实心由 fincert 发出，空心来自目标。", "Milliseconds since the scenario began. O is an offer, A an answer: filled ones are fincert's, hollow ones the target's.")),
    acts.length > 0 && h("ol", { class: "acts" }, acts.map((act) => h("li", null, `${act.word} `, h("span", { class: "quiet" }, ms(Math.round(act.at)))))),
    marksInWords(lanes)];
}

/** The same for who cannot see the drawing, and the first things that matter at a glance. */
function marksInWords(lanes) {
  const telling = lanes.flatMap((one) => one.marks.filter((mark) => mark.look === "vain" || mark.look === "media" || mark.look === "bad").map((mark) => ({ lane: one.name, ...mark })));
  if (telling.length === 0) return null;
  return h("ul", { class: "plain-list" }, telling.slice(0, 20).map((mark) => h("li", { class: mark.look === "media" ? "" : "bad" }, h("b", null, mark.lane), " ", mark.text)));
}

function table(heads, rows, empty) {
  if (rows.length === 0) return h("p", { class: "empty" }, empty);
  return h("div", { class: "wide", tabindex: "0" }, h("table", null, h("thead", null, h("tr", null, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", null, rows.map((cells) => h("tr", null, cells.map((cell) => h("td", null, cell === undefined || cell === null ? "" : cell)))))));
}

/** A candidate's parts (RFC 8839 section 5.1), or nothing where it does not read as one. */
function candidateParts(text) {
  const words = String(text).replace(/^a=/, "").split(/\s+/);
  if (!/^candidate:/.test(words[0]) || words.length < 8) return null;
  const related = words.indexOf("raddr");
  return { component: words[1], protocol: words[2], priority: words[3], address: words[4], port: words[5], type: words[7], related: related > 0 ? words[related + 1] : "" };
}

function candidatesPanel(transcript) {
  const seen = new Map();
  const take = (end, text, how, refused) => {
    if (typeof text !== "string" || !text) return;
    const key = `${end} ${text}`;
    const one = seen.get(key) || { end, text, how: new Set(), refused: "" };
    one.how.add(how);
    one.refused = one.refused || refused || "";
    seen.set(key, one);
  };
  const pairs = [];
  const streams = new Map();
  for (const event of transcript.events) {
    if (event.event === "emitted" && event.kind === "icecandidate") {
      const value = event.value && event.value.value && event.value.value.candidate;
      take("target", value && (typeof value === "string" ? value : value.candidate), t("目标通知", "notified"));
    }
    if (event.event === "peer" && event.did === "candidate") {
      if (event.local) take("fincert", event.candidate, t("fincert 自己的", "its own"));
      else take("target", event.candidate, t("交给 fincert", "handed over"), event.refused);
    }
    if (event.event === "counted") {
      const { pair, dtls } = event.evidence;
      const key = JSON.stringify([event.peer, pair, dtls]);
      if ((pair || dtls) && !pairs.some((one) => one.key === key)) pairs.push({ key, at: event.at_us / 1000, peer: event.peer, pair, dtls });
      for (const one of event.evidence.received || []) streams.set(`r${event.peer}/${one.ssrc}`, ["←", event.peer, one]);
      for (const one of event.evidence.sent || []) streams.set(`s${event.peer}/${one.ssrc}`, ["→", event.peer, one]);
    }
  }
  const list = [...seen.values()].slice(0, 300).map((one) => {
    const parts = candidateParts(one.text);
    const said = [...one.how].join(t("、", ", "));
    const refused = one.refused && h("span", { class: "bad" }, `✕ ${one.refused}`);
    return parts ? [endWord(one.end), parts.type, parts.protocol, `${parts.address} : ${parts.port}`, parts.priority, [said, " ", refused]]
      : [endWord(one.end), "?", "", short(one.text, 160), "", [said, " ", refused]];
  });
  return [
    h("h3", { class: "minor" }, t("选定的候选对与 DTLS", "Selected pair and DTLS")),
    table([t("时刻", "at"), "fincert", t("目标", "target"), t("fincert 的 DTLS 角色", "DTLS role of fincert"), t("密码套件", "cipher")],
      pairs.map((one) => [ms(Math.round(one.at)), one.pair && one.pair.local, one.pair && one.pair.remote, one.dtls && one.dtls.role, one.dtls && one.dtls.cipher]),
      t("没有选定候选对：连接没有建立。", "No pair was selected: the connection never came up.")),
    h("h3", { class: "minor" }, t("候选", "Candidates")),
    table([t("来自", "whose"), t("类型", "type"), t("协议", "protocol"), t("地址", "address"), t("优先级", "priority"), t("经过", "what became of it")], list, t("没有候选。", "There were no candidates.")),
    h("h3", { class: "minor" }, t("媒体", "Media")),
    table(["", "SSRC", t("类型", "kind"), t("编码", "codec"), t("包数", "packets"), t("首包", "first"), t("末包", "last"), t("接收报告", "reports")],
      [...streams.values()].map(([way, , one]) => [way === "←" ? t("收", "received") : t("发", "sent"), one.ssrc, one.kind || "?", one.codec || "", number(one.packets),
        one.firstAtUs === undefined ? "" : ms(Math.round(one.firstAtUs / 1000)), one.lastAtUs === undefined ? "" : ms(Math.round(one.lastAtUs / 1000)), one.reports === undefined ? "" : one.reports]),
      t("没有收发媒体。", "No media was sent or received.")),
  ];
}
