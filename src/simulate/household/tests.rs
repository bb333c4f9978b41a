use super::*;

fn unix(text: &str) -> i64 {
    Instant::parse_utc(text).unwrap().unix_seconds()
}

fn house(seed: u64) -> Household {
    Household::new(seed, Zone::CENTRAL_EUROPE)
}

#[test]
fn a_second_is_the_same_whenever_and_in_whatever_order_it_is_asked_for() {
    let start = unix("2025-11-07T14:30:00Z");
    let forwards: Vec<_> = {
        let mut house = house(7);
        (start..start + 4_000).map(|second| house.at(second)).collect()
    };
    let mut backwards: Vec<_> = {
        let mut house = house(7);
        (start..start + 4_000).rev().map(|second| house.at(second)).collect()
    };
    backwards.reverse();
    assert_eq!(forwards, backwards);
    let mut jumping = house(7);
    for n in (0..4_000usize).map(|n| n * 1_237 % 4_000) {
        assert_eq!(jumping.at(start + n as i64), forwards[n]);
    }
    assert_ne!(house(8).at(start), forwards[0], "another seed is another household");
}

#[test]
fn a_year_is_that_of_a_household_with_solar_panels() {
    let mut house = house(1);
    let start = unix("2025-01-01T00:00:00Z");
    // A second in 61 is enough, and meets every second of the minute.
    let (mut import, mut export, mut peak) = (0i64, 0i64, 0);
    for second in (start..start + 365 * 86_400).step_by(61) {
        let watts = i64::from(house.at(second).watts());
        import += watts.max(0);
        export += (-watts).max(0);
        peak = peak.max(watts);
    }
    let kwh = |sum: i64| sum * 61 / 3_600_000;
    assert!((5_000..12_000).contains(&kwh(import)), "{} kWh imported", kwh(import));
    assert!((3_000..9_000).contains(&kwh(export)), "{} kWh exported", kwh(export));
    assert!((11_000..20_000).contains(&peak), "peak of {peak} W");
}

#[test]
fn nights_are_dark_and_summers_bright() {
    let mut house = house(3);
    let mean = |house: &mut Household, from: &str| {
        let from = unix(from);
        (0..30 * 24).map(|hour| house.at(from + hour / 24 * 86_400 + hour % 24 * 150).watts()).sum::<i32>() / 720
    };
    assert!(mean(&mut house, "2025-06-01T11:00:00Z") < -2_500, "noons in June feed in");
    assert!(mean(&mut house, "2025-06-01T00:00:00Z") > 150, "nights in June draw");
    assert!(mean(&mut house, "2025-12-01T17:00:00Z") > 800, "evenings in December draw");
}

#[test]
fn what_is_measured_fits_together_and_stays_within_bounds() {
    let mut house = house(5);
    let start = unix("2025-03-01T00:00:00Z");
    for second in (start..start + 40 * 86_400).step_by(677) {
        let load = house.at(second);
        assert!((49_900..50_100).contains(&load.millihertz), "{load:?}");
        for phase in load.phases {
            assert!((2_150..2_450).contains(&phase.decivolts), "{load:?}");
            let apparent = phase.milliamperes() * u64::from(phase.decivolts.unsigned_abs()) / 10_000;
            assert!(u64::from(phase.watts.unsigned_abs()) <= apparent + 1, "{load:?}");
            assert!((-1_000..=1_000).contains(&phase.power_factor()), "{load:?}");
        }
    }
}

#[test]
fn without_mains_nothing_flows() {
    let mut house = house(1);
    house.cut(100..160);
    assert_eq!(house.at(100), Load::default());
    assert_eq!((house.at(159).phases[0].milliamperes(), house.at(159).power_factor()), (0, 1_000));
    assert!(house.at(99).phases[0].decivolts > 2_000 && house.at(160).phases[0].decivolts > 2_000);
    assert!(house.is_supplied(160) && !house.is_supplied(159));
}

#[test]
fn the_sun_shines_at_night_where_it_is_told_to() {
    let mut house = house(1);
    let night = unix("2025-12-10T01:00:00Z");
    assert!(house.at(night + 90).watts() > 0);
    house.shine(night..night + 3_600);
    assert!(house.at(night + 90).watts() < -2_000);
    assert!(house.at(night + 3_700).watts() > 0);
}

#[test]
fn the_household_lives_by_the_wall_clock() {
    assert_eq!(ahead(Zone::CENTRAL_EUROPE, unix("2025-03-30T00:59:59Z")), 3_600);
    assert_eq!(ahead(Zone::CENTRAL_EUROPE, unix("2025-03-30T01:00:00Z")), 7_200);
    // The same plan of 12 November, an hour of UTC apart.
    let (zurich, london) = (house(4), Household::new(4, Zone::parse("Europe/London").unwrap()));
    let supper = |mut house: Household, from: &str| {
        let from = unix(from);
        (0..7_200).map(|n| house.at(from + n).watts() > 1_500).collect::<Vec<_>>()
    };
    let same = supper(zurich, "2025-11-12T17:00:00Z")
        .into_iter()
        .zip(supper(london, "2025-11-12T18:00:00Z"))
        .filter(|(here, there)| here == there)
        .count();
    assert!(same > 6_800, "{same} of 7200 seconds");
}
