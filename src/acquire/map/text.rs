//! Text telegrams to readings: IEC 62056-21 readouts and DSMR P1 telegrams.
//!
//! | on the wire | in the register |
//! |---|---|
//! | `1.8.0(000285.4*kWh)` | number and unit |
//! | `1.8.0(024562 kWh)`, `1.8.0(01936.631kWh)` | the same, and the text |
//! | `1.8.1(071354.27)` | number in kWh, and the text: energy with a decimal point is in kilo |
//! | `32.32.0(00002)` | number without unit, and the text: the code says that it is a quantity |
//! | `0.0.0(95316176)` | text: it may be a name |
//! | `6.33(001.476*m3ph)` | number, the unit as printed, and the text |
//! | `1.6.1(0.50*kW)(2211120730)`, `24.2.1(190320181003W)(00304.089*m3)` | number, unit and time |
//! | `1.6.1(0.50)(2211120730)`, `24.2.1(632525252525W)(00000.000)` | number, time, and the groups |
//! | any other two groups and more | a list of texts |
//!
//! Numbers are exact or they are texts; no data set is dropped.

use crate::reading::{
    Anomaly, AnomalyCode, Code, Decimal, MeterId, Obis, Profile, ProfileRow, Protocol, Reading, Register, Unit, Value,
};
use crate::wire::dsmr;
use crate::wire::iec62056::{self, profile::Header};
use crate::wire::text::{
    Check, DataSet, Groups, Piece, Pieces, Plain, PlainNumber, Stamp, Telegram, Unchecked, plain_address, plain_digits,
    stamp,
};
use smallvec::SmallVec;
use smol_str::{SmolStr, format_smolstr};

/// What a data set takes on the wire on average; only to reserve memory for the registers.
const BYTES_PER_SET: usize = 18;

/// The reading of a telegram; `bytes` are those that were cut with it.
#[must_use]
pub fn reading(bytes: &[u8], telegram: &Telegram) -> Reading {
    let masked = telegram.masked(bytes);
    let mut reading = Reading::new(Protocol::Iec62056);
    reading.registers.reserve_exact(telegram.data().len() / BYTES_PER_SET + 1);
    if let Some(line) = telegram.identification() {
        reading.identification = Some(text(masked.get(line).unwrap_or_default()));
    }
    let mut mapping = Mapping {
        bytes: &masked,
        reading,
        is_p1: telegram.check == Check::Crc,
        ids: Ids::default(),
        clock: Clock::default(),
    };
    mapping.is_p1 |= telegram.check == Check::CrcAfterLineEnds;
    mapping.note_check(telegram);
    let mut pieces = Pieces::new(&masked, telegram.data());
    loop {
        // Most lines by far are a numeric code with one number; they are read in one go.
        if let Some(plain) = pieces.plain()
            && mapping.plain(&plain)
        {
            pieces.take_plain(&plain);
            continue;
        }
        let mut groups = Row::new();
        if let Some(obis) = pieces.plain_list(&mut groups) {
            mapping.add_list(Code::Obis(obis), &groups, true);
            continue;
        }
        let Some(piece) = pieces.next() else { break };
        match piece {
            Piece::Set(set) if set.address.is_empty() => mapping.continued(&set),
            Piece::Set(set) => mapping.data_set(&set),
            Piece::Strange(range) => {
                let line = text(masked.get(range.clone()).unwrap_or_default());
                mapping.syntax(telegram.check, range.start, format_smolstr!("no data set: {}", line.escape_debug()));
            }
        }
    }
    mapping.finish(telegram)
}

/// The reading of an answer in programming mode: what stands between STX and ETX, of one block or of several joined.
#[must_use]
pub fn answer(data: &[u8]) -> Reading {
    reading(data, &Telegram::answer(data.len()))
}

/// The groups of a data set; few have more than a dozen.
type Row<'a> = SmallVec<[&'a [u8]; 12]>;

/// A reading while it is filled.
struct Mapping<'a> {
    bytes: &'a [u8],
    reading: Reading,
    is_p1: bool,
    ids: Ids,
    clock: Clock<'a>,
}

/// Where the registers are that may identify the meter, best first; the index counts registers.
#[derive(Default)]
struct Ids {
    p1: [Option<usize>; 3],
    d0: [Option<usize>; 3],
}

