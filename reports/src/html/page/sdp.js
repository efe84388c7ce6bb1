// The SDP of a flow, two descriptions side by side, with what differs marked by sign and colour.

function descriptionsOf(transcript) {
  const list = [];
  const add = (at, end, kind, sdp, refused) => {
    if (typeof sdp !== "string" || !sdp) return;
    const last = list[list.length - 1];
    if (list.some((one) => one.sdp === sdp && one.end === end && one.kind === kind)) return;
    if (list.length < 60) list.push({ at, end, kind: kind || "?", sdp, refused, after: last });
  };
  const methods = new Map();
  for (const event of transcript.events) {
    const at = event.at_us / 1000;
    if (event.event === "call") methods.set(event.id, event.method);
    if (event.event === "answer" && /create(Offer|Answer)$/.test(methods.get(event.id) || "") && event.value && event.value.value) {
      add(at, "target", event.value.value.type, event.value.value.sdp);
    }
    if (event.event === "peer" && event.did === "description") add(at, event.local ? "fincert" : "target", event.kind, event.sdp, event.refused);
  }
  return list;
}

/** The session part and each m-section. */
function sectionsOf(sdp) {
  const sections = [[]];
  for (const line of sdp.split(/\r\n|\n|\r/).slice(0, 3000)) {
    if (line === "") continue;
    if (line.startsWith("m=")) sections.push([]);
    sections[sections.length - 1].push(line);
  }
  return sections;
}

/** What kind of line it is: lines of one kind are compared with each other. */
const kindOf = (line) => {
  const found = /^a=((?:rtpmap|fmtp|rtcp-fb|extmap):\S+|[^:\s]+)/.exec(line);
  return found ? `a=${found[1]}` : line.slice(0, 2);
};

/** Pairs of lines: equal, changed, or at one side alone. */
function alignSection(left, right) {
  const rows = [];
  const taken = new Array(right.length).fill(false);
  const places = new Map();
  right.forEach((line, index) => {
    if (!places.has(line)) places.set(line, []);
    places.get(line).push(index);
  });
  const equal = left.map((line) => {
    const at = (places.get(line) || []).find((index) => !taken[index]);
    if (at !== undefined) taken[at] = true;
    return at;
  });
  const kinds = new Map();
  right.forEach((line, index) => {
    if (taken[index]) return;
    const kind = kindOf(line);
    if (!kinds.has(kind)) kinds.set(kind, []);
    kinds.get(kind).push(index);
  });
  left.forEach((line, index) => {
    if (equal[index] !== undefined) return rows.push(["same", line, right[equal[index]]]);
    const others = kinds.get(kindOf(line)) || [];
    if (others.length) return rows.push(["changed", line, right[others.shift()]]);
    return rows.push(["left", line, ""]);
  });
  for (const others of kinds.values()) for (const index of others) rows.push(["right", "", right[index]]);
  return rows;
}

function alignSdp(left, right) {
  const [a, b] = [sectionsOf(left), sectionsOf(right)];
  return Array.from({ length: Math.max(a.length, b.length) }, (_, index) => alignSection(a[index] || [], b[index] || []));
}

/** The part in the middle that differs. */
function marked(line, other) {
  let from = 0;
  while (from < line.length && from < other.length && line[from] === other[from]) from += 1;
  let to = 0;
  while (to < line.length - from && to < other.length - from && line[line.length - 1 - to] === other[other.length - 1 - to]) to += 1;
  const end = line.length - to;
  return [line.slice(0, from), end > from && h("mark", null, line.slice(from, end)), line.slice(end)];
}

const DIFF_SIGNS = { same: " ", changed: "≠", left: "−", right: "+" };

function sdpPanel(transcript) {
  const list = descriptionsOf(transcript);
  if (list.length === 0) return h("p", { class: "empty" }, t("没有交换 SDP。", "No SDP was exchanged."));
  const name = (one, index) => `${index + 1}. ${endWord(one.end)} ${short(one.kind, 20)} · ${ms(Math.round(one.at))}${one.refused ? ` ✕` : ""}`;
  let [left, right] = [0, Math.min(1, list.length - 1)];
  let all = false;
  const box = h("div", null);
  const draw = () => {
    const sections = alignSdp(list[left].sdp, list[right].sdp);
    const changed = sections.flat().filter(([kind]) => kind !== "same").length;
    const body = sections.map((rows, index) => {
      const shown = rows.filter(([kind]) => all || kind !== "same" || rows.length < 6);
      const head = index === 0 ? t("会话", "session") : `m=${((rows[0] || [])[1] || (rows[0] || [])[2] || "").slice(2, 40)}`;
      return h("tbody", null,
        h("tr", { class: "part" }, h("th", { colspan: 3, scope: "rowgroup" }, head, h("span", { class: "quiet" }, rows.length > shown.length ? t(` 另有 ${rows.length - shown.length} 行相同`, ` ${rows.length - shown.length} equal lines`) : ""))),
        shown.map(([kind, a, b]) => h("tr", { class: kind },
          h("td", { class: "sign" }, DIFF_SIGNS[kind]),
          h("td", null, kind === "changed" ? marked(a, b) : a), h("td", null, kind === "changed" ? marked(b, a) : b))));
    });
    const refusals = [left, right].filter((index, place, both) => list[index].refused && both.indexOf(index) === place).map((index) =>
      h("p", { class: "field hint" }, h("b", null, `${index + 1}. ${t("被拒绝", "refused")}`), list[index].refused));
    put(box, h("p", { class: "note" }, t(`${changed} 行不同`, `${changed} line${changed === 1 ? " differs" : "s differ"}`)), refusals,
      h("div", { class: "wide", tabindex: "0" }, h("table", { class: "sdp" }, h("thead", null, h("tr", null, h("td", null),
        h("th", { scope: "col" }, name(list[left], left)), h("th", { scope: "col" }, name(list[right], right)))), body)));
  };
  const select = (chosen, label, choose) => h("label", null, label, " ", h("select", { onchange: (event) => {
    choose(Number(event.target.value));
    draw();
  } }, list.map((one, index) => h("option", { value: index, selected: index === chosen }, name(one, index)))));
  draw();
  return [h("div", { class: "controls" },
    select(left, t("左", "left"), (index) => { left = index; }), select(right, t("右", "right"), (index) => { right = index; }),
    h("label", { class: "check" }, h("input", { type: "checkbox", onchange: (event) => {
      all = event.target.checked;
      draw();
    } }), t("显示相同的行", "Equal lines as well"))), box];
}
