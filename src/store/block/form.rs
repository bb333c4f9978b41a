//! A register, taken apart into its form, which hardly ever changes, and the numbers that do.
//!
//! ```text
//! 1-0:1.8.0*255 = 000154.320 kWh   form: number, 10 characters          numbers: 154320, -3
//! 1-0:0.9.1*255 = 143002           form: text, 6 digits                 numbers: 143002
//! 0-0:96.1.0    = "E001234"        form: text, E and 6 digits           numbers: 1234
//! 0-0:1.0.0     = 07E9 0B07 …      form: 12 octets                      numbers: the first 8 octets, the last 4
//! ```
//!
//! Code and unit are not part of it: they name the series that the register belongs to.
//!
//! | byte | value | behind it |
//! |---|---|---|
//! | 0 | number | |
//! | 1 | text | template |
//! | 2 | octets, up to 32 | their count |
//! | 3 | more octets | themselves |
//! | 4, 5 | false, true | |
//! | 6 | list | count, values |
//! | 7 | nothing | |
//!
//! Then the width, and a byte of flags for the details: 1 text on the wire (template), 2 its own time (zone), 4 status word,
//! 8 groups (templates), 16 rows of templates. A template is the text before a run of digits, how many digits, the text
//! behind: so clocks, counters and serial numbers in text form are numbers too.

use super::Damage;
use super::bytes::{Source, put_bytes, put_count, put_signed};
use crate::reading::{CivilTime, Code, Decimal, Detail, MeterTime, Offset, Register, Unit, Value};
use smol_str::{SmolStr, ToSmolStr as _, format_smolstr};

const NUMBER: u8 = 0;
const TEXT: u8 = 1;
const OCTETS: u8 = 2;
const LITERAL: u8 = 3;
const NO: u8 = 4;
const YES: u8 = 5;
const LIST: u8 = 6;
const NOTHING: u8 = 7;

const HAS_TEXT: u8 = 1;
const HAS_TIME: u8 = 2;
const HAS_STATUS: u8 = 4;
const HAS_GROUPS: u8 = 8;
const HAS_ROWS: u8 = 16;

/// Octets up to this many are kept as numbers of eight octets each.
const MAX_OCTETS: usize = 32;
/// As many digits as fit into an `i64` whatever they are.
const MAX_DIGITS: usize = 18;
/// Lists inside lists, at most.
const MAX_DEPTH: usize = 32;

/// Appends the form of a register to `form` and its numbers to `numbers`.
pub(crate) fn put_register(form: &mut Vec<u8>, numbers: &mut Vec<i64>, register: &Register) {
    put_value(form, numbers, &register.value, 0);
    form.push(register.width);
    let Some(detail) = register.detail.as_deref() else {
        form.push(0);
        return;
    };
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    form.push(
        flag(detail.text.is_some(), HAS_TEXT)
            | flag(detail.time.is_some(), HAS_TIME)
            | flag(detail.status.is_some(), HAS_STATUS)
            | flag(!detail.groups.is_empty(), HAS_GROUPS)
            | flag(!detail.rows.is_empty(), HAS_ROWS),
    );
    if let Some(text) = &detail.text {
        put_template(form, numbers, text);
    }
    if let Some(time) = &detail.time {
        put_zone(form, time);
        numbers.push(time.civil.civil_micros());
    }
    if let Some(status) = detail.status {
        numbers.push(status.cast_signed());
    }
    if !detail.groups.is_empty() {
        put_templates(form, numbers, &detail.groups);
    }
    if !detail.rows.is_empty() {
        put_count(form, detail.rows.len());
        for row in &detail.rows {
            put_templates(form, numbers, row);
        }
    }
}

fn put_value(form: &mut Vec<u8>, numbers: &mut Vec<i64>, value: &Value, depth: usize) {
    match value {
        Value::Number(number) => {
            form.push(NUMBER);
            numbers.extend([number.mantissa(), i64::from(number.exponent())]);
        }
        Value::Text(text) => {
            form.push(TEXT);
            put_template(form, numbers, text);
        }
        Value::Octets(octets) if octets.len() <= MAX_OCTETS => {
            form.push(OCTETS);
            put_count(form, octets.len());
            for chunk in octets.chunks(8) {
                numbers.push(chunk.iter().fold(0, |number, &octet| number << 8 | i64::from(octet)));
            }
        }
        Value::Octets(octets) => {
            form.push(LITERAL);
            put_bytes(form, octets);
        }
        Value::Bool(yes) => form.push(if *yes { YES } else { NO }),
        Value::List(values) if depth < MAX_DEPTH => {
            form.push(LIST);
            put_count(form, values.len());
            for value in values {
                put_value(form, numbers, value, depth + 1);
            }
        }
        Value::List(_) | Value::Nothing => form.push(NOTHING),
    }
}

fn put_templates(form: &mut Vec<u8>, numbers: &mut Vec<i64>, texts: &[SmolStr]) {
    put_count(form, texts.len());
    for text in texts {
        put_template(form, numbers, text);
    }
}