/// The parts of a readout's clock.
#[derive(Default)]
struct Clock<'a> {
    time: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
}

impl<'a> Mapping<'a> {
    fn note_check(&mut self, telegram: &Telegram) {
        if telegram.parity {
            let detail = "parity bits masked: a 7E1 stream received as 8N1";
            self.reading.anomalies.push(Anomaly::new(AnomalyCode::Repaired, 0, SmolStr::new_static(detail)));
        }
        let end = telegram.data().end as u64;
        match telegram.check {
            Check::CrcAfterLineEnds => {
                let detail = "the CRC fits once the line ends are CR LF again";
                self.reading.anomalies.push(Anomaly::new(AnomalyCode::Repaired, end, SmolStr::new_static(detail)));
            }
            Check::Unchecked(reason) => {
                let detail = match reason {
                    Unchecked::NoBlockCheck => "STX without ETX and block check: nothing says that the data is sound",
                    Unchecked::NoEndMark => "no end mark: the table may go on",
                    Unchecked::NoStx => "the block check cannot be verified: no STX (rate switch too late?)",
                };
                self.reading.suspect(Anomaly::new(AnomalyCode::Unchecked, end, SmolStr::new_static(detail)));
            }
            Check::None | Check::Crc | Check::Bcc | Check::Sum => {}
        }
    }

    /// Notes a breach of the grammar: the meter's own way where a checksum vouches for it, doubtful otherwise.
    fn syntax(&mut self, check: Check, at: usize, detail: SmolStr) {
        let anomaly = Anomaly::new(AnomalyCode::Syntax, at as u64, detail);
        if check.is_verified() {
            self.reading.anomalies.push(anomaly);
        } else {
            self.reading.suspect(anomaly);
        }
    }

