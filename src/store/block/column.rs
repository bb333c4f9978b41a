//! One series over a span: the blob of a block.
//!
//! ```text
//! count of forms · each form behind its length
//! which form each row has                               a column, like all that follow
//! [rows that are numbers] scale · mantissas
//! count of further columns · each of them               times, status words, digits of texts
//! checksum (4 octets)                                   over span, series and all of the above
//! ```
//!
//! Mantissas are brought to the finest exponent of the block, so that the column stays smooth when a meter drops trailing
//! zeros, and the scale says how to get back to the digits as sent:
//!
//! | byte | scale | behind it |
//! |---|---|---|
//! | 0 | all the same exponent | it |
//! | 1 | trailing zeros dropped | the finest exponent, how many decimals were left at least |
//! | 2 | anything else | the finest exponent, a column of exponents |
//! | 3 | too far apart for one scale | a column of exponents; mantissas as sent |

use super::bytes::{Source, put_bytes, put_count, put_signed, seal, unseal};
use super::form::Form;
use super::ints::{Aim, Ints, put_column_as, take_column};
use super::{Damage, Unique};
use crate::reading::{Code, Decimal, Register, Unit};
use std::ops::Range;

const FIXED: u8 = 0;
const TRIMMED: u8 = 1;
const LISTED: u8 = 2;
const RAW: u8 = 3;

/// What can be said of a block's numbers without opening it: mantissas at one exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) exponent: i8,
    pub(crate) count: usize,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) min: i64,
    pub(crate) max: i64,
    /// `None` where it does not fit.
    pub(crate) sum: Option<i64>,
}

/// A column that is being collected.
#[derive(Debug, Default)]
pub(crate) struct Column {
    forms: Unique,
    form_of: Vec<u32>,
    pub(crate) mantissas: Vec<i64>,
    exponents: Vec<i8>,
    further: Vec<Vec<i64>>,
}

impl Column {
    /// How many rows it has.
    pub(crate) const fn rows(&self) -> usize {
        self.form_of.len()
    }

    /// The number of a form in this column, which is added if it is new.
    pub(crate) fn form(&mut self, bytes: &[u8]) -> u32 {
        u32::try_from(self.forms.number(bytes).0).unwrap_or(u32::MAX)
    }

    /// Adds a row of a form with its numbers: for a number, mantissa and exponent first.
    pub(crate) fn push(&mut self, form: u32, is_number: bool, numbers: &[i64]) {
        self.form_of.push(form);
        let rest = match numbers {
            [mantissa, exponent, rest @ ..] if is_number => {
                self.mantissas.push(*mantissa);
                self.exponents.push(i8::try_from(*exponent).unwrap_or_default());
                rest
            }
            rest => rest,
        };
        for (index, &number) in rest.iter().enumerate() {
            match self.further.get_mut(index) {
                Some(column) => column.push(number),
                None => self.further.push(vec![number]),
            }
        }
    }

    /// The exponent that all rows have, where all are numbers of one.
    pub(crate) fn one_exponent(&self) -> Option<i8> {
        let (&first, rest) = self.exponents.split_first()?;
        (self.exponents.len() == self.rows() && rest.iter().all(|&other| other == first)).then_some(first)
    }

    /// The block's blob and what it comes to; afterwards the mantissas stand at the scale of the totals, where there are any.
    pub(crate) fn finish(&mut self, key: &[i64], aim: Aim) -> (Vec<u8>, Option<Totals>) {
        let mut out = Vec::new();
        put_count(&mut out, self.forms.all.len());
        for form in &self.forms.all {
            put_bytes(&mut out, form);
        }
        let form_of: Vec<i64> = self.form_of.iter().map(|&form| i64::from(form)).collect();
        put_column_as(aim, &mut out, &form_of);
        let totals = self.put_numbers(&mut out, aim);
        put_count(&mut out, self.further.len());
        for column in &self.further {
            put_column_as(aim, &mut out, column);
        }
        (seal(key, out), totals)
    }

