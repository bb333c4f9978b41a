//! Arbitrary readings through the bytes of a span and back, and bytes that are no span.

use super::Damage;
use super::bytes::{seal, unseal};
use super::column::Opened;
use super::skeleton::Skeleton;
use super::span::Span;
use super::whole::{self, Packed};
use crate::reading::{
    Anomaly, AnomalyCode, CivilTime, Code, Decimal, Instant, MeterId, MeterTime, Offset, Protocol, Quality, Reading,
    Register, Unit, Value,
};
use proptest::prelude::*;

fn meter() -> MeterId {
    MeterId::new("M1").unwrap()
}

/// A number as a meter sends it: mostly of a fixed scale, sometimes not.
fn number() -> impl Strategy<Value = Register> {
    let exponent = prop_oneof![6 => Just(-3i8), 1 => -6i8..3, 1 => any::<i8>()];
    let mantissa = prop_oneof![6 => 0i64..10_000_000, 1 => any::<i64>()];
    (mantissa, exponent, prop_oneof![Just(0u8), Just(10u8)]).prop_map(|(mantissa, exponent, width)| {
        let mut register = Register::number(Code::parse(b"1.8.0"), Decimal::new(mantissa, exponent), Some(Unit::KWH));
        register.width = width;
        register
    })
}

fn meter_time() -> impl Strategy<Value = MeterTime> {
    let offset = prop_oneof![
        Just(Offset::Unknown),
        Just(Offset::Summer),
        Just(Offset::Winter),
        (-720i16..720).prop_map(Offset::Minutes)
    ];
    (0i64..4_000_000_000_000_000, offset, any::<bool>()).prop_map(|(micros, offset, doubtful)| MeterTime {
        civil: CivilTime::from_civil_micros(micros).unwrap(),
        offset,
        doubtful,
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (any::<i64>(), any::<i8>()).prop_map(|(m, e)| Value::Number(Decimal::new(m, e))),
        "[ -~é]{0,20}|[0-9]{1,25}|[A-Z]{2}[0-9]{5}W?".prop_map(|text| Value::Text(text.into())),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|octets| Value::Octets(octets.into())),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Nothing),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        proptest::collection::vec(inner, 0..4).prop_map(|values| Value::List(values.into()))
    })
}

fn odd() -> impl Strategy<Value = Register> {
    let text = proptest::option::of("[0-9.,*a-z]{0,12}");
    let details = (text, proptest::option::of(meter_time()), proptest::option::of(any::<u64>()));
    let texts = proptest::collection::vec("[0-9A-F]{0,6}", 0..3);
    let rows = proptest::collection::vec(proptest::collection::vec("[0-9]{0,6}", 0..3), 0..3);
    (value(), 0u8..4, details, texts, rows, 0u8..3).prop_map(
        |(value, unit, (text, time, status), groups, rows, code)| {
            let unit = [None, Some(Unit::W), Unit::parse("MWh"), Some(Unit::OTHER)][usize::from(unit)];
            let mut register = Register::new(Code::parse(format!("96.{code}.F").as_bytes()), value, unit);
            if text.is_some() || time.is_some() || status.is_some() || !groups.is_empty() || !rows.is_empty() {
                let detail = register.detail_mut();
                detail.text = text.map(Into::into);
                detail.time = time;
                detail.status = status;
                detail.groups = groups.into_iter().map(Into::into).collect();
                detail.rows = rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect();
            }
            register
        },
    )
}

fn reading() -> impl Strategy<Value = Reading> {
    let registers = proptest::collection::vec(prop_oneof![3 => number(), 2 => odd()], 0..6);
    let quality = prop_oneof![4 => Just(Quality::Good), 1 => Just(Quality::Suspect), 1 => Just(Quality::Bad)];
    (registers, quality, proptest::option::of(meter_time()), any::<bool>()).prop_map(
        |(registers, quality, clock, odd)| {
            let mut reading = Reading::new(if odd { Protocol::Sml } else { Protocol::Dsmr });
            reading.meter = Some(meter());
            reading.identification = odd.then(|| "ISK5\\2M550T-1011".into());
            reading.clock = clock;
            reading.registers = registers;
            reading.quality = quality;
            if odd {
                reading.anomalies.push(Anomaly::new(AnomalyCode::Clock, 17, "odd"));
            }
            reading
        },
    )
}

/// Readings in order of time, some of one instant, with gaps.
pub(crate) fn readings() -> impl Strategy<Value = Vec<(Instant, Reading)>> {
    let step = prop_oneof![5 => Just(60_000_000i64), 1 => Just(0), 2 => 0i64..100_000_000_000];
    proptest::collection::vec((step, reading()), 1..30).prop_map(|pairs| {
        let mut at = 1_762_473_600_000_000;
        let mut next = |step| {
            at += step;
            Instant::from_unix_micros(at)
        };
        pairs.into_iter().map(|(step, reading)| (next(step), reading)).collect()
    })
}