    fn slice(&self, range: std::ops::Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Takes a plain line, if it is plain in meaning too: the number of a quantity, or the text of something else.
    #[inline]
    fn plain(&mut self, plain: &Plain<'a>) -> bool {
        let obis = plain.obis;
        match plain.number {
            Some(number) if is_quantity(obis, &number) => {
                self.is_p1 |= obis.a() != 1 && dsmr::is_typical(obis);
                self.reading.add_number(obis, number.value, number.unit, number.width);
                true
            }
            Some(PlainNumber { unit: Some(_), .. }) => false,
            // Letters and digits under a code that is no quantity.
            _ if !quantity_of(obis) => {
                let register = with_time(Register::text(obis, text(plain.group)), plain.group);
                self.notice(&register, Some(plain.group), true);
                self.reading.registers.push(register);
                true
            }
            _ => false,
        }
    }

    fn data_set(&mut self, set: &DataSet) {
        let address = self.slice(set.address.clone());
        let code = plain_address(address).map_or_else(|| Code::parse(address), Code::Obis);
        let without_period = !address.contains(&b'*');
        if set.several {
            let groups: Row<'_> = Groups::new(self.bytes, set.groups.clone()).collect();
            return self.add_list(code, &groups, without_period);
        }
        let group = self.slice(set.first.clone());
        let register = single(code, group);
        self.notice(&register, Some(group), without_period);
        self.reading.registers.push(register);
    }

    fn add_list(&mut self, code: Code, groups: &[&'a [u8]], without_period: bool) {
        let register = self.list(code, groups);
        self.notice(&register, None, without_period);
        self.reading.registers.push(register);
    }

    /// Several groups: a value with its time, or a list of texts.
    fn list(&mut self, code: Code, groups: &[&[u8]]) -> Register {
        match table_of(&code) {
            Some(Table::Profile) => self.profile(&code, groups),
            // What a log says is read by `log::entries`, for those who ask.
            Some(Table::Log | Table::Failures) => {}
            None => {
                if let Some(register) = timed(&code, groups) {
                    return register;
                }
            }
        }
        Register::new(code, list_value(groups), None)
    }

    fn profile(&mut self, code: &Code, groups: &[&[u8]]) {
        let Some(header) = Header::parse(groups) else { return };
        let values = header.values;
        let profile = self.reading.profile.get_or_insert_with(|| {
            Box::new(Profile { channels: header.channels.clone(), period_s: header.period_s, rows: Vec::new() })
        });
        if profile.channels != header.channels || profile.period_s != header.period_s {
            let detail = format_smolstr!(
                "{code}: the columns change within the profile; later rows stand in the registers only"
            );
            self.reading.anomalies.push(Anomaly::new(AnomalyCode::Syntax, 0, detail));
            return;
        }
        self.add_rows(&header, values, 0);
    }

    /// Adds the rows that a line of groups holds, the first of them `done` rows behind the header.
    fn add_rows(&mut self, header: &Header<'_>, groups: &[&[u8]], done: usize) {
        let Some(profile) = &mut self.reading.profile else { return };
        let width = profile.channels.len();
        if width == 0 {
            return;
        }
        for (n, row) in groups.chunks(width).enumerate() {
            let number = |group: &&[u8]| Decimal::parse_bytes(group.trim_ascii()).ok();
            let mut values: Vec<_> = row.iter().map(number).collect();
            values.resize(width, None);
            profile.rows.push(ProfileRow { time: header.time_of_row(done + n), status: header.status.clone(), values });
        }
    }

    /// A line without address belongs to the register above it.
    fn continued(&mut self, set: &DataSet) {
        let groups: Row<'_> = Groups::new(self.bytes, set.groups.clone()).collect();
        let Some(register) = self.reading.registers.last_mut() else {
            // The answer to a single request has no address.
            let register = match groups.as_slice() {
                [only] => single(Code::parse(b""), only),
                groups => Register::new(Code::parse(b""), list_value(groups), None),
            };
            return self.reading.registers.push(register);
        };
        let row: Vec<SmolStr> = groups.iter().map(|g| text(g)).collect();
        if let [value] = groups.as_slice()
            && register.code.obis().is_some_and(|o| (o.c(), o.d()) == (24, 3))
            && let Value::List(header) = &register.value
            && let Some(whole) = hourly_value(&register.code, header, value)
        {
            *register = whole;
            return register.detail_mut().rows.push(row);
        }
        let is_profile = table_of(&register.code) == Some(Table::Profile);
        let header: Option<Vec<SmolStr>> = match &register.value {
            Value::List(header) if is_profile => Some(header.iter().filter_map(as_text).collect()),
            _ => None,
        };
        register.detail_mut().rows.push(row);
        if let Some(header) = header {
            self.profile_rows(&header, &groups);
        }
    }

    /// Rows on a line of their own: their time counts on from the header above them.
    fn profile_rows(&mut self, header: &[SmolStr], groups: &[&[u8]]) {
        let header: Vec<&[u8]> = header.iter().map(|text| text.as_bytes()).collect();
        let Some(header) = Header::parse(&header) else { return };
        let Some(profile) = &self.reading.profile else { return };
        if profile.channels != header.channels || profile.period_s != header.period_s {
            return;
        }
        let width = profile.channels.len().max(1);
        let lines = self.reading.registers.last().and_then(|r| r.detail.as_ref()).map_or(&[][..], |d| &d.rows);
        let before = lines.split_last().map_or(&[][..], |(_, before)| before);
        let done =
            before.iter().map(|line| line.len().div_ceil(width)).sum::<usize>() + header.values.len().div_ceil(width);
        self.add_rows(&header, groups, done);
    }

    /// Remembers what identifies the meter, tells its time or shows which protocol this is.
    #[inline]
    fn notice(&mut self, register: &Register, group: Option<&'a [u8]>, without_period: bool) {
        let here = self.reading.registers.len();
        let obis = match register.code {
            // Most registers are quantities, which say nothing of that kind.
            Code::Obis(obis) if obis.a() == 1 && !matches!(obis.c(), 0 | 96) => return,
            Code::Obis(obis) => obis,
            Code::Named(_) => match register.code.resolved() {
                Some(obis) => obis,
                None => return,
            },
        };
        let [a, b, c, d, e, f] = obis.octets();
        if f != 255 || !(a == 0 || matches!(c, 0 | 96)) {
            return;
        }
        // A readout says C.1.1 or 0-0:96.1.1*255 for what P1 writes 0-0:96.1.1.
        let short = register.code.obis().is_some() && without_period;
        self.is_p1 |= short && dsmr::is_typical(obis);
        let ids = &mut self.ids;
        match (a, b, c, d, e) {
            (0, 0, 96, 1, 1) => _ = ids.p1[0].get_or_insert(here),
            (0, 0, 42, 0, 0) => _ = ids.p1[2].get_or_insert(here),
            (_, 0, 96, 1, 0) => {
                ids.p1[1].get_or_insert(here);
                ids.d0[0].get_or_insert(here);
            }
            (_, 0, 0, 0, 0) => _ = ids.d0[1].get_or_insert(here),
            (0, 0, 96, 1, 255) => _ = ids.d0[2].get_or_insert(here),
            (0, 0, 1, 0, 0) if group.is_some() => {
                self.reading.clock = register.time().copied();
                // P1's own form of a time, with its letter.
                self.is_p1 |= short && register.time().is_some() && group.is_some_and(|group| group.len() == 13);
            }
            (_, 0, 0, 9, 1) if group.is_some() => self.clock.time = group,
            (_, 0, 0, 9, 2) if group.is_some() => self.clock.date = group,
            _ => {}
        }
    }

    fn finish(mut self, telegram: &Telegram) -> Reading {
        if self.is_p1 {
            self.reading.protocol = Protocol::Dsmr;
        }
        if self.reading.clock.is_none()
            && let (Some(time), Some(date)) = (self.clock.time, self.clock.date)
        {
            self.reading.clock = iec62056::clock(time, date);
        }
        self.reading.meter = self.meter();
        let is_answer = self.reading.registers.first().is_some_and(|r| table_of(&r.code).is_some());
        // Under a block check that begins with STX nothing can be missing.
        if telegram.identification().is_none() && !is_answer && !telegram.check.is_verified() {
            let detail = "no identification line: the beginning may be missing";
            self.reading.suspect(Anomaly::new(AnomalyCode::NoIdentification, 0, SmolStr::new_static(detail)));
        }
        self.note_control_characters(telegram.check);
        self.reading
    }

    fn meter(&self) -> Option<MeterId> {
        let candidates = if self.is_p1 { [self.ids.p1, self.ids.d0] } else { [self.ids.d0, self.ids.p1] };
        candidates.into_iter().flatten().flatten().find_map(|index| {
            let id = self.reading.registers.get(index)?.as_text()?;
            match dsmr::hex_text(id).filter(|_| self.is_p1) {
                Some(plain) => MeterId::new(&plain),
                None => MeterId::new(id),
            }
        })
    }

    /// Without a checksum a control character in a text is the only trace of noise.
    fn note_control_characters(&mut self, check: Check) {
        if check.is_verified() {
            return;
        }
        let is_noisy = |text: &SmolStr| text.bytes().any(|b| !matches!(b, b' '..=b'~'));
        let noisy = self.reading.registers.iter().find(|r| match &r.value {
            Value::Text(text) => is_noisy(text),
            Value::List(values) => values.iter().any(|v| matches!(v, Value::Text(text) if is_noisy(text))),
            _ => false,
        });
        if let Some(register) = noisy {
            let detail = format_smolstr!("{}: not printable, perhaps noise on the line", register.code);
            self.syntax(check, 0, detail);
        }
    }
}

/// The data sets whose groups are more than values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::acquire) enum Table {
    Profile,
    Log,
    Failures,
}

pub(in crate::acquire) fn table_of(code: &Code) -> Option<Table> {
    let obis = match code {
        Code::Obis(obis) => *obis,
        // A form met in the field.
        Code::Named(name) if name == "1-0:99:97.0" => return Some(Table::Failures),
        Code::Named(_) => code.resolved()?,
    };
    match (obis.c(), obis.d()) {
        (99, 1 | 2) => Some(Table::Profile),
        (99, 98 | 99) => Some(Table::Log),
        (99, 97) => Some(Table::Failures),
        _ => None,
    }
}

/// A register of one group.
#[inline]
fn single(code: Code, group: &[u8]) -> Register {
    // Digits at the end mean no unit; without one only the code can say that it is a number and no name.
    if matches!(group.last(), None | Some(b'0'..=b'9')) && !group.contains(&b'*') && quantity(&code).is_none() {
        return with_time(Register::text(code, text(group)), group);
    }
    if let Some((number, unit)) = number_star_unit(group) {
        return Register::number(code, number, Some(unit));
    }
    let register = match loose_number(&code, group) {
        Some((number, unit)) => {
            let mut register = Register::number(code, number, unit);
            match plain_digits(group).filter(|_| unit.is_none()) {
                Some(width) => register.width = width,
                None => register.detail_mut().text = Some(text(group)),
            }
            register
        }
        None => Register::text(code, text(group)),
    };
    with_time(register, group)
}

/// A clock register has its own time.
fn with_time(mut register: Register, group: &[u8]) -> Register {
    if let Code::Obis(obis) = register.code
        && (obis.a(), obis.c(), obis.d()) == (0, 1, 0)
        && let Some(time) = stamp(group).and_then(Stamp::time)
    {
        register.detail_mut().time = Some(time);
    }
    register
}

/// `number*unit`, the standard's form, nothing to trim and nothing to guess.
#[inline]
fn number_star_unit(group: &[u8]) -> Option<(Decimal, Unit)> {
    let mut mantissa = 0i64;
    let mut point = None;
    // One pass for what nearly every data set is; eighteen characters cannot overflow the mantissa.
    for (at, &byte) in group.iter().enumerate().take(18) {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + i64::from(byte & 0x0F),
            b'.' if point.is_none() => point = Some(at),
            b'*' if at > usize::from(point.is_some()) => {
                let decimals = point.map_or(0, |point| at - point - 1);
                let unit = Unit::parse_bytes(group.get(at + 1..)?)?;
                return Some((Decimal::new(mantissa, -i8::try_from(decimals).ok()?), unit));
            }
            _ => break,
        }
    }
    let star = group.iter().position(|&b| b == b'*')?;
    let number = Decimal::parse_bytes(group.get(..star)?).ok()?;
    Some((number, Unit::parse_bytes(group.get(star + 1..)?)?))
}