    fn put_numbers(&mut self, out: &mut Vec<u8>, aim: Aim) -> Option<Totals> {
        let finest = *self.exponents.iter().min()?;
        let scaled = match scale(&self.mantissas, &self.exponents, finest) {
            Some(scaled) => scaled,
            None => {
                out.push(RAW);
                let exponents: Vec<i64> = self.exponents.iter().map(|&exponent| i64::from(exponent)).collect();
                put_column_as(aim, out, &exponents);
                put_column_as(aim, out, &self.mantissas);
                return None;
            }
        };
        let trimmed = |floor: i8| {
            let mut pairs = scaled.iter().zip(&self.exponents);
            pairs.all(|(&mantissa, &exponent)| trimmed_exponent(mantissa, finest, floor) == exponent)
        };
        if self.exponents.iter().all(|&exponent| exponent == finest) {
            out.push(FIXED);
            put_signed(out, i64::from(finest));
        } else if let Some(floor) = [0, 1].into_iter().find(|&floor| trimmed(floor)) {
            out.push(TRIMMED);
            put_signed(out, i64::from(finest));
            put_signed(out, i64::from(floor));
        } else {
            out.push(LISTED);
            put_signed(out, i64::from(finest));
            let exponents: Vec<i64> = self.exponents.iter().map(|&exponent| i64::from(exponent)).collect();
            put_column_as(aim, out, &exponents);
        }
        put_column_as(aim, out, &scaled);
        self.mantissas = scaled;
        totals(&self.mantissas, finest)
    }
}

/// What numbers at one exponent come to.
pub(crate) fn totals(mantissas: &[i64], exponent: i8) -> Option<Totals> {
    let (&first, &last) = (mantissas.first()?, mantissas.last()?);
    let (min, max) = mantissas.iter().fold((first, first), |(min, max), &m| (min.min(m), max.max(m)));
    let sum: i128 = mantissas.iter().map(|&mantissa| i128::from(mantissa)).sum();
    Some(Totals { exponent, count: mantissas.len(), first, last, min, max, sum: i64::try_from(sum).ok() })
}

/// The mantissas at the finest exponent; `None` where one does not fit.
fn scale(mantissas: &[i64], exponents: &[i8], finest: i8) -> Option<Vec<i64>> {
    let at_finest = |(&mantissa, &exponent): (&i64, &i8)| mantissa.checked_mul(power(exponent, finest)?);
    mantissas.iter().zip(exponents).map(at_finest).collect()
}

/// Ten to the power of the distance between two exponents.
fn power(exponent: i8, finest: i8) -> Option<i64> {
    10i64.checked_pow(u32::try_from(i16::from(exponent) - i16::from(finest)).ok()?)
}

/// The exponent that is left when trailing zeros are dropped but for `floor` decimals.
fn trimmed_exponent(mut mantissa: i64, finest: i8, floor: i8) -> i8 {
    let mut exponent = finest;
    while exponent < -floor && mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    exponent
}

/// A block that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    forms: Vec<Form>,
    form_of: Ints,
    scale: Scale,
    mantissas: Ints,
    further: Vec<Ints>,
    rows: usize,
    /// How many rows are numbers.
    pub(crate) numbers: usize,
}

#[derive(Debug)]
enum Scale {
    Fixed(i8),
    Trimmed { finest: i8, floor: i8 },
    Listed { finest: i8, exponents: Ints },
    Raw { exponents: Ints },
}

impl Opened {
    /// Opens the blob of a block of so many rows.
    pub(crate) fn parse(key: &[i64], blob: &[u8], rows: usize) -> Result<Self, Damage> {
        Self::parse_body(unseal(key, blob)?, rows)
    }

    /// The same behind the checksum.
    pub(crate) fn parse_body(body: &[u8], rows: usize) -> Result<Self, Damage> {
        let mut source = Source::new(body);
        let count = source.count()?;
        let forms = (0..count).map(|_| Form::parse(source.bytes()?)).collect::<Result<Vec<_>, _>>()?;
        let form_of = take_column(&mut source, rows)?;
        let (numbers, further) = counts(&forms, &form_of, rows)?;
        let mut opened = Self {
            forms,
            form_of,
            scale: Scale::Raw { exponents: Ints::Line(0, 0) },
            mantissas: Ints::Line(0, 0),
            further: Vec::new(),
            rows,
            numbers,
        };
        if numbers > 0 {
            opened.scale = match source.byte()? {
                FIXED => Scale::Fixed(small(&mut source)?),
                TRIMMED => Scale::Trimmed { finest: small(&mut source)?, floor: small(&mut source)? },
                LISTED => Scale::Listed { finest: small(&mut source)?, exponents: take_column(&mut source, numbers)? },
                RAW => Scale::Raw { exponents: take_column(&mut source, numbers)? },
                _ => return Err(Damage("a block has an unknown scale")),
            };
            opened.mantissas = take_column(&mut source, numbers)?;
        }
        if source.count()? != further.len() {
            return Err(Damage("a block has the wrong columns"));
        }
        opened.further = further.into_iter().map(|rows| take_column(&mut source, rows)).collect::<Result<_, _>>()?;
        if source.is_empty() { Ok(opened) } else { Err(Damage("a block is too long")) }
    }