fn put_template(form: &mut Vec<u8>, numbers: &mut Vec<i64>, text: &str) {
    let bytes = text.as_bytes();
    let (start, count) = longest_digits(bytes);
    let (before, rest) = bytes.split_at(start);
    let (digits, after) = rest.split_at(count);
    put_bytes(form, before);
    put_count(form, count);
    put_bytes(form, after);
    if count > 0 {
        numbers.push(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')));
    }
}

/// Where the longest run of digits starts, and how much of it is taken.
fn longest_digits(text: &[u8]) -> (usize, usize) {
    let mut best = (0, 0);
    let mut start = 0;
    for run in text.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        if run.len() > best.1 && run.first().is_some_and(u8::is_ascii_digit) {
            best = (start, run.len());
        }
        start += run.len();
    }
    (best.0, best.1.min(MAX_DIGITS))
}

/// How the meter marks a time: one byte, and the minutes where it names them.
pub(crate) fn put_zone(form: &mut Vec<u8>, time: &MeterTime) {
    let doubtful = u8::from(time.doubtful) << 7;
    match time.offset {
        Offset::Unknown => form.push(doubtful),
        Offset::Summer => form.push(doubtful | 1),
        Offset::Winter => form.push(doubtful | 2),
        Offset::Minutes(minutes) => {
            form.push(doubtful | 3);
            put_signed(form, i64::from(minutes));
        }
    }
}

/// A zone as [`put_zone`] wrote it.
pub(crate) fn take_zone(source: &mut Source<'_>) -> Result<Zoned, Damage> {
    let byte = source.byte()?;
    let offset = match byte & 0x7F {
        0 => Offset::Unknown,
        1 => Offset::Summer,
        2 => Offset::Winter,
        3 => Offset::Minutes(i16::try_from(source.signed()?).map_err(|_| Damage("no such time zone"))?),
        _ => return Err(Damage("no such time zone")),
    };
    Ok(Zoned { offset, doubtful: byte & 0x80 != 0 })
}

/// A meter's time without the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zoned {
    offset: Offset,
    doubtful: bool,
}

impl Zoned {
    pub(crate) fn at(self, civil_micros: i64) -> Result<MeterTime, Damage> {
        let civil = CivilTime::from_civil_micros(civil_micros).ok_or(Damage("no such date"))?;
        Ok(MeterTime { civil, offset: self.offset, doubtful: self.doubtful })
    }
}

/// The form of a register, ready to be filled with numbers.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    value: Pattern,
    width: u8,
    detail: Option<Box<DetailForm>>,
    /// How many numbers it takes.
    pub(crate) numbers: usize,
}

#[derive(Debug, Clone)]
enum Pattern {
    Number,
    Text(Template),
    Octets(usize),
    Literal(Box<[u8]>),
    Bool(bool),
    List(Box<[Pattern]>),
    Nothing,
}

#[derive(Debug, Clone, Default)]
struct DetailForm {
    text: Option<Template>,
    time: Option<Zoned>,
    status: bool,
    groups: Vec<Template>,
    rows: Vec<Vec<Template>>,
}

#[derive(Debug, Clone)]
struct Template {
    before: SmolStr,
    digits: usize,
    after: SmolStr,
}

impl Form {
    /// Whether the register is a number: its first two numbers are then mantissa and exponent.
    pub(crate) const fn is_number(&self) -> bool {
        matches!(self.value, Pattern::Number)
    }

    /// Whether the register is a number and nothing else.
    #[inline]
    pub(crate) const fn is_plain_number(&self) -> bool {
        self.is_number() && self.detail.is_none()
    }

    /// The register of a plain number: what nearly all are.
    #[inline]
    pub(crate) fn plain_number(&self, code: Code, unit: Option<Unit>, number: Decimal) -> Register {
        Register { code, value: Value::Number(number), unit, width: self.width, detail: None }
    }

    /// The form of bytes that [`put_register`] wrote, all of them.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let mut source = Source::new(bytes);
        let value = Pattern::take(&mut source, 0)?;
        let width = source.byte()?;
        let flags = source.byte()?;
        let mut detail = DetailForm::default();
        if flags & HAS_TEXT != 0 {
            detail.text = Some(Template::take(&mut source)?);
        }
        if flags & HAS_TIME != 0 {
            detail.time = Some(take_zone(&mut source)?);
        }
        detail.status = flags & HAS_STATUS != 0;
        if flags & HAS_GROUPS != 0 {
            detail.groups = Template::take_all(&mut source)?;
        }
        if flags & HAS_ROWS != 0 {
            let rows = source.count()?;
            detail.rows = (0..rows).map(|_| Template::take_all(&mut source)).collect::<Result<_, _>>()?;
        }
        if !source.is_empty() || flags >> 5 != 0 {
            return Err(Damage("a form is too long"));
        }
        let detail = (flags != 0).then(|| Box::new(detail));
        let numbers = value.numbers() + detail.as_deref().map_or(0, DetailForm::numbers);
        Ok(Self { value, width, detail, numbers })
    }

    /// The register of this form with these numbers, of which it takes as many as it needs.
    pub(crate) fn fill(
        &self,
        code: Code,
        unit: Option<Unit>,
        numbers: &mut impl Iterator<Item = i64>,
    ) -> Result<Register, Damage> {
        let mut next = || numbers.next().ok_or(Damage("a number is missing"));
        let value = self.value.fill(&mut next)?;
        let detail = self.detail.as_deref().map(|form| form.fill(&mut next)).transpose()?;
        Ok(Register { code, value, unit, width: self.width, detail: detail.map(Box::new) })
    }
}

