//! No number is too much, and live, replayed and restarted give the same.

use super::*;
use proptest::prelude::*;

/// Readings of any numbers under the codes that detectors look at.
fn hostile() -> impl Strategy<Value = Vec<(i64, Reading)>> {
    let codes = [
        "1-0:1.8.0",
        "1-0:1.8.1",
        "1-0:2.8.0",
        "1-0:16.7.0",
        L1,
        L2,
        "1-0:72.7.0",
        "1-0:31.7.0",
        "1-0:51.7.0",
        "1-0:71.7.0",
        "1-0:14.7.0",
        "1-0:13.7.0",
        "1-0:32.24.0",
        "1-0:52.25.0",
        "1-0:1.6.0",
        "1-0:31.4.0",
        "0-0:17.0.0",
        "0-0:96.7.21",
        "0-0:96.7.1",
        "1-0:32.32.0",
        "1-0:72.36.0",
        "0-0:96.8.0",
        "0-0:96.3.10",
        "0-0:97.97.0",
        "0-0:97.98.0",
        "1-0:96.5.5",
        "1-0:81.7.1",
        "0-0:96.14.0",
        "0-1:24.1.0",
        "C.1.0",
    ];
    let units = ["kWh", "Wh", "W", "kW", "V", "A", "Hz", ""];
    let mantissa = prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>(), -3000..3000i64];
    let register = (
        prop::sample::select(codes.to_vec()),
        prop::sample::select(units.to_vec()),
        mantissa,
        any::<i8>(),
        any::<bool>(),
    );
    let step = prop_oneof![Just(0i64), 1..100i64, Just(100_000i64), Just(-5i64), Just(1 << 33)];
    prop::collection::vec((step, prop::collection::vec(register, 0..12)), 1..40).prop_map(|steps| {
        let mut second = 0;
        let mut readings = Vec::new();
        for (step, registers) in steps {
            second += step;
            let mut reading = Reading::new(Protocol::Sml);
            for (code, unit, mantissa, exponent, is_text) in registers {
                let code = Code::parse(code.as_bytes());
                let mut register = Register::number(code.clone(), Decimal::new(mantissa, exponent), Unit::parse(unit));
                if is_text {
                    register = Register::text(code, mantissa.to_string());
                }
                register.detail_mut().status = Some(mantissa.cast_unsigned());
                reading.registers.push(register);
            }
            readings.push((second, reading));
        }
        readings
    })
}

/// A household in which much goes wrong, as steps of seconds and values.
fn troubled() -> impl Strategy<Value = Vec<(i64, Reading)>> {
    let step = prop_oneof![6 => Just(10i64), 1 => Just(1), 1 => Just(130), 1 => Just(700)];
    let volts = || prop_oneof![4 => 2280..2320i64, 2 => 2060..2080i64, 2 => 2470..2560i64, 1 => 0..2800i64];
    let power = prop_oneof![3 => 0..500i64, 2 => 3500..4600i64];
    let quality = prop_oneof![9 => Just(Quality::Good), 1 => Just(Quality::Suspect)];
    let one = (step, [volts(), volts(), volts()], power, quality, 0..30i64, 1..12usize);
    prop::collection::vec(one, 5..60).prop_map(|steps| {
        let (mut second, mut energy, mut readings) = (0, 1_000_000, Vec::new());
        for (step, volts, power, quality, used, times) in steps {
            // Runs of the same, so that means and episodes come about.
            for _ in 0..times * 4 {
                second += step;
                energy += used;
                let mut reading = Reading::new(Protocol::Dsmr);
                reading.quality = quality;
                for (c, volts) in [32, 52, 72].into_iter().zip(volts) {
                    let code = crate::reading::Obis::electricity(c, 7, 0);
                    reading.registers.push(Register::number(code, Decimal::new(volts, -1), Some(Unit::V)));
                }
                let code = crate::reading::Obis::electricity(16, 7, 0);
                reading.registers.push(Register::number(code, Decimal::new(power, 0), Some(Unit::W)));
                let code = crate::reading::Obis::electricity(1, 8, 0);
                reading.registers.push(Register::number(code, Decimal::new(energy, -3), Some(Unit::KWH)));
                readings.push((second, reading));
            }
        }
        readings
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn no_number_is_too_much(series in hostile()) {
        let readings: Vec<_> = series.into_iter().map(|(second, reading)| (start().plus_seconds(second), reading)).collect();
        run_with(&Rules::default(), &readings);
    }

    #[test]
    fn live_replayed_and_restarted_give_the_same(series in troubled(), cuts in prop::collection::vec(0.0..1.0f64, 0..4)) {
        let readings: Vec<_> = series.into_iter().map(|(second, reading)| (start().plus_seconds(second), reading)).collect();
        let rules = Rules::default();
        let whole = run_with(&rules, &readings);
        let cuts: Vec<usize> = cuts.into_iter().map(|cut| (cut * readings.len() as f64) as usize).collect();
        prop_assert_eq!(&whole, &run_with_restarts(&rules, &readings, &cuts));
        for event in whole.values() {
            prop_assert!(event.end.is_none_or(|end| end >= event.start), "{:?}", event);
            prop_assert!(event.description.chars().count() < 200);
        }
    }
}
