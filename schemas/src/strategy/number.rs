//! Numbers: ranges and multiples, exact for integers and decimals.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::choices::Choices;

/// The largest integer that every JSON reader keeps (RFC 7493, section 2.2): 2^53 - 1. Larger ones are made only where
/// a schema asks for them.
const SAFE: i128 = (1 << 53) - 1;
const LEAST: i128 = i64::MIN as i128;
const GREATEST: i128 = u64::MAX as i128;

/// A decimal number `mantissa * 10^-scale`, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) mantissa: i128,
    pub(super) scale: u32,
}

impl Decimal {
    /// Reads a positive number as JSON writes it; `None` where it has too many digits to reckon with.
    pub(super) fn read(number: &Number) -> Option<Self> {
        let text = number.to_string();
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text.as_str(), 0),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let part = part.trim_end_matches('0');
        let mut mantissa: i128 = format!("{whole}{part}").parse().ok()?;
        let mut scale = i32::try_from(part.len()).ok()? - exponent;
        while scale < 0 {
            mantissa = mantissa.checked_mul(10)?;
            scale += 1;
        }
        (scale <= 15 && (1..=GREATEST).contains(&mantissa)).then_some(Self { mantissa, scale: scale.unsigned_abs() })
    }

    fn at_scale(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(10i128.checked_pow(scale - self.scale)?)
    }

    /// The least common multiple.
    pub(super) fn common(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.at_scale(scale)?, other.at_scale(scale)?);
        let mut divisor = (a, b);
        while divisor.1 != 0 {
            divisor = (divisor.1, divisor.0 % divisor.1);
        }
        let mantissa = (a / divisor.0).checked_mul(b)?;
        (mantissa <= GREATEST).then_some(Self { mantissa, scale })
    }

    fn as_f64(self) -> f64 {
        self.mantissa as f64 / 10f64.powi(self.scale as i32)
    }
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub(super) value: Number,
    pub(super) exclusive: bool,
}

/// What is asked of a number.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Numbers {
    pub(super) low: Option<Bound>,
    pub(super) high: Option<Bound>,
    pub(super) multiple: Option<Decimal>,
    pub(super) not_multiples: Vec<Decimal>,
}

impl Numbers {
    pub(super) fn low(value: &Number, exclusive: bool) -> Self {
        Self { low: Some(Bound { value: value.clone(), exclusive }), ..Self::default() }
    }

    pub(super) fn high(value: &Number, exclusive: bool) -> Self {
        Self { high: Some(Bound { value: value.clone(), exclusive }), ..Self::default() }
    }

    /// Both at once; `None` where the multiples cannot be reckoned with.
    pub(super) fn meet(&mut self, other: &Self) -> Option<()> {
        tighten(&mut self.low, other.low.as_ref(), Ordering::Greater);
        tighten(&mut self.high, other.high.as_ref(), Ordering::Less);
        self.multiple = match (self.multiple, other.multiple) {
            (Some(a), Some(b)) => Some(a.common(b)?),
            (a, b) => a.or(b),
        };
        self.not_multiples.extend(other.not_multiples.iter().copied());
        Some(())
    }

    /// Whether the number satisfies them.
    pub(super) fn accept(&self, number: &Number) -> bool {
        self.low.as_ref().is_none_or(|low| match compare(number, &low.value) {
            Ordering::Greater => true,
            Ordering::Equal => !low.exclusive,
            Ordering::Less => false,
        }) && self.high.as_ref().is_none_or(|high| match compare(number, &high.value) {
            Ordering::Less => true,
            Ordering::Equal => !high.exclusive,
            Ordering::Greater => false,
        }) && self.multiple.is_none_or(|step| is_multiple(number, step))
            && self.not_multiples.iter().all(|step| !is_multiple(number, *step))
    }
}

fn tighten(bound: &mut Option<Bound>, other: Option<&Bound>, tighter: Ordering) {
    let Some(other) = other else { return };
    let replace = bound.as_ref().is_none_or(|bound| {
        let order = compare(&other.value, &bound.value);
        order == tighter || order == Ordering::Equal && other.exclusive
    });
    if replace {
        *bound = Some(other.clone());
    }
}

/// The integer that the number is, `5.0` included.
pub(super) fn integer(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i64() {
        return Some(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e30).map(|float| float as i128)
}

pub(super) fn compare(a: &Number, b: &Number) -> Ordering {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => as_f64(a).total_cmp(&as_f64(b)),
    }
}

fn as_f64(number: &Number) -> f64 {
    number.as_f64().unwrap_or(0.0)
}

