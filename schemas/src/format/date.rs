//! Calendar dates as documents write them: `cn-date`, `cn-date-or-long`, `cn-date-range-or-long`.
//!
//! Source: rulings 2.1, "dates"; field-facts, "validity".

use super::fault::FormatFault;
use jiff::civil::Date;

/// No date and no range is longer than this many bytes; what is longer is not looked at.
const LONGEST: usize = 96;
/// What validity without end is called.
const LONG: &str = "长期";

/// The recognised written forms of a date (rulings 2.1, "dates").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenForm {
    /// `YYYYMMDD`
    Compact,
    /// `YYYY-MM-DD`
    Hyphens,
    /// `YYYY.MM.DD`
    Dots,
    /// `YYYY/M/D`, month and day of one or two digits
    Slashes,
    /// `YYYY年M月D日`, month and day of one or two digits
    Chinese,
}

impl WrittenForm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Compact, Self::Hyphens, Self::Dots, Self::Slashes, Self::Chinese];

    /// Writes `date` in this form; where one digit or two are allowed, with as few as there are.
    pub fn write(self, date: Date) -> String {
        let (y, m, d) = (date.year(), date.month(), date.day());
        match self {
            Self::Compact => format!("{y:04}{m:02}{d:02}"),
            Self::Hyphens => format!("{y:04}-{m:02}-{d:02}"),
            Self::Dots => format!("{y:04}.{m:02}.{d:02}"),
            Self::Slashes => format!("{y:04}/{m}/{d}"),
            Self::Chinese => format!("{y:04}年{m}月{d}日"),
        }
    }
}

/// A calendar date and how it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenDate {
    /// The day.
    pub date: Date,
    /// The form it was found in.
    pub form: WrittenForm,
}

impl WrittenDate {
    /// Reads a date.
    ///
    /// Shape: one of the five [`WrittenForm`]s, ASCII digits, nothing before or behind. Rule: a day that
    /// is in the calendar, of the years 1 to 9999. Source: rulings 2.1, "dates".
    ///
    /// Rules of the fault: `written-form`, `not-a-date`.
    pub fn parse(value: &str) -> Result<Self, FormatFault> {
        Fields::split(value).ok_or_else(written_form)?.date()
    }
}

/// How long a document is valid: what stands in endDate and expDate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Until that day.
    Date(WrittenDate),
    /// Without end: `长期`.
    Long,
    /// From a day until an end.
    Range(WrittenDate, RangeEnd),
}

/// The end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeEnd {
    /// That day.
    Date(WrittenDate),
    /// No end: `长期`.
    Long,
}

impl Validity {
    /// Reads a validity.
    ///
    /// Shape: a date, `长期`, or a range `A-B`, `A~B`, `A—B`, `A至B`, `自A至B`, where A is a date and B a
    /// date or `长期`; the dash and the tilde also in their full-width and doubled spellings, and spaces
    /// may stand around them. Both dates may use any form, so `2007-01-05-2027-01-05` is one range: every
    /// separator is tried, and at most one leaves whole dates on both sides. Rule: the days are in the
    /// calendar; their order is not looked at. Source: field-facts, "validity"; rulings 2.1, "dates".
    ///
    /// Rules of the fault: `written-form`, `not-a-date`.
    pub fn parse(value: &str) -> Result<Self, FormatFault> {
        if value == LONG {
            return Ok(Self::Long);
        }
        if let Some(fields) = Fields::split(value) {
            return fields.date().map(Self::Date);
        }
        let (start, end) = split_range(value).ok_or_else(written_form)?;
        let start = start.date()?;
        let end = match end {
            None => RangeEnd::Long,
            Some(fields) => RangeEnd::Date(fields.date()?),
        };
        Ok(Self::Range(start, end))
    }
}

/// `cn-date`: a calendar date, see [`WrittenDate::parse`].
///
/// Source: rulings 2.1, "dates" (birthday, startDate, regDate, foundDate). Rules of the fault:
/// `written-form`, `not-a-date`, `long-not-allowed`, `range-not-allowed`.
pub fn check_date(value: &str) -> Result<(), FormatFault> {
    match Validity::parse(value)? {
        Validity::Date(_) => Ok(()),
        Validity::Long => {
            Err(FormatFault::new("long-not-allowed", "长期 stands where a date is wanted", "此处应为日期,不得为“长期”"))
        }
        Validity::Range(..) => Err(range_not_allowed()),
    }
}