/// A number that is written otherwise: padded, with the unit behind a blank or glued on, without unit.
fn loose_number(code: &Code, group: &[u8]) -> Option<(Decimal, Option<Unit>)> {
    let trimmed = group.trim_ascii();
    let length = trimmed.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'.' | b'+' | b'-')).count();
    let (digits, rest) = trimmed.split_at_checked(length)?;
    let number = Decimal::parse_bytes(digits).ok()?;
    match rest {
        [] | b"*" => quantity(code).map(|obis| (number, usual_unit(obis, number))),
        [b'*', unit @ ..] => unit_or_other(unit.trim_ascii()).map(|unit| (number, Some(unit))),
        [b' ', unit @ ..] => Unit::parse_bytes(unit.trim_ascii()).map(|unit| (number, Some(unit))),
        // Glued on only where the code is a quantity: `251107143000W` is a time and no power, `00A` a status.
        unit => quantity(code).and(Unit::parse_bytes(unit)).map(|unit| (number, Some(unit))),
    }
}

/// Whether a plain number under this code is the value of a quantity, and complete.
#[inline]
fn is_quantity(obis: Obis, number: &PlainNumber) -> bool {
    match number.unit {
        Some(_) => obis.a() != 1 || matches!(obis.c(), 1..=95 | 100..),
        None => is_count(obis, number.value),
    }
}

