// The words of verdicts and reasons come with the data; here are their signs, which say the same as their colours.

const OUTCOMES = D.words.outcomes.map(([word]) => word);
const outcomeWords = Object.fromEntries(D.words.outcomes);
const standingWords = Object.fromEntries(D.words.standings);
const reasonWords = Object.fromEntries(D.words.reasons.map(([code, text, advice]) => [code, { text, advice }]));
const SIGNS = {
  pass: "✓", warn: "!", fail: "✕", inconclusive: "?", "could-not-run": "⊘", "not-exercised": "○", "not-applicable": "–",
};
/** The order of a summary, the worst last but what counts for nothing. */
const ORDER = ["pass", "warn", "fail", "inconclusive", "could-not-run", "not-exercised", "not-applicable"];

const outcomeWord = (outcome) => say(outcomeWords[outcome]) || outcome;
const chip = (outcome, text) =>
  h("span", { class: `chip ${outcome}` }, h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[outcome]), text || outcomeWord(outcome));
const level = (word) => h("span", { class: `level ${String(word).toLowerCase()}` }, word);
const decisionWord = (decision) => ({
  certified: t("通过认证", "certified"), "not-certified": t("未通过认证", "not certified"),
  "not-asked": t("未要求", "not asked"), "not-offered": t("暂不提供", "not offered"),
}[decision] || decision);
const integrationWord = (word) => ({
  integrated: t("已集成", "integrated"), absent: t("未集成", "absent"), custom: t("宿主自定义", "custom"),
}[word] || word);
const styleWord = (word) => ({ callbacks: t("回调", "callbacks"), promise: "promise", native: t("原生", "native") }[word] || word);
const profileWord = (name) => ({
  every: t("所有项目", "every profile"), integration: t("集成状态", "integration states"),
  ocr: t("OCR 识别", "OCR recognition"), face: t("人脸核身", "face verification"),
  liveness: t("活体检测", "liveness check"), "open-app": t("打开其他 App", "opening other apps"),
  "witness-video": t("视频见证", "video witness"), recorder: t("双录", "recorder"),
  webrtc: "WebRTC", "webrtc-components": t("WebRTC 组件", "WebRTC components"),
  "ocr:BankCard": t("银行卡", "bank card"), "ocr:IDCard": t("身份证", "identity card"),
  "ocr:IDCardCheck": t("身份证质量检测", "identity card check"), "ocr:BusiCert": t("营业执照", "business licence"),
}[name] || "");
const reasonText = (code) => (reasonWords[code] ? say(reasonWords[code].text) : code);
const reasonAdvice = (code) => (reasonWords[code] ? say(reasonWords[code].advice) : "");
const endedWord = (ended) => ({
  driven: t("已驱动", "driven"), skipped: t("已跳过", "skipped"), broken: t("中断", "broken off"),
}[ended.how] || ended.how);

const endWord = (end) => (end === "fincert" ? "fincert" : t("目标", "target"));
const actWord = (act) => ({
  media: t("等待媒体", "media awaited"), "target-adds-video": t("目标中途加入视频", "the target adds video"),
  "fincert-adds-video": t("fincert 中途加入视频", "fincert adds video"),
  "target-renegotiates": t("目标重新协商", "the target renegotiates"),
  "fincert-renegotiates": t("fincert 重新协商", "fincert renegotiates"),
  "ten-renegotiations": t("协商十次", "ten renegotiations"),
  "target-restarts-ice": t("目标重启 ICE", "the target restarts ICE"),
  "fincert-restarts-ice": t("fincert 重启 ICE", "fincert restarts ICE"),
  "target-stops-tracks": t("目标停止轨道", "the target stops its tracks"), "target-closes": t("目标关闭", "the target closes"),
  "fincert-closes": t("fincert 关闭", "fincert closes"), "fincert-vanishes": t("fincert 突然消失", "fincert vanishes"),
}[act] || act);
const awaitWord = (what) => ({
  "target-connected": t("目标连通", "the target to be connected"), "peer-connected": t("fincert 端连通", "fincert's peer to be connected"),
  rtp: "RTP", "receiver-report": t("接收报告", "a receiver report"), event: t("事件", "the event"), property: t("属性", "the property"),
  gathered: t("候选收集完毕", "the end of gathering"), "relay-candidate": t("中继候选", "a relay candidate"),
  "target-disconnected": t("目标断开", "the target to be disconnected"), "target-failed": t("目标失败", "the target to fail"),
  silence: t("媒体停止", "silence"), "peer-disconnected": t("fincert 端断开", "fincert's peer to be disconnected"),
  answer: t("应答", "the answer"),
}[what] || what);