/// Whether it is a multiple. The decimal that JSON writes counts, and not the binary fraction behind it: 0.3 is a
/// multiple of 0.1.
fn is_multiple(number: &Number, step: Decimal) -> bool {
    if let Some(whole) = integer(number) {
        return step.at_scale(step.scale).is_some_and(|mantissa| {
            10i128
                .checked_pow(step.scale)
                .and_then(|scale| whole.checked_mul(scale))
                .is_some_and(|at| at % mantissa == 0)
        });
    }
    let magnitude = Number::from_f64(as_f64(number).abs());
    let Some(decimal) = magnitude.as_ref().and_then(Decimal::read) else { return false };
    let scale = decimal.scale.max(step.scale);
    matches!((decimal.at_scale(scale), step.at_scale(scale)), (Some(number), Some(step)) if number % step == 0)
}

/// A number in JSON's clothes.
pub(super) fn from_i128(whole: i128) -> Option<Number> {
    i64::try_from(whole).map(Number::from).or_else(|_| u64::try_from(whole).map(Number::from)).ok()
}

/// How numbers of one kind are made.
#[derive(Debug, Clone)]
pub(super) struct NumberAlt {
    rules: Numbers,
    /// Integers `k * step / 10^scale` for k of the range; `None` where there are none.
    grid: Option<Grid>,
    fractions: bool,
    integers: bool,
    not: Vec<Value>,
    /// A number that satisfies everything, for when drawing does not.
    simplest: Number,
}

#[derive(Debug, Clone, Copy)]
struct Grid {
    step: Decimal,
    low: i128,
    high: i128,
}

impl Grid {
    /// The multiples of the step within the bounds.
    fn new(rules: &Numbers, step: Decimal) -> Option<Self> {
        let within = |bound: &Bound, up: bool| -> Option<i128> {
            let scale = 10i128.checked_pow(step.scale)?;
            if let Some(whole) = integer(&bound.value) {
                let at = whole.checked_mul(scale)?;
                let quotient = at.div_euclid(step.mantissa);
                let exact = at.rem_euclid(step.mantissa) == 0;
                return Some(match (exact, bound.exclusive, up) {
                    (true, false, _) => quotient,
                    (true, true, true) | (false, _, true) => quotient + 1,
                    (true, true, false) => quotient - 1,
                    (false, _, false) => quotient,
                });
            }
            // Near enough: what lies outside is refused when it is drawn.
            let at = as_f64(&bound.value) / step.as_f64();
            Some(if up { at.ceil() as i128 } else { at.floor() as i128 })
        };
        let cap = |limit: i128| -> Option<i128> {
            Some(limit.checked_mul(10i128.checked_pow(step.scale)?)?.div_euclid(step.mantissa))
        };
        let (mut low, mut high) = (cap(-SAFE)? + 1, cap(SAFE)?);
        if let Some(bound) = &rules.low {
            low = within(bound, true)?;
            if low > high {
                high = cap(GREATEST)?;
            }
        }
        if let Some(bound) = &rules.high {
            let limit = within(bound, false)?;
            if limit < low && rules.low.is_none() {
                low = cap(LEAST)? + 1;
            }
            high = limit.min(cap(GREATEST)?);
        }
        low = low.max(cap(LEAST)?);
        (low <= high).then_some(Self { step, low, high })
    }

    fn at(self, k: i128) -> Option<Number> {
        let mantissa = k.checked_mul(self.step.mantissa)?;
        let scale = 10i128.pow(self.step.scale);
        if mantissa % scale == 0 {
            return from_i128(mantissa / scale);
        }
        // Both are exact below 2^53, so that the division rounds once, as a reader of the decimal would.
        Number::from_f64(mantissa as f64 / scale as f64)
    }
}

const ONE: Decimal = Decimal { mantissa: 1, scale: 0 };

impl NumberAlt {
    /// How to make numbers that satisfy the rules; `None` where there are none.
    pub(super) fn new(rules: &Numbers, integers: bool, fractions: bool, not: &[Value]) -> Option<Self> {
        let step = match (rules.multiple, fractions) {
            (Some(step), true) => Some(step),
            (Some(step), false) => Some(step.common(ONE)?),
            (None, _) => integers.then_some(ONE),
        };
        let grid = step.and_then(|step| Grid::new(rules, step));
        let not = not.iter().filter(|value| value.is_number()).cloned().collect();
        let simplest = Number::from(0);
        let mut alt = Self { rules: rules.clone(), grid, fractions, integers, not, simplest };
        alt.simplest = alt.search()?;
        Some(alt)
    }