impl Pattern {
    fn take(source: &mut Source<'_>, depth: usize) -> Result<Self, Damage> {
        Ok(match source.byte()? {
            NUMBER => Self::Number,
            TEXT => Self::Text(Template::take(source)?),
            OCTETS => match usize::try_from(source.number()?) {
                Ok(count) if count <= MAX_OCTETS => Self::Octets(count),
                _ => return Err(Damage("too many octets")),
            },
            LITERAL => Self::Literal(source.bytes()?.into()),
            NO => Self::Bool(false),
            YES => Self::Bool(true),
            LIST if depth < MAX_DEPTH => {
                let count = source.count()?;
                Self::List((0..count).map(|_| Self::take(source, depth + 1)).collect::<Result<_, _>>()?)
            }
            NOTHING => Self::Nothing,
            _ => return Err(Damage("no such kind of value")),
        })
    }

    fn numbers(&self) -> usize {
        match self {
            Self::Number => 2,
            Self::Text(template) => template.numbers(),
            Self::Octets(count) => count.div_ceil(8),
            Self::List(values) => values.iter().map(Self::numbers).sum(),
            Self::Literal(_) | Self::Bool(_) | Self::Nothing => 0,
        }
    }

    fn fill(&self, next: &mut impl FnMut() -> Result<i64, Damage>) -> Result<Value, Damage> {
        Ok(match self {
            Self::Number => {
                let mantissa = next()?;
                let exponent = i8::try_from(next()?).map_err(|_| Damage("no such exponent"))?;
                Value::Number(Decimal::new(mantissa, exponent))
            }
            Self::Text(template) => Value::Text(template.fill(next)?),
            Self::Octets(count) => {
                let mut octets = Vec::with_capacity(*count);
                while octets.len() < *count {
                    let bytes = next()?.to_be_bytes();
                    let left = (count - octets.len()).min(bytes.len());
                    octets.extend_from_slice(&bytes[bytes.len() - left..]);
                }
                Value::Octets(octets.into())
            }
            Self::Literal(octets) => Value::Octets(octets.clone()),
            Self::Bool(yes) => Value::Bool(*yes),
            Self::List(values) => Value::List(values.iter().map(|value| value.fill(next)).collect::<Result<_, _>>()?),
            Self::Nothing => Value::Nothing,
        })
    }
}

impl DetailForm {
    fn numbers(&self) -> usize {
        let texts = self.text.iter().chain(&self.groups).chain(self.rows.iter().flatten());
        texts.map(Template::numbers).sum::<usize>() + usize::from(self.time.is_some()) + usize::from(self.status)
    }

    fn fill(&self, next: &mut impl FnMut() -> Result<i64, Damage>) -> Result<Detail, Damage> {
        let fill_all = |templates: &[Template], next: &mut dyn FnMut() -> Result<i64, Damage>| {
            templates.iter().map(|template| template.fill(&mut *next)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Detail {
            text: self.text.as_ref().map(|template| template.fill(&mut *next)).transpose()?,
            time: self.time.map(|zone| zone.at(next()?)).transpose()?,
            status: if self.status { Some(next()?.cast_unsigned()) } else { None },
            groups: fill_all(&self.groups, next)?,
            rows: self.rows.iter().map(|row| fill_all(row, next)).collect::<Result<_, _>>()?,
        })
    }
}

impl Template {
    fn take(source: &mut Source<'_>) -> Result<Self, Damage> {
        let before = SmolStr::new(source.text()?);
        let digits = usize::try_from(source.number()?).unwrap_or(usize::MAX);
        if digits > MAX_DIGITS {
            return Err(Damage("too many digits"));
        }
        Ok(Self { before, digits, after: SmolStr::new(source.text()?) })
    }

    fn take_all(source: &mut Source<'_>) -> Result<Vec<Self>, Damage> {
        let count = source.count()?;
        (0..count).map(|_| Self::take(source)).collect()
    }

    fn numbers(&self) -> usize {
        usize::from(self.digits > 0)
    }

    fn fill(&self, next: &mut (impl FnMut() -> Result<i64, Damage> + ?Sized)) -> Result<SmolStr, Damage> {
        if self.digits == 0 {
            return Ok(self.after.clone());
        }
        let digits = format_smolstr!("{:0width$}", next()?, width = self.digits);
        if digits.len() != self.digits || digits.starts_with('-') {
            return Err(Damage("a number has too many digits"));
        }
        if self.before.is_empty() && self.after.is_empty() {
            return Ok(digits);
        }
        Ok([self.before.as_str(), &digits, &self.after].concat().to_smolstr())
    }
}