    /// Whether every row is a number and nothing else.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.forms.as_slice(), [only] if only.is_plain_number())
    }

    /// Whether every row says the same, and none is a number.
    pub(crate) fn is_one_text(&self) -> bool {
        self.numbers == 0 && self.forms.len() == 1 && self.further.iter().all(|column| column.constant().is_some())
    }

    /// A place at the first row.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { row: 0, number: 0, further: vec![0; self.further.len()] }
    }

    /// The numbers as mantissas at one exponent; `None` where there is no such.
    pub(crate) fn into_mantissas(self) -> Option<(i8, Vec<i64>)> {
        let exponent = match &self.scale {
            Scale::Fixed(finest) | Scale::Trimmed { finest, .. } | Scale::Listed { finest, .. } => *finest,
            Scale::Raw { .. } => return None,
        };
        Some((exponent, self.mantissas.into_vec(self.numbers)))
    }

    /// The exponent of the mantissas that [`Opened::into_mantissas`] gives; `None` where there is no common one.
    pub(crate) const fn finest(&self) -> Option<i8> {
        match &self.scale {
            Scale::Fixed(exponent) => Some(*exponent),
            Scale::Trimmed { finest, .. } | Scale::Listed { finest, .. } => Some(*finest),
            Scale::Raw { .. } => None,
        }
    }

    /// Whether the numbers have a common scale, so that [`Opened::into_mantissas`] gives them.
    pub(crate) const fn is_scaled(&self) -> bool {
        !matches!(self.scale, Scale::Raw { .. })
    }

    /// The exponent that all numbers have as sent; `None` where they have several.
    pub(crate) const fn one_exponent(&self) -> Option<i8> {
        match &self.scale {
            Scale::Fixed(exponent) => Some(*exponent),
            _ => None,
        }
    }

    /// Whether every row is a number.
    pub(crate) const fn is_all_numbers(&self) -> bool {
        self.numbers == self.rows
    }

    /// Whether the row at `row` is a number.
    #[inline]
    pub(crate) fn is_number(&self, row: usize) -> bool {
        self.is_all_numbers() || self.form(row).is_ok_and(Form::is_number)
    }

    fn form(&self, row: usize) -> Result<&Form, Damage> {
        let index = self.form_of.get(row).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.forms.get(index)).ok_or(Damage("a row has no form"))
    }

    /// Mantissa and exponent as sent of the number at `index` among the numbers.
    #[inline]
    pub(crate) fn number(&self, index: usize) -> Result<(i64, i8), Damage> {
        let mantissa = self.mantissas.get(index).ok_or(Damage("a number is missing"))?;
        match self.scale {
            Scale::Fixed(exponent) => Ok((mantissa, exponent)),
            _ => self.scaled(index, mantissa),
        }
    }

    /// Mantissa and exponent as sent of the numbers in a range, one after the other, into `sink`.
    #[inline]
    pub(crate) fn each_number(&self, range: Range<usize>, sink: &mut impl FnMut(i64, i8)) -> Result<(), Damage> {
        if let Scale::Fixed(exponent) = &self.scale {
            let all = self.mantissas.each(range, |mantissa| sink(mantissa, *exponent));
            return all.ok_or(Damage("a number is missing"));
        }
        for index in range {
            let (mantissa, exponent) = self.number(index)?;
            sink(mantissa, exponent);
        }
        Ok(())
    }

    /// The number at `index`, whose mantissa stands at the finest exponent.
    fn scaled(&self, index: usize, mantissa: i64) -> Result<(i64, i8), Damage> {
        let missing = Damage("a number is missing");
        let listed = |exponents: &Ints| {
            let exponent = exponents.get(index).ok_or(missing)?;
            i8::try_from(exponent).map_err(|_| Damage("no such exponent"))
        };
        let (finest, exponent) = match &self.scale {
            Scale::Fixed(exponent) => return Ok((mantissa, *exponent)),
            Scale::Trimmed { finest, floor } => (*finest, trimmed_exponent(mantissa, *finest, *floor)),
            Scale::Listed { finest, exponents } => (*finest, listed(exponents)?),
            Scale::Raw { exponents } => return Ok((mantissa, listed(exponents)?)),
        };
        if exponent == finest {
            return Ok((mantissa, exponent));
        }
        let power = power(exponent, finest).ok_or(Damage("no such exponent"))?;
        if mantissa % power != 0 {
            return Err(Damage("a number does not fit its scale"));
        }
        Ok((mantissa / power, exponent))
    }
}

