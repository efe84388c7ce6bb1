//! Reason codes: why a verdict is neither pass, warn nor fail, and why a frame could not be used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Bilingual;

macro_rules! reasons {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $code:literal, $zh:literal, $todo:literal; )+) => {
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

            /// What to do about it, in English.
            pub fn advice(self) -> &'static str {
                match self { $(Reason::$variant => $todo),+ }
            }
        }
    };
}

reasons! {
    /// The target does not declare the capability.
    NotDeclared = "not-declared", "目标未声明该能力。", "Add the capability to the answer to bridge.hello once it is supported.";
    /// The declared integration state, platform or call style makes the requirement not applicable.
    ConditionNotMet = "condition-not-met", "目标声明的集成状态、平台或调用方式下此要求不适用。", "Nothing: the requirement holds elsewhere.";
    /// No scenario of this run touched it.
    NotTouched = "not-touched", "本次运行没有场景涉及此要求。", "Run without --filter, or add a scenario.";
    /// No successful result was seen, and the requirement speaks of successful results.
    NoSuccessSeen = "no-success-seen", "没有看到成功的结果,而此要求针对成功结果。", "See the errorCode and errMsg of the calls: the target recognised none of the specimens.";
    /// No check judges it yet.
    NoCheck = "no-check", "尚无检查项判定此要求。", "See `fincert explain` on the requirement for the reason.";
    /// The scenario needs a person and nobody stands by.
    NeedsPerson = "needs-person", "此场景需要真人操作,而现场无人。", "Run attended, with a target that says `human: true`, and without --unattended.";
    /// Excluded by --filter.
    FilteredOut = "filtered-out", "被 --filter 排除。", "Run without --filter to certify.";
    /// An older capture did not take the fact that the check needs.
    FactMissing = "fact-missing", "旧版采集没有记录此检查所需的事实。", "Record the run again.";
    /// The program was not found or may not be executed.
    TargetNotFound = "target-not-found", "找不到目标程序,或无权执行。", "Check the command after `stdio:` and its path.";
    /// Nothing accepted the connection.
    ConnectionRefused = "connection-refused", "连接被拒绝。", "Start the target, and check address and port.";
    /// The connection was accepted, but it is not a WebSocket of the bridge.
    HandshakeFailed = "handshake-failed", "WebSocket 握手失败。", "Check the path and the token of the address.";
    /// bridge.hello was not answered within its deadline.
    HelloTimeout = "hello-timeout", "目标未在期限内应答 bridge.hello。", "Does the target read one JSON object a line, and flush after each answer?";
    /// The answer to bridge.hello is not what the bridge's schema wants.
    HelloInvalid = "hello-invalid", "bridge.hello 的应答不符合模式。", "Compare with schemas/bridge/hello.json; the detail names the pointer.";
    /// The target speaks another version of the bridge.
    ProtocolVersion = "protocol-version", "桥协议版本不一致。", "fincert speaks bridge protocol 1.";
    /// The target's process ended or its connection closed.
    TargetExited = "target-exited", "目标进程退出或连接关闭。", "See the exit status and the last lines of stderr.";
    /// The target stopped answering, pings included.
    TargetHung = "target-hung", "目标不再应答,包括 ping。", "The bridge must answer bridge.ping while a call is pending.";
    /// The target refused or did not answer bridge.putFile.
    PutFileFailed = "put-file-failed", "目标无法接收文件(bridge.putFile)。", "Implement bridge.putFile with base64 and fill.";
    /// A frame was larger than 16 MiB and was discarded.
    FrameTooLarge = "frame-too-large", "消息超过 16 MiB,已丢弃。", "Send results of at most 16 MiB.";
    /// A frame was nested deeper than 64 levels.
    FrameTooDeep = "frame-too-deep", "消息嵌套超过 64 层。", "Results of this API are a few levels deep.";
    /// A frame was not JSON.
    FrameNotJson = "frame-not-json", "消息不是 JSON。", "Write logs to stderr; NaN and Infinity travel as {\"$number\": …}.";
    /// A frame was JSON but not a message of the bridge.
    NotAMessage = "not-a-message", "消息是 JSON,但不是桥协议消息。", "Each message carries jsonrpc, and result, error or method.";
    /// An answer carried an id that was not waiting.
    UnknownId = "unknown-id", "应答的 id 不是任何等待中调用的 id。", "Answer with the id of the request, as a number.";
    /// Frames came faster or in greater number than a scenario may hold.
    Flood = "flood", "目标发送的消息过多。", "At most 2,000 frames and 64 MiB a scenario.";
    /// The call was answered only after its deadline.
    LateAnswer = "late-answer", "应答在期限之后才到达。", "The deadline is a multiple of what the target was measured to need; see --max-wait.";
    /// The target failed too often in a row and was not started again.
    BreakerOpen = "breaker-open", "目标连续失败次数过多,不再重启。", "Mend the first failure; the rest follow from it.";
    /// The run was interrupted.
    Interrupted = "interrupted", "运行被中断。", "Run again.";
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