    fn search(&self) -> Option<Number> {
        if let Some(grid) = self.grid {
            let origin = 0.clamp(grid.low, grid.high);
            let near = (0..200).flat_map(|away| [origin + away, origin - away]);
            let edges = (0..200).flat_map(|away| [grid.high - away, grid.low + away]);
            for k in near.chain(edges).filter(|k| (grid.low..=grid.high).contains(k)) {
                if let Some(number) = grid.at(k).filter(|number| self.accept(number)) {
                    return Some(number);
                }
            }
        }
        if self.fractions && self.rules.multiple.is_none() {
            let low = self.rules.low.as_ref().map(|bound| as_f64(&bound.value));
            let high = self.rules.high.as_ref().map(|bound| as_f64(&bound.value));
            let (low, high) = match (low, high) {
                (Some(low), Some(high)) => (low, high),
                (Some(low), None) => (low, low.abs() * 2.0 + low + 2.0),
                (None, Some(high)) => (high - high.abs() * 2.0 - 2.0, high),
                (None, None) => (0.0, 1.0),
            };
            let parts = (1..64).flat_map(|part| [low + (high - low) * (f64::from(part) / 64.0), low, high]);
            return parts.filter_map(Number::from_f64).find(|number| self.accept(number));
        }
        None
    }

    fn accept(&self, number: &Number) -> bool {
        let kind = if integer(number).is_some() { self.integers } else { self.fractions };
        kind && self.rules.accept(number) && !self.not.iter().any(|not| same(not, number))
    }

    pub(super) fn generate(&self, choices: &mut Choices) -> Value {
        let drawn = (0..4).find_map(|_| self.draw(choices).filter(|number| self.accept(number)));
        Value::Number(drawn.unwrap_or_else(|| self.simplest.clone()))
    }

    fn draw(&self, choices: &mut Choices) -> Option<Number> {
        let free = self.fractions && self.rules.multiple.is_none();
        let fraction = free && (self.grid.is_none() || choices.below(2) == 1);
        if fraction {
            return self.fraction(choices);
        }
        let grid = self.grid?;
        let origin = 0.clamp(grid.low, grid.high);
        let span = |away: i128| u64::try_from(away).unwrap_or(u64::MAX - 1);
        let (up, down) = (span(grid.high - origin), span(origin - grid.low));
        let (reach, edge) = match choices.below(8) {
            0..=2 => (16, None),
            3 => (1000, None),
            4 => (1 << 31, None),
            5 => (u64::MAX - 1, None),
            6 => (0, Some(grid.high)),
            _ => (0, Some(grid.low)),
        };
        if let Some(edge) = edge {
            return grid.at(edge);
        }
        let upwards = down == 0 || up > 0 && choices.below(2) == 0;
        let away = choices.below(if upwards { up } else { down }.min(reach) + 1);
        grid.at(if upwards { origin + i128::from(away) } else { origin - i128::from(away) })
    }

    /// A decimal fraction within the bounds, of as many places as it takes to hit one.
    fn fraction(&self, choices: &mut Choices) -> Option<Number> {
        let low = self.rules.low.as_ref().map_or(f64::NEG_INFINITY, |bound| as_f64(&bound.value));
        let high = self.rules.high.as_ref().map_or(f64::INFINITY, |bound| as_f64(&bound.value));
        let (low, high) = match (low.is_finite(), high.is_finite()) {
            (true, true) => (low, high),
            (true, false) => (low, low + 1000.0),
            (false, true) => (high - 1000.0, high),
            (false, false) => (-1000.0, 1000.0),
        };
        if choices.once_in(8) {
            return Number::from_f64(if choices.below(2) == 0 { high } else { low });
        }
        let scale = 10f64.powi(choices.range(1, 6) as i32);
        let (from, to) = ((low * scale).ceil(), (high * scale).floor());
        if from > to || !from.is_finite() || !to.is_finite() {
            return None;
        }
        let origin = 0f64.clamp(from, to);
        let (up, down) = (to - origin, origin - from);
        let upwards = down < 1.0 || up >= 1.0 && choices.below(2) == 0;
        let most = if upwards { up } else { down }.min(9e15) as u64;
        let away = choices.below(most + 1) as f64;
        Number::from_f64((if upwards { origin + away } else { origin - away }) / scale)
    }
}

/// Whether two values are equal as JSON Schema has it: 1 and 1.0 are.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

fn same(value: &Value, number: &Number) -> bool {
    matches!(value, Value::Number(other) if compare(other, number) == Ordering::Equal)
}