fn small(source: &mut Source<'_>) -> Result<i8, Damage> {
    i8::try_from(source.signed()?).map_err(|_| Damage("no such exponent"))
}

/// How many rows are numbers, and how many have each further number.
fn counts(forms: &[Form], form_of: &Ints, rows: usize) -> Result<(usize, Vec<usize>), Damage> {
    let mut rows_of = vec![0usize; forms.len()];
    let missing = Damage("a row has no form");
    match form_of.constant() {
        Some(form) if rows > 0 => {
            *usize::try_from(form).ok().and_then(|form| rows_of.get_mut(form)).ok_or(missing)? = rows;
        }
        _ => {
            for row in 0..rows {
                let form = form_of.get(row).and_then(|form| usize::try_from(form).ok());
                *form.and_then(|form| rows_of.get_mut(form)).ok_or(missing)? += 1;
            }
        }
    }
    let mut numbers = 0;
    let mut further: Vec<usize> = Vec::new();
    for (form, &rows) in forms.iter().zip(&rows_of) {
        let own = if form.is_number() { 2 } else { 0 };
        numbers += if form.is_number() { rows } else { 0 };
        for index in 0..form.numbers.saturating_sub(own) {
            match further.get_mut(index) {
                Some(count) => *count += rows,
                None => further.push(rows),
            }
        }
    }
    Ok((numbers, further))
}

/// A place in an opened block that moves on row by row.
#[derive(Debug)]
pub(crate) struct Cursor {
    row: usize,
    number: usize,
    further: Vec<usize>,
}

impl Cursor {
    /// The number of the next row of a block that [is plain](Opened::is_plain).
    #[inline]
    pub(crate) fn next_number(&mut self, block: &Opened) -> Result<Decimal, Damage> {
        let (mantissa, exponent) = block.number(self.number)?;
        self.row += 1;
        self.number += 1;
        Ok(Decimal::new(mantissa, exponent))
    }

    /// Passes over rows of a block that [is plain](Opened::is_plain).
    pub(crate) const fn pass(&mut self, count: usize) {
        self.row += count;
        self.number += count;
    }

    /// Passes over a row.
    pub(crate) fn skip(&mut self, block: &Opened) -> Result<(), Damage> {
        let form = block.form(self.row)?;
        self.row += 1;
        let own = if form.is_number() { 2 } else { 0 };
        self.number += own / 2;
        for place in self.further.iter_mut().take(form.numbers - own) {
            *place += 1;
        }
        Ok(())
    }

    /// The register of the next row.
    pub(crate) fn next(&mut self, block: &Opened, code: &Code, unit: Option<Unit>) -> Result<Register, Damage> {
        let form = block.form(self.row)?;
        self.row += 1;
        let mut own = None;
        if form.is_number() {
            let (mantissa, exponent) = block.number(self.number)?;
            self.number += 1;
            if form.is_plain_number() {
                return Ok(form.plain_number(code.clone(), unit, Decimal::new(mantissa, exponent)));
            }
            own = Some([mantissa, i64::from(exponent)]);
        }
        let own = own.into_iter().flatten();
        let mut places = self.further.iter_mut().zip(&block.further);
        let further = std::iter::from_fn(|| {
            let (place, column) = places.next()?;
            *place += 1;
            column.get(*place - 1)
        });
        form.fill(code.clone(), unit, &mut own.chain(further))
    }
}