/// Whether bare digits under this code are a number without unit, and not an energy whose unit is left out.
fn is_count(obis: Obis, number: Decimal) -> bool {
    quantity_of(obis) && usual_unit(obis, number).is_none()
}

/// A unit, known or not: up to 16 characters (IEC 62056-21, 6.3.3) that begin with a letter.
pub(in crate::acquire) fn unit_or_other(text: &[u8]) -> Option<Unit> {
    let is_word = |text: &&[u8]| {
        text.len() <= 16
            && text.first().is_some_and(u8::is_ascii_alphabetic)
            && text.iter().all(|&b| b.is_ascii_graphic() && !matches!(b, b'*' | b'&'))
    };
    Unit::parse_bytes(text).or_else(|| Some(text).filter(is_word).map(|_| Unit::OTHER))
}

/// The code, if what it stands for is a number by its meaning and not perhaps a name made of digits.
fn quantity(code: &Code) -> Option<Obis> {
    let obis = code.obis().or_else(|| code.resolved())?;
    quantity_of(obis).then_some(obis)
}

fn quantity_of(obis: Obis) -> bool {
    let measured = matches!(obis.d(), 2..=10 | 24 | 25 | 29..=46 | 49 | 50);
    match (obis.a(), obis.c()) {
        // Failure counters and durations; 10 to 14 are dates.
        (0, 96) => match obis.d() {
            7 => !matches!(obis.e(), 10..=14),
            3 => obis.e() == 10,
            _ => false,
        },
        // M-Bus: device type, values, valve.
        (0, 24) => matches!(obis.d(), 1..=4),
        // The threshold of the breaker.
        (0, 17) => obis.d() == 0,
        // Luxembourg writes its counters of sags and swells with 0-0.
        (0, 32 | 52 | 72) => matches!(obis.d(), 32 | 36),
        (0, _) => false,
        (_, 1..=95 | 100..=107 | 124..=126) => measured,
        _ => false,
    }
}

