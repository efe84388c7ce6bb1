// Puts the page together, and again when the language changes.

function icon(paths) {
  return s("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, paths.map((d) => s("path", { d })));
}
const SUN = ["M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z", "M8 .5v1.7M8 13.8v1.7M.5 8h1.7M13.8 8h1.7M2.7 2.7l1.2 1.2M12.1 12.1l1.2 1.2M2.7 13.3l1.2-1.2M12.1 3.9l1.2-1.2"];
const MOON = ["M13.5 10.2A6 6 0 0 1 5.8 2.5a6 6 0 1 0 7.7 7.7z"];
const HALF = ["M8 1.5a6.5 6.5 0 1 0 0 13z", "M8 1.5a6.5 6.5 0 0 1 0 13"];
const PRINTER = ["M4 6V1.5h8V6M4 12H2V6h12v6h-2M4 9.5h8v5H4z"];

const SCHEMES = ["auto", "light", "dark"];
const schemeWord = (scheme) => ({ auto: t("配色：随系统", "Colours: as the system"), light: t("配色：浅色", "Colours: light"), dark: t("配色：深色", "Colours: dark") }[scheme]);

function topBar(sections) {
  const scheme = h("button", { type: "button", class: "tool" });
  const paint = () => {
    document.documentElement.dataset.scheme = state.scheme;
    put(scheme, icon({ auto: HALF, light: SUN, dark: MOON }[state.scheme]));
    scheme.title = schemeWord(state.scheme);
    scheme.setAttribute("aria-label", schemeWord(state.scheme));
  };
  scheme.addEventListener("click", () => {
    state.scheme = SCHEMES[(SCHEMES.indexOf(state.scheme) + 1) % SCHEMES.length];
    paint();
  });
  paint();
  const other = state.lang === "zh" ? "en" : "zh";
  return h("header", { class: "bar" },
    h("a", { class: "skip", href: "#summary" }, t("跳到结论", "Skip to the result")),
    h("a", { class: "brand", href: "#summary" }, "fincert"),
    h("nav", { "aria-label": t("章节", "Sections") }, sections.map(([id, word]) => h("a", { href: `#${id}` }, word))),
    h("div", { class: "tools" },
      h("button", { type: "button", class: "tool lang", lang: other === "zh" ? "zh-CN" : "en", onclick: () => {
        state.lang = other;
        render();
        document.querySelector(".lang").focus();
      } }, other === "zh" ? "中文" : "English"),
      scheme,
      h("button", { type: "button", class: "tool", title: t("打印", "Print"), "aria-label": t("打印", "Print"), onclick: () => print() }, icon(PRINTER))));
}

function render() {
  const { scrollY } = window;
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  const parts = [
    ["profiles", t("项目", "Profiles"), decisions], ["unexpected", t("意外通过", "Unexpected passes"), unexpected], ["causes", t("问题", "What to mend"), causes],
    ["fuzz", t("模糊测试", "Fuzzing"), fuzz], ["matrix", t("矩阵", "Matrix"), matrix], ["scenarios", t("场景", "Scenarios"), scenarios], ["requirements", t("要求", "Requirements"), requirements],
    ["accuracy", t("准确度", "Accuracy"), accuracy], ["flows", t("用时", "Times"), flows], ["coverage", t("覆盖", "Coverage"), coverage], ["environment", t("环境", "Environment"), environment],
  ].map(([id, word, make]) => [id, word, make()]).filter(([, , made]) => made);
  put(app, topBar(parts), h("main", null, notes(), hero(), parts.map(([, , made]) => made)),
    h("footer", null, t(`由 fincert ${D.header.fincert} 生成。`, `Made by fincert ${D.header.fincert}. `),
      t("本页不加载任何外部资源。", "This page loads nothing from elsewhere.")));
  window.scrollTo(0, scrollY);
}

// On paper every cause lies open, as far as it is told in words.
window.addEventListener("beforeprint", () => {
  for (const details of [...document.querySelectorAll("details.cause")].slice(0, 100)) {
    details.make();
    details.open = true;
  }
});

render();
