//! The words of the reports in both languages. One word a thing, as in the design.

use fincert_schemas::Lang;
use fincert_schemas::bridge::{CallStyle, Integration};
use fincert_schemas::run::{Decision, Outcome, Standing};

use crate::page::{GLUE, Row, Tone};

/// The one of two texts that the reader understands.
pub(crate) fn say<'a>(lang: Lang, zh: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// The other language.
pub(crate) fn other(lang: Lang) -> Lang {
    match lang {
        Lang::Zh => Lang::En,
        Lang::En => Lang::Zh,
    }
}

/// A verdict's word.
pub(crate) fn outcome(lang: Lang, outcome: Outcome) -> &'static str {
    match lang {
        Lang::En => outcome.as_str(),
        Lang::Zh => match outcome {
            Outcome::NotApplicable => "不适用",
            Outcome::NotExercised => "未检验",
            Outcome::Pass => "通过",
            Outcome::Warn => "警告",
            Outcome::Inconclusive => "无法判定",
            Outcome::CouldNotRun => "无法运行",
            Outcome::Fail => "不通过",
        },
    }
}

/// A verdict's tone.
pub(crate) fn outcome_tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::NotApplicable | Outcome::NotExercised => Tone::Quiet,
        Outcome::Pass => Tone::Good,
        Outcome::Warn => Tone::Warn,
        Outcome::Inconclusive | Outcome::CouldNotRun => Tone::Odd,
        Outcome::Fail => Tone::Bad,
    }
}

/// A decision's word.
pub(crate) fn decision(lang: Lang, decision: Decision) -> &'static str {
    match decision {
        Decision::Certified => say(lang, "通过认证", "certified"),
        Decision::NotCertified => say(lang, "未通过认证", "not certified"),
        Decision::NotAsked => say(lang, "未要求", "not asked"),
        Decision::NotOffered => say(lang, "暂不提供", "not offered"),
    }
}

/// A decision's tone.
pub(crate) fn decision_tone(decision: Decision) -> Tone {
    match decision {
        Decision::Certified => Tone::Good,
        Decision::NotCertified => Tone::Bad,
        Decision::NotAsked | Decision::NotOffered => Tone::Quiet,
    }
}

/// How a run stands.
pub(crate) fn standing(lang: Lang, standing: Standing) -> &'static str {
    match standing {
        Standing::Certified => say(lang, "通过认证", "certified"),
        Standing::AsExpected => say(lang, "未通过认证，符合预期", "not certified, as expected"),
        Standing::NotCertified => say(lang, "未通过认证", "not certified"),
        Standing::UnexpectedPass => say(lang, "已知失败项意外通过", "known failures passed"),
        Standing::Nothing => say(lang, "没有可供认证的项目", "nothing was there to certify"),
    }
}

/// The word of a state of integration.
pub fn integration(lang: Lang, state: Integration) -> &'static str {
    match state {
        Integration::Integrated => say(lang, "已集成", "integrated"),
        Integration::Absent => say(lang, "未集成", "absent"),
        Integration::Custom => say(lang, "宿主自定义", "custom"),
    }
}

/// A call style.
pub(crate) fn call_style(lang: Lang, style: CallStyle) -> &'static str {
    match style {
        CallStyle::Callbacks => say(lang, "回调", "callbacks"),
        CallStyle::Promise => "promise",
        CallStyle::Native => say(lang, "原生", "native"),
    }
}

/// `1 warning`, `2 warnings`; in Chinese a measure word and no plural.
pub(crate) fn count(lang: Lang, number: usize, zh: &str, one: &str, many: &str) -> String {
    match lang {
        Lang::Zh => format!("{number}{GLUE}{zh}"),
        Lang::En => format!("{number}{GLUE}{}", if number == 1 { one } else { many }),
    }
}

/// Names, five at the most.
pub(crate) fn some_of<'a>(lang: Lang, names: impl IntoIterator<Item = &'a str>, limit: usize) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.len().min(limit);
    let mut text = names[..shown].join(say(lang, "、", ", "));
    if names.len() > shown {
        text.push_str(&more(lang, names.len() - shown));
    }
    text
}

/// What is left out of a list.
pub(crate) fn more(lang: Lang, number: usize) -> String {
    match lang {
        Lang::Zh => format!(" … 另有 {number} 项"),
        Lang::En => format!(" … and {number} more"),
    }
}

/// A row that begins with the name of a field; what follows stands in one column.
pub(crate) fn label(lang: Lang, indent: usize, zh: &str, en: &str) -> Row {
    let column = match lang {
        Lang::Zh => 6,
        Lang::En => 10,
    };
    Row::at(indent).put(Tone::Label, say(lang, zh, en)).pad(indent + column).hang()
}
