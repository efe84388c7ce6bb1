//! The nation (民族) on an identity card.

/// The 56 nations of GB/T 3304-1991 in its order, without 族, as the card and its OCR print them.
pub const NATIONS: [&str; 56] = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
];

/// Whether a text names a nation of GB/T 3304.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// One of [`NATIONS`], as printed.
    Yes,
    /// One of [`NATIONS`] with 族 behind it: an alias, to be reported as such.
    WithSuffix,
    /// Neither; the empty string too.
    No,
}

/// Looks a nation up.
///
/// Shape and rule: one of the 56 names without 族. Source: GB/T 3304-1991; field-facts, "nation".
pub fn known(value: &str) -> Known {
    if NATIONS.contains(&value) {
        Known::Yes
    } else if value.strip_suffix('族').is_some_and(|name| NATIONS.contains(&name)) {
        Known::WithSuffix
    } else {
        Known::No
    }
}

/// Whether a text is exactly one of [`NATIONS`], without 族.
pub fn is_known(value: &str) -> bool {
    known(value) == Known::Yes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_fifty_six() {
        assert_eq!(HashSet::from(NATIONS).len(), 56);
        for name in NATIONS {
            assert_eq!(known(name), Known::Yes);
            assert_eq!(known(&format!("{name}族")), Known::WithSuffix);
            assert!(is_known(name) && !is_known(&format!("{name}族")));
        }
    }

    #[test]
    fn nothing_else_is_known() {
        for other in ["", "族", "汉族族", " 汉", "漢", "其他", "蒙"] {
            assert_eq!(known(other), Known::No, "{other}");
        }
    }
}
