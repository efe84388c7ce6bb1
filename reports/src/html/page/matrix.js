// Requirement × scenario. Only what is in view is on the page: ten thousand columns cost as much as fifty.

const CELL = 22;
const HEAD = 132;

function matrixRows() {
  const rows = [];
  let clause = null;
  for (const row of D.requirements) {
    if (row.clause !== clause) {
      clause = row.clause;
      const title = D.clauses.find(([number]) => number === clause);
      rows.push({ heading: `${clause} ${title ? say(title[1]) : ""}` });
    }
    rows.push({ row });
  }
  return rows;
}

/** The first place in `cells` (scenario, outcome in turn) whose scenario is not before `from`. */
function seek(cells, from) {
  let [low, high] = [0, cells.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cells[middle * 2] < from) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

function matrix() {
  if (D.requirements.length === 0 || D.scenarios.length === 0) return null;
  const only = state.page.matrix || "all";
  const bad = new Set(["fail", "warn", "inconclusive", "could-not-run"].map((word) => OUTCOMES.indexOf(word)));
  let rows = matrixRows();
  let columns = D.scenarios.map((_, index) => index);
  if (only === "bad") {
    const touched = new Set();
    rows = rows.filter(({ row }) => {
      let some = false;
      for (let i = 0; row && i < row.cells.length; i += 2) {
        if (!bad.has(row.cells[i + 1])) continue;
        some = true;
        touched.add(row.cells[i]);
      }
      return some;
    });
    columns = [...touched].sort((a, b) => a - b);
  }
  const placeOf = new Map(columns.map((scenario, place) => [scenario, place]));
  const dense = only === "all";
  const readout = h("p", { class: "readout", role: "status" }, t("指向或用方向键移到一格，这里说明它。", "Point at a cell, or go there with the arrow keys, to be told of it."));
  const names = h("div", { class: "matrix-names" });
  const heads = h("div", { class: "matrix-heads", "aria-hidden": "true" });
  const cells = h("div", { class: "matrix-cells" });
  const canvas = h("div", { class: "matrix-canvas" }, heads, names, cells);
  const scroller = h("div", { class: "matrix", tabindex: "0", role: "application", "aria-label": t("要求与场景的矩阵，用方向键移动", "Matrix of requirements and scenarios; move with the arrow keys") }, canvas);
  scroller.style.height = `min(${HEAD + rows.length * CELL + 24}px, 620px, 76vh)`;
  const nameWidth = () => (scroller.clientWidth < 560 ? 150 : 330);
  const at = { row: rows[0] && rows[0].heading ? 1 : 0, column: 0 };
  let active = false;
  const cellOf = (row, place) => {
    const scenario = columns[place];
    const index = seek(row.cells, scenario);
    return row.cells[index] === scenario ? OUTCOMES[row.cells[index + 1]] : null;
  };
  const tell = (row, place) => {
    const outcome = cellOf(row, place);
    const reason = (row.reasons || []).find(([scenario]) => scenario === columns[place]);
    put(readout, h("code", null, row.requirement), " × ", h("code", null, D.scenarios[columns[place]].id), " ",
      outcome ? chip(outcome) : t("未涉及", "not touched"), reason ? ` ${reasonText(reason[1])}` : "");
  };
  const draw = () => {
    const width = nameWidth();
    const [top, left] = [scroller.scrollTop, scroller.scrollLeft];
    const [r0, r1] = [Math.max(0, Math.floor(top / CELL) - 4), Math.min(rows.length, Math.ceil((top + scroller.clientHeight) / CELL) + 4)];
    const [c0, c1] = [Math.max(0, Math.floor(left / CELL) - 4), Math.min(columns.length, Math.ceil((left + scroller.clientWidth - width) / CELL) + 8)];
    canvas.style.width = `${width + columns.length * CELL + 120}px`;
    canvas.style.height = `${HEAD + rows.length * CELL + 8}px`;
    heads.style.paddingLeft = `${width}px`;
    names.style.width = `${width}px`;
    const headItems = [];
    for (let place = c0; place < c1; place += 1) {
      const head = h("span", { class: active && place === at.column ? "here" : "" }, short(D.scenarios[columns[place]].id, 60));
      head.style.left = `${width + place * CELL}px`;
      headItems.push(head);
    }
    put(heads, headItems);
    const nameItems = [];
    const cellItems = [];
    for (let index = r0; index < r1; index += 1) {
      const { heading, row } = rows[index];
      const name = heading ? h("span", { class: "heading" }, heading)
        : h("span", { class: active && index === at.row ? "here" : "", title: row.text ? (state.lang === "zh" ? row.text.zh : row.text.en) : "" },
          h("i", { class: `sign ${row.outcome}`, "aria-hidden": "true" }, SIGNS[row.outcome]), row.requirement);
      name.style.top = `${index * CELL}px`;
      nameItems.push(name);
      if (heading) continue;
      for (let i = seek(row.cells, columns[c0]); i < row.cells.length; i += 2) {
        const place = placeOf.get(row.cells[i]);
        if (row.cells[i] > columns[c1 - 1]) break;
        if (place === undefined) continue;
        const outcome = OUTCOMES[row.cells[i + 1]];
        const cell = h("span", { class: `cell ${outcome}` }, SIGNS[outcome]);
        cell.style.left = `${width + place * CELL}px`;
        cell.style.top = `${index * CELL}px`;
        cellItems.push(cell);
      }
    }
    if (active) {
      const mark = h("span", { class: "cursor" });
      mark.style.left = `${width + at.column * CELL}px`;
      mark.style.top = `${at.row * CELL}px`;
      cellItems.push(mark);
    }
    put(names, nameItems);
    put(cells, cellItems);
  };
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
  scroller.addEventListener("scroll", soon, { passive: true });
  if ("ResizeObserver" in window) new ResizeObserver(soon).observe(scroller);
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    const place = Math.floor((event.clientX - box.left - nameWidth()) / CELL);
    const index = Math.floor((event.clientY - box.top - HEAD) / CELL);
    const inHead = event.clientY - scroller.getBoundingClientRect().top < HEAD;
    if (inHead || !rows[index] || rows[index].heading || columns[place] === undefined) return;
    at.row = index;
    at.column = place;
    tell(rows[index].row, place);
    soon();
  };
  scroller.addEventListener("pointermove", point);
  scroller.addEventListener("click", point);
  scroller.addEventListener("focus", () => { active = true; soon(); });
  scroller.addEventListener("blur", () => { active = false; soon(); });
  scroller.addEventListener("keydown", (event) => {
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [15, 0], PageUp: [-15, 0], Home: [0, -at.column], End: [0, columns.length] }[event.key] || [0, 0];
    if (!down && !right) return;
    event.preventDefault();
    let row = Math.min(Math.max(at.row + down, 0), rows.length - 1);
    while (rows[row] && rows[row].heading) row += down < 0 ? -1 : 1;
    if (rows[row]) at.row = row;
    at.column = Math.min(Math.max(at.column + right, 0), columns.length - 1);
    const [y, x] = [at.row * CELL, at.column * CELL];
    if (y < scroller.scrollTop) scroller.scrollTop = Math.max(y - CELL, 0);
    if (y + CELL > scroller.scrollTop + scroller.clientHeight - HEAD) scroller.scrollTop = y + 2 * CELL - scroller.clientHeight + HEAD;
    if (x < scroller.scrollLeft) scroller.scrollLeft = x;
    if (x + CELL > scroller.scrollLeft + scroller.clientWidth - nameWidth()) scroller.scrollLeft = x + 2 * CELL - scroller.clientWidth + nameWidth();
    tell(rows[at.row].row, at.column);
    soon();
  });
  requestAnimationFrame(draw);
  const any = D.requirements.some((row) => row.cells.some((outcome, index) => index % 2 === 1 && bad.has(outcome)));
  return section("matrix", t("矩阵：要求 × 场景", "Matrix: requirement × scenario"), null,
    h("div", { class: "controls" },
      any && filters([{ key: "all", word: t("全部", "All") }, { key: "bad", word: t("只看非通过", "Only what did not pass") }], only, (key) => {
        state.page.matrix = key;
        document.getElementById("matrix").replaceWith(matrix());
      }),
      h("ul", { class: "legend" }, ORDER.filter((outcome) => dense || bad.has(OUTCOMES.indexOf(outcome))).map((outcome) => h("li", null, chip(outcome))))),
    readout, scroller);
}
