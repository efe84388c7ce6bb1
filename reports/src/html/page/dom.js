// The one gate to the page: h() and s() make elements, and every string that they are given becomes text. Nothing here or
// elsewhere makes markup, an address, a style or a handler of data.

const app = document.getElementById("app");
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const D = read("data");

// What moves nothing on a terminal may still turn the direction of writing here, or hide. Line feeds and tabs stay.
const DECEPTIVE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f]|\p{M}{5,}/gu;
const escaped = (found) =>
  found === "\n" || found === "\t" ? found
    : Array.from(found, (c) => `\\u{${c.codePointAt(0).toString(16)}}`).join("");
const clean = (text) => String(text).replace(DECEPTIVE, escaped);

function fill(element, props, children) {
  for (const [key, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : clean(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(clean(child)));
  }
  return element;
}
const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);
const s = (tag, props, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);

/** Puts children in the place of those that are there. */
const put = (element, ...children) => {
  element.replaceChildren();
  return fill(element, null, children);
};

// What the reader has chosen. What was opened stays open when the language changes.
const state = { lang: D.lang, scheme: "auto", open: new Set(), page: {} };
const t = (zh, en) => (state.lang === "zh" ? zh : en);
const say = (both) => (both ? both[state.lang] : "");
const number = (value) => value.toLocaleString(state.lang === "zh" ? "zh-CN" : "en-US");
const ms = (value) => (value < 10000 ? `${number(value)} ms` : `${number(Math.round(value / 100) / 10)} s`);

const LONGEST = 4000;
const clip = (text, limit = LONGEST) => {
  const whole = String(text);
  if (whole.length <= limit) return whole;
  return `${whole.slice(0, limit)}… (${t(`共 ${number(whole.length)} 个字符`, `${number(whole.length)} characters`)})`;
};

/** Details whose body is made when they are first opened. `key` keeps them open over a change of language. */
function lazy(key, props, summary, body) {
  const element = h("details", props, h("summary", null, summary));
  let made = false;
  const make = () => {
    if (made) return;
    made = true;
    element.append(h("div", { class: "body" }, body()));
  };
  element.make = make;
  element.addEventListener("toggle", () => {
    if (element.open) {
      state.open.add(key);
      make();
    } else state.open.delete(key);
  });
  if (state.open.has(key)) {
    make();
    element.open = true;
  }
  return element;
}

/** A list that grows as it is scrolled to, `step` entries at a time. */
function growing(items, make, step = 60, tag = "div", props = null) {
  const box = h(tag, props);
  let shown = 0;
  const more = h("button", { type: "button", class: "more" });
  const holder = tag === "tbody" ? h("tr", null, h("td", { colspan: 20 }, more)) : tag === "div" ? more : h("li", { class: "more-row" }, more);
  const grow = () => {
    holder.remove();
    const next = items.slice(shown, shown + step);
    box.append(...next.map((item, index) => make(item, shown + index)));
    shown += next.length;
    if (shown < items.length) {
      more.textContent = t(`显示其余 ${number(items.length - shown)} 项`, `Show the other ${number(items.length - shown)}`);
      box.append(holder);
    }
  };
  more.addEventListener("click", grow);
  if ("IntersectionObserver" in window) {
    new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) more.click();
    }, { rootMargin: "400px" }).observe(more);
  }
  grow();
  return box;
}

/** A command that can be copied. */
function command(text) {
  const button = h("button", { type: "button", class: "copy", onclick: async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages from a file have no clipboard in some browsers: select it, and try the old way.
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    button.textContent = done ? t("已复制", "Copied") : t("已选中", "Selected");
    setTimeout(() => { button.textContent = t("复制", "Copy"); }, 2000);
  } }, t("复制", "Copy"));
  const code = h("code", null, text);
  return h("div", { class: "command" }, h("span", { class: "prompt", "aria-hidden": "true" }, "$"), code, button);
}

const section = (id, title, note, ...children) =>
  h("section", { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), note && h("p", { class: "note" }, note), children);

const json = (value) => h("pre", { class: "json", tabindex: "0" }, clip(JSON.stringify(value, null, 2), 20000));