/// Readings of the same registers, all of them numbers: the usual case.
fn alike() -> impl Strategy<Value = Vec<(Instant, Reading)>> {
    let values = proptest::collection::vec((0i64..3, any::<i32>(), 0i64..4), 1..40);
    (values, proptest::option::of(meter_time())).prop_map(|(values, clock)| {
        let mut at = Instant::from_unix(1_762_473_600);
        let mut reading = |(minutes, one, other)| {
            at = at.plus_seconds(60 * minutes);
            let mut reading = Reading::new(Protocol::Dlms);
            reading.meter = Some(meter());
            reading.clock = clock;
            for (code, mantissa) in [(b"16.7.0", i64::from(one)), (b"32.7.0", 2300 + other)] {
                reading.registers.push(Register::number(Code::parse(code), Decimal::new(mantissa, -1), Some(Unit::W)));
            }
            (at, reading)
        };
        values.into_iter().map(&mut reading).collect()
    })
}

fn pack(all: &[(Instant, Reading)]) -> Packed {
    whole::pack(all).unwrap()
}

fn unpack(packed: &Packed) -> Result<Vec<(Instant, Reading)>, Damage> {
    packed.unpack(&meter())
}

/// Equality to the digit: [`Decimal`] alone would call 1.5 and 1.50 equal.
fn same(one: &[(Instant, Reading)], other: &[(Instant, Reading)]) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

proptest! {
    #[test]
    fn any_readings_come_back_to_the_digit(all in readings()) {
        let back = unpack(&pack(&all)).unwrap();
        prop_assert!(same(&all, &back), "{all:?}\n{back:?}");
    }

    #[test]
    fn reading_on_from_the_middle_gives_the_rest(all in prop_oneof![readings(), alike()], from: prop::sample::Index) {
        let packed = pack(&all);
        let from = all[from.index(all.len())].0;
        let mut stream = packed.open().unwrap();
        stream.skip_until(from.unix_micros()).unwrap();
        let mut rest = Vec::new();
        while let Some((at, reading, _)) = stream.next(&meter()).unwrap() {
            rest.push((at, reading));
        }
        let expected: Vec<_> = all.iter().filter(|(at, _)| *at >= from).cloned().collect();
        prop_assert!(same(&rest, &expected));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_an_error(all in readings(), byte: prop::sample::Index, bit in 0u8..8) {
        let mut packed = pack(&all);
        let blobs = 1 + packed.blocks.len();
        let mut at = byte.index(blobs);
        let blob = if at == 0 { &mut packed.head } else {
            at -= 1;
            let mut keys: Vec<_> = packed.blocks.keys().copied().collect();
            keys.sort_unstable();
            &mut packed.blocks.get_mut(&keys[at]).unwrap().0
        };
        let place = byte.index(blob.len());
        blob[place] ^= 1 << bit;
        prop_assert!(unpack(&packed).is_err());
    }

    /// The same with checksums that fit: an error or other readings, never a panic.
    #[test]
    fn damage_behind_the_checksum_never_panics(all in readings(), byte: prop::sample::Index, to: u8) {
        let mut packed = pack(&all);
        let mut body = unseal(&[1], &packed.head).unwrap().to_vec();
        let place = byte.index(body.len());
        body[place] = to;
        packed.head = seal(&[1], body);
        let _ = unpack(&packed);
        let mut packed = pack(&all);
        for (series, (blob, _)) in &mut packed.blocks {
            let key = [i64::from(*series)];
            let mut body = unseal(&key, blob).unwrap().to_vec();
            let place = byte.index(body.len());
            body[place] = to;
            *blob = seal(&key, body);
        }
        let _ = unpack(&packed);
    }

    #[test]
    fn bytes_that_are_no_block_are_an_error(bytes: Vec<u8>, count in 0usize..5000) {
        let _ = Span::parse_body(&bytes, count);
        let _ = Opened::parse_body(&bytes, count);
        let _ = Skeleton::parse(&bytes);
    }
}

/// Digits with their trailing zeros dropped, as floats are printed: the scale costs nothing.
#[test]
fn dropped_zeros_cost_nothing() {
    let with = |values: &[&str]| {
        let start = Instant::from_unix(1_762_473_600);
        let all: Vec<_> = (0..1440i64)
            .map(|minute| {
                let mut reading = Reading::new(Protocol::Dlms);
                reading.meter = Some(meter());
                let text = values[usize::try_from(minute).unwrap() % values.len()];
                reading.registers =
                    vec![Register::number(Code::parse(b"32.7.0"), text.parse().unwrap(), Some(Unit::V))];
                (start.plus_seconds(minute * 60), reading)
            })
            .collect();
        let packed = pack(&all);
        assert!(same(&all, &unpack(&packed).unwrap()));
        packed.head.len() + packed.blocks.values().map(|(blob, _)| blob.len()).sum::<usize>()
    };
    let fixed = with(&["231.5", "231.0", "230.7"]);
    assert!(with(&["231.5", "231", "230.7"]) <= fixed + 2);
    assert!(with(&["231.52", "231.0", "230.7"]) <= fixed + 60);
}
