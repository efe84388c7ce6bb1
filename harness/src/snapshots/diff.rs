//! What a reviewer sees of a change, without regard to where it is shown: lines, marked.

use similar::{ChangeTag, TextDiff};

use super::stored::Entry;

/// Unchanged lines that are shown around a change.
const AROUND: usize = 3;
/// Lines that are shown of one snapshot.
const MOST: usize = 400;

/// How a line stands to what was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// In both.
    Same,
    /// Not there any more.
    Removed,
    /// There now.
    Added,
    /// Lines are left out here.
    Gap,
}

impl Mark {
    /// The sign in front of the line.
    pub fn sign(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Removed => '-',
            Self::Added => '+',
            Self::Gap => '⋮',
        }
    }
}

/// The lines of a change: of a new snapshot all, of a changed one those that differ and some around them.
pub fn lines(entry: &Entry) -> Vec<(Mark, String)> {
    let new = entry.pending.as_ref().map_or("", |stored| stored.text.as_str());
    let old = entry.accepted.as_ref().map_or("", |stored| stored.text.as_str());
    let (old, new) = (format!("{old}\n"), format!("{new}\n"));
    let mut all = Vec::new();
    if entry.accepted.is_none() {
        all.extend(new.lines().map(|line| (Mark::Added, line.to_owned())));
    } else {
        let diff = TextDiff::from_lines(&old, &new);
        for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
            if index > 0 {
                all.push((Mark::Gap, String::new()));
            }
            for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
                let mark = match change.tag() {
                    ChangeTag::Equal => Mark::Same,
                    ChangeTag::Delete => Mark::Removed,
                    ChangeTag::Insert => Mark::Added,
                };
                all.push((mark, change.value().trim_end_matches('\n').to_owned()));
            }
        }
    }
    let more = all.len().saturating_sub(MOST);
    if more > 0 {
        all.truncate(MOST);
        all.push((Mark::Gap, format!("+{more}")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::gather::Info;
    use super::super::stored::Stored;
    use super::*;

    fn stored(text: &str) -> Option<Stored> {
        let info = Info {
            fincert: 1,
            scenario: String::new(),
            own: false,
            step: 1,
            call: String::new(),
            request: serde_json::Value::Null,
            requirements: Vec::new(),
            findings: Vec::new(),
            asked: String::new(),
            sha256: String::new(),
        };
        Some(Stored { path: "x".into(), description: String::new(), info, text: text.to_owned() })
    }

    fn shown(accepted: Option<Stored>, text: &str) -> String {
        let entry = Entry { accepted, pending: stored(text) };
        lines(&entry).iter().map(|(mark, line)| format!("{}{line}|", mark.sign())).collect()
    }

    #[test]
    fn changes_with_their_surroundings() {
        assert_eq!(shown(stored("a\nb\nc"), "a\nB\nc"), " a|-b|+B| c|");
        assert_eq!(shown(None, "a\nb"), "+a|+b|");
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12";
        assert_eq!(
            shown(stored(old), &old.replacen('1', "one", 1).replace("12", "twelve")),
            "-1|+one| 2| 3| 4|⋮| 9| 10| 11|-12|+twelve|"
        );
        let long = vec!["line"; 1000].join("\n");
        assert!(shown(None, &long).ends_with("|⋮+600|"));
    }
}