/// The unit of an energy that came without one: in kilo, if it has a decimal point; otherwise nobody can tell.
fn usual_unit(obis: Obis, number: Decimal) -> Option<Unit> {
    if number.exponent() >= 0 || obis.a() != 1 || obis.d() != 8 {
        return None;
    }
    match obis.c() {
        0 | 81.. => None,
        // The quantities of the three phases follow those of the sum, each twenty on.
        c => match (c - 1) % 20 + 1 {
            1 | 2 | 15..=20 => Some(Unit::KWH),
            3..=8 => Unit::parse("kvarh"),
            9 | 10 => Unit::parse("kVAh"),
            _ => None,
        },
    }
}

/// `(value*unit)(time)` or `(time)(value*unit)`. Without a unit only where the code says that there is a time:
/// a ZMD310 writes `32.7.0(0002)(00-01-01 00:00)` for something that is no voltage.
fn timed(code: &Code, groups: &[&[u8]]) -> Option<Register> {
    if code.obis().is_some_and(|o| (o.c(), o.d()) == (24, 3)) {
        let [header @ .., value] = groups else { return None };
        let header: Vec<Value> = header.iter().map(|g| Value::Text(text(g))).collect();
        return hourly_value(code, &header, value);
    }
    let [first, second] = groups else { return None };
    let value = |group: &[u8]| {
        let register = single(code.clone(), group);
        let has_time = code.obis().is_some_and(|o| o.d() == 6 || (o.c(), o.d()) == (24, 2));
        (register.as_number().is_some() && (register.unit.is_some() || has_time)).then_some(register)
    };
    let (mut register, time) = match (stamp(second), stamp(first)) {
        (Some(time), _) if value(first).is_some() => (value(first)?, time),
        (_, Some(time)) => (value(second)?, time),
        _ => return None,
    };
    if let Some(time) = time.time() {
        register.detail_mut().time = Some(time);
    }
    if register.unit.is_none() {
        register.detail_mut().groups = groups.iter().map(|group| text(group)).collect();
    }
    Some(register)
}

/// DSMR 2 and 3: `(TST)(status)(60)(1)(0-1:24.2.1)(m3)`, then the value.
fn hourly_value(code: &Code, header: &[Value], value: &[u8]) -> Option<Register> {
    let [Value::Text(time), Value::Text(status), _, _, _, Value::Text(unit)] = header else { return None };
    let number = Decimal::parse_bytes(value.trim_ascii()).ok()?;
    let time = stamp(time.as_bytes())?;
    let mut register = Register::number(code.clone(), number, Unit::parse(unit));
    let detail = register.detail_mut();
    detail.time = time.time();
    detail.status = u64::from_str_radix(status, 16).ok();
    Some(register)
}

fn list_value(groups: &[&[u8]]) -> Value {
    Value::List(groups.iter().map(|g| Value::Text(text(g))).collect())
}

fn as_text(value: &Value) -> Option<SmolStr> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

#[inline]
fn text(bytes: &[u8]) -> SmolStr {
    match std::str::from_utf8(bytes) {
        // A long text may be broken into lines; the line ends are none of it.
        Ok(text) if text.len() > 16 && text.contains(['\r', '\n']) => {
            text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect()
        }
        Ok(text) => SmolStr::new(text),
        Err(_) => SmolStr::from(String::from_utf8_lossy(bytes)),
    }
}

#[cfg(test)]
mod telegrams;
#[cfg(test)]
mod tests;