/// `cn-date-or-long`: a calendar date or `长期`, see [`Validity::parse`].
///
/// Source: rulings 2.1, "dates" (endDate). Rules of the fault: `written-form`, `not-a-date`,
/// `range-not-allowed`.
pub fn check_date_or_long(value: &str) -> Result<(), FormatFault> {
    match Validity::parse(value)? {
        Validity::Date(_) | Validity::Long => Ok(()),
        Validity::Range(..) => Err(range_not_allowed()),
    }
}

/// `cn-date-range-or-long`: a calendar date, `长期`, or a range of dates, see [`Validity::parse`].
///
/// Rule: a range does not end before it starts. Source: rulings 2.1, "dates" (expDate). Rules of the
/// fault: `written-form`, `not-a-date`, `range-order`.
pub fn check_date_range_or_long(value: &str) -> Result<(), FormatFault> {
    match Validity::parse(value)? {
        Validity::Range(start, RangeEnd::Date(end)) if end.date < start.date => {
            Err(FormatFault::new("range-order", "the range ends before it starts", "起止日期颠倒:结束早于开始"))
        }
        Validity::Date(_) | Validity::Long | Validity::Range(..) => Ok(()),
    }
}

fn written_form() -> FormatFault {
    FormatFault::new(
        "written-form",
        "not a recognised written form of a date: YYYYMMDD, YYYY-MM-DD, YYYY.MM.DD, YYYY/M/D, YYYY年M月D日",
        "不是可识别的日期写法:YYYYMMDD、YYYY-MM-DD、YYYY.MM.DD、YYYY/M/D、YYYY年M月D日",
    )
}

fn range_not_allowed() -> FormatFault {
    FormatFault::new("range-not-allowed", "a range stands where one date is wanted", "此处应为单个日期,不得为起止区间")
}

/// A text that has the form of a date, in its parts; the day need not exist.
struct Fields {
    form: WrittenForm,
    year: i16,
    month: i8,
    day: i8,
}

impl Fields {
    fn split(value: &str) -> Option<Self> {
        if value.len() > LONGEST {
            return None;
        }
        let (form, year, month, day) = if value.len() == 8 && value.bytes().all(|b| b.is_ascii_digit()) {
            (WrittenForm::Compact, value.get(..4)?, value.get(4..6)?, value.get(6..)?)
        } else if let Some(inner) = value.strip_suffix('日') {
            let (year, rest) = inner.split_once('年')?;
            let (month, day) = rest.split_once('月')?;
            (WrittenForm::Chinese, year, month, day)
        } else {
            Self::three(value, '-', WrittenForm::Hyphens)
                .or_else(|| Self::three(value, '.', WrittenForm::Dots))
                .or_else(|| Self::three(value, '/', WrittenForm::Slashes))?
        };
        let least = if matches!(form, WrittenForm::Slashes | WrittenForm::Chinese) { 1 } else { 2 };
        let number = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
            (lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<i16>().ok())
                .flatten()
        };
        Some(Self {
            form,
            year: number(year, 4..=4)?,
            month: i8::try_from(number(month, least..=2)?).ok()?,
            day: i8::try_from(number(day, least..=2)?).ok()?,
        })
    }

    fn three(value: &str, by: char, form: WrittenForm) -> Option<(WrittenForm, &str, &str, &str)> {
        let (year, rest) = value.split_once(by)?;
        let (month, day) = rest.split_once(by)?;
        Some((form, year, month, day))
    }

    fn date(&self) -> Result<WrittenDate, FormatFault> {
        match Date::new(self.year, self.month, self.day) {
            Ok(date) if self.year > 0 => Ok(WrittenDate { date, form: self.form }),
            _ => Err(FormatFault::new(
                "not-a-date",
                "written as a date, but the day is in no calendar",
                "写法是日期,但该日期并不存在",
            )),
        }
    }
}

