//! Reason codes: why a verdict is neither pass, warn nor fail, and why a frame could not be used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Bilingual;

macro_rules! reasons {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $code:literal, $zh:literal, [$todo_zh:literal, $todo_en:literal]; )+) => {
        /// Why something could not be judged.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Reason { $( $(#[doc = $doc])+ $variant, )+ }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),+];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Reason::$variant => $code),+ }
            }

            /// What it means.
            pub fn text(self) -> Bilingual {
                match self { $(Reason::$variant => Bilingual::new($zh, concat!($($doc),+).trim())),+ }
            }

            /// What to do about it.
            pub fn advice(self) -> Bilingual {
                match self { $(Reason::$variant => Bilingual::new($todo_zh, $todo_en)),+ }
            }
        }
    };
}

reasons! {
    /// The target does not declare the capability.
    NotDeclared = "not-declared", "目标未声明该能力。", ["支持之后，在 bridge.hello 的应答中声明该能力。", "Add the capability to the answer to bridge.hello once it is supported."];
    /// The declared integration state, platform or call style makes the requirement not applicable.
    ConditionNotMet = "condition-not-met", "目标声明的集成状态、平台或调用方式下此要求不适用。", ["无需处理：该要求在别处适用。", "Nothing: the requirement holds elsewhere."];
    /// Nothing that the target did in this run touched it.
    NotTouched = "not-touched", "目标在本次运行中的表现没有涉及此要求。", ["此要求针对的情形没有出现，例如某种结果或取值；请看相关场景得到了什么。", "What it speaks of never happened, such as a certain result; see what its scenarios brought."];
    /// No successful result was seen, and the requirement speaks of successful results.
    NoSuccessSeen = "no-success-seen", "没有看到成功的结果，而此要求针对成功结果。", ["请查看各次调用的 errorCode 与 errMsg：没有一张样本被识别。", "See the errorCode and errMsg of the calls: the target recognised none of the specimens."];
    /// No check judges it yet.
    NoCheck = "no-check", "尚无检查项判定此要求。", ["原因见 `fincert explain` 对该要求的说明。", "See `fincert explain` on the requirement for the reason."];
    /// The scenario needs a person and nobody stands by.
    NeedsPerson = "needs-person", "此场景需要真人操作，而现场无人。", ["请在有人值守时运行，目标声明 `human: true`，且不带 --unattended。", "Run attended, with a target that says `human: true`, and without --unattended."];
    /// Not asked for by --profile.
    NotAsked = "not-asked", "未被 --profile 要求认证。", ["不带 --profile 运行，或在其中列出它。", "Run without --profile, or name it there."];
    /// Excluded by --filter.
    FilteredOut = "filtered-out", "被 --filter 排除。", ["认证时请不要使用 --filter。", "Run without --filter to certify."];
    /// The program was not found or may not be executed.
    TargetNotFound = "target-not-found", "找不到目标程序，或无权执行。", ["请检查 `stdio:` 或 `browser:` 之后的命令及其路径。", "Check the command after `stdio:` or `browser:` and its path."];
    /// Nothing accepted the connection.
    ConnectionRefused = "connection-refused", "连接被拒绝。", ["请启动目标，并检查地址与端口。", "Start the target, and check address and port."];
    /// The connection was accepted, but it is not a WebSocket of the bridge.
    HandshakeFailed = "handshake-failed", "WebSocket 握手失败。", ["请检查地址中的路径与令牌。", "Check the path and the token of the address."];
    /// bridge.hello was not answered within its deadline.
    HelloTimeout = "hello-timeout", "目标未在期限内应答 bridge.hello。", ["目标是否按行读取 JSON，并在每次应答后刷新输出？", "Does the target read one JSON object a line, and flush after each answer?"];
    /// The answer to bridge.hello is not what the bridge's schema wants.
    HelloInvalid = "hello-invalid", "bridge.hello 的应答不符合模式。", ["请对照 schemas/bridge/hello.json，详情中指明了位置。", "Compare with schemas/bridge/hello.json; the detail names the pointer."];
    /// The target speaks another version of the bridge.
    ProtocolVersion = "protocol-version", "桥协议版本不一致。", ["fincert 使用桥协议版本 1。", "fincert speaks bridge protocol 1."];
    /// The target's process ended or its connection closed.
    TargetExited = "target-exited", "目标进程退出或连接关闭。", ["请查看退出状态和 stderr 的最后几行。", "See the exit status and the last lines of stderr."];
    /// The target stopped answering, pings included.
    TargetHung = "target-hung", "目标不再应答，包括 ping。", ["调用未完成时，桥也必须应答 bridge.ping。", "The bridge must answer bridge.ping while a call is pending."];
    /// The target refused or did not answer bridge.putFile.
    PutFileFailed = "put-file-failed", "目标无法接收文件(bridge.putFile)。", ["请实现 bridge.putFile 的 base64 与 fill。", "Implement bridge.putFile with base64 and fill."];
    /// A frame was larger than 16 MiB, or held more than 100,000 values, and was discarded.
    FrameTooLarge = "frame-too-large", "消息超过 16 MiB 或 100,000 个值，已丢弃。", ["每条消息不超过 16 MiB、100,000 个值。", "Send messages of at most 16 MiB and 100,000 values."];
    /// A frame was nested deeper than 64 levels.
    FrameTooDeep = "frame-too-deep", "消息嵌套超过 64 层。", ["本 API 的结果只有几层嵌套。", "Results of this API are a few levels deep."];
    /// A frame was not JSON.
    FrameNotJson = "frame-not-json", "消息不是 JSON。", ["日志请写到 stderr；NaN 与 Infinity 以 {\"$number\": …} 传递。", "Write logs to stderr; NaN and Infinity travel as {\"$number\": …}."];
    /// A frame was JSON but not a message of the bridge.
    NotAMessage = "not-a-message", "消息是 JSON，但不是桥协议消息。", ["每条消息带有 jsonrpc，以及 result、error 或 method。", "Each message carries jsonrpc, and result, error or method."];
    /// An answer carried an id that was not waiting.
    UnknownId = "unknown-id", "应答的 id 不是任何等待中调用的 id。", ["请以请求中的 id（数字）应答。", "Answer with the id of the request, as a number."];
    /// Frames came faster or in greater number than a scenario may hold.
    Flood = "flood", "目标发送的消息过多。", ["每个场景至多 2,000 条消息、64 MiB。", "At most 2,000 frames and 64 MiB a scenario."];
    /// The call was answered only after its deadline.
    LateAnswer = "late-answer", "应答在期限之后才到达。", ["期限是目标实测耗时的倍数；参见 --min-wait。", "The deadline is a multiple of what the target was measured to need; see --min-wait."];
    /// The target failed too often in a row and was not started again.
    BreakerOpen = "breaker-open", "目标连续失败次数过多，不再重启。", ["请先解决第一个失败，其余由它引起。", "Mend the first failure; the rest follow from it."];
    /// The two referees saw different things of ICE, DTLS or media.
    RefereesDisagree = "referees-disagree", "两个裁判端所见不同（ICE、DTLS 或媒体）。", ["两份记录都在运行记录中；请重新运行，仍不一致时请把记录发给 fincert。", "Both transcripts are in the record; run again, and if they still disagree send the record to fincert."];
    /// Only one referee was asked, and one peer's word on ICE, DTLS or media condemns nobody.
    OneReferee = "one-referee", "只问了一个裁判端，不足以判定失败。", ["不带 --referee 运行，失败的流程会由另一裁判端重新驱动。", "Run without --referee: a flow that fails is then driven again with the other one."];
    /// This referee cannot drive the flow.
    RefereeUnable = "referee-unable", "该裁判端无法驱动此流程。", ["无需处理：由另一裁判端单独判定。", "Nothing: the other referee judges alone."];
    /// The TURN server of the flow could not be started.
    NoTurnServer = "no-turn-server", "无法启动此流程的 TURN 服务器。", ["请检查 --turn-address，或以 --turn-server 指定您自己的服务器。", "Check --turn-address, or name a server of your own with --turn-server."];
    /// Generated requests were not driven.
    NotFuzzed = "not-fuzzed", "没有驱动生成的请求。", ["用 --fuzz N 指定每个接口的用例数；需要真人操作的接口只在指定了 --fuzz 且有人值守时驱动。", "Give --fuzz N, the cases for each API; where a person acts they are driven only with --fuzz, and with somebody standing by."];
    /// The run was interrupted.
    Interrupted = "interrupted", "运行被中断。", ["请重新运行。", "Run again."];
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