/// The two sides of a range; the end is `None` for `长期`.
fn split_range(value: &str) -> Option<(Fields, Option<Fields>)> {
    if value.len() > LONGEST {
        return None;
    }
    value.char_indices().find_map(|(at, c)| {
        if !matches!(c, '-' | '－' | '–' | '—' | '~' | '～' | '至') {
            return None;
        }
        let (before, after) = (value.get(..at)?, value.get(at + c.len_utf8()..)?);
        let before = if c == '至' { before.strip_prefix('自').unwrap_or(before) } else { before };
        let after = if c == '至' { after } else { after.strip_prefix(c).unwrap_or(after) };
        let start = Fields::split(before.trim_end_matches(' '))?;
        match after.trim_start_matches(' ') {
            LONG => Some((start, None)),
            end => Some((start, Some(Fields::split(end)?))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn range(value: &str) -> Option<(Date, Option<Date>)> {
        match Validity::parse(value) {
            Ok(Validity::Range(start, RangeEnd::Date(end))) => Some((start.date, Some(end.date))),
            Ok(Validity::Range(start, RangeEnd::Long)) => Some((start.date, None)),
            _ => None,
        }
    }

    fn rule(result: Result<(), FormatFault>) -> &'static str {
        result.map_or_else(|fault| fault.rule, |()| "valid")
    }

    #[test]
    fn known_dates() {
        for value in [
            "20070105",
            "2007-01-05",
            "2007.01.05",
            "2007/1/5",
            "2007/01/05",
            "2007/1/05",
            "2007年1月5日",
            "2007年01月05日",
        ] {
            assert_eq!(WrittenDate::parse(value).map(|d| d.date), Ok(date(2007, 1, 5)), "{value}");
            assert!(Validity::parse(value).is_ok(), "{value}");
        }
        for value in [
            "",
            "2007",
            "070105",
            "2007-1-5",
            "2007.1.5",
            "2007-01.05",
            "2007-01-05 ",
            "２００７0105",
            "2007年1月5",
            "2007/001/5",
            "2007//5",
            "+007/1/5",
            "20070105 00:00",
            "05/01/2007",
            "2007-01-05T00:00:00",
            "200701-5",
        ] {
            assert_eq!(rule(check_date(value)), "written-form", "{value}");
        }
        for value in ["20070229", "2007-13-01", "2007.00.10", "2007/4/31", "2007年2月30日", "00000101"] {
            assert_eq!(rule(check_date(value)), "not-a-date", "{value}");
        }
    }

    #[test]
    fn known_ranges() {
        let both = Some((date(2007, 1, 5), Some(date(2027, 1, 5))));
        for value in [
            "20070105-20270105",
            "2007-01-05-2027-01-05",
            "2007.01.05-2027.01.05",
            "2007/1/5~2027/1/5",
            "2007年1月5日至2027年1月5日",
            "自2007年01月05日至2027年01月05日",
            "2007.01.05—2027.01.05",
            "2007.01.05——2027.01.05",
            "2007-01-05--2027-01-05",
            "20070105-2027-01-05",
            "2007-01-05-20270105",
            "2007-01-05 - 2027-01-05",
            "20070105～20270105",
        ] {
            assert_eq!(range(value), both, "{value}");
            assert_eq!(rule(check_date_range_or_long(value)), "valid", "{value}");
            assert_eq!(rule(check_date_or_long(value)), "range-not-allowed", "{value}");
        }
        for value in ["2012.01.01-长期", "2012-01-01-长期", "自2012年1月1日至长期", "20120101至长期"] {
            assert_eq!(range(value), Some((date(2012, 1, 1), None)), "{value}");
        }
        for value in ["20070105-", "-20070105", "长期-20070105", "自20070105-20270105", "长期有效", "20070105 20270105"]
        {
            assert_eq!(rule(check_date_range_or_long(value)), "written-form", "{value}");
        }
        assert_eq!(rule(check_date_range_or_long("20070105-20270230")), "not-a-date");
        assert_eq!(rule(check_date_range_or_long("20270105-20070105")), "range-order");
        assert_eq!(rule(check_date_or_long("长期")), "valid");
        assert_eq!(rule(check_date("长期")), "long-not-allowed");
        assert_eq!(rule(check_date("20070105-20270105")), "range-not-allowed");
    }

    fn form() -> impl Strategy<Value = WrittenForm> {
        proptest::sample::select(&WrittenForm::ALL[..])
    }

    fn day() -> impl Strategy<Value = Date> {
        (1i16..=9999, 1i8..=12, 1i8..=31).prop_filter_map("in the calendar", |(y, m, d)| Date::new(y, m, d).ok())
    }

    proptest! {
        #[test]
        fn every_form_round_trips(form in form(), date in day()) {
            prop_assert_eq!(WrittenDate::parse(&form.write(date)), Ok(WrittenDate { date, form }));
        }

        #[test]
        fn every_range_round_trips(
            a in (form(), day()), b in (form(), day()), by in "-|--|~|—|——|至| - | 至 ",
        ) {
            let written = format!("{}{by}{}", a.0.write(a.1), b.0.write(b.1));
            prop_assert_eq!(range(&written), Some((a.1, Some(b.1))), "{}", written);
            prop_assert_eq!(range(&format!("{}{by}长期", a.0.write(a.1))), Some((a.1, None)));
        }

        #[test]
        fn no_input_panics(value in prop_oneof![any::<String>(), "[0-9./年月日至长期自~— -]{0,30}"]) {
            let _ = (WrittenDate::parse(&value), Validity::parse(&value));
        }
    }
}
