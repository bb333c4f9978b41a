use super::*;
use crate::simulate::household::Household;

fn at(text: &str) -> Instant {
    Instant::parse_utc(text).unwrap()
}

fn setup() -> Setup {
    Setup::new(1, at("2025-11-07T14:30:00Z"))
}

/// The entries since the simulation started.
fn events(works: &Works, since: Instant) -> Vec<(Event, i64)> {
    let entries = works.events().filter(|entry| entry.at >= since);
    entries.map(|entry| (entry.event, entry.at.unix_seconds() - since.unix_seconds())).collect()
}

#[test]
fn counters_are_exactly_the_integral_of_the_power() {
    let setup = setup();
    let mut works = Works::new(&setup);
    let mut house = Household::new(setup.seed, setup.zone);
    let start = setup.start.unix_seconds();
    let before = *works.counters();
    let (mut import, mut export, mut reactive) = (0, 0, 0);
    for second in start + 1..=start + 50_000 {
        works.advance(Instant::from_unix(second));
        let load = house.at(second);
        assert_eq!(*works.load(), load);
        import += u64::from(load.watts().max(0).unsigned_abs());
        export += u64::from(load.watts().min(0).unsigned_abs());
        reactive += u64::from(load.vars().unsigned_abs());
    }
    let after = works.counters();
    let sum = |of: fn(&Counters) -> &[u64]| of(after).iter().sum::<u64>() - of(&before).iter().sum::<u64>();
    assert_eq!([sum(|c| &c.import), sum(|c| &c.export), sum(|c| &c.reactive)], [import, export, reactive]);
    assert!(import > 0 && reactive > 0);
}

#[test]
fn one_leap_or_many_steps_come_to_the_same() {
    let setup = setup();
    let (mut leaping, mut stepping) = (Works::new(&setup), Works::new(&setup));
    leaping.advance(setup.start.plus_seconds(10_000));
    for n in 1..=1_000 {
        stepping.advance(setup.start.plus_seconds(n * 10));
    }
    // Going back is no going on.
    stepping.advance(setup.start);
    assert_eq!(leaping.counters(), stepping.counters());
    assert!(leaping.rows().eq(stepping.rows()) && leaping.events().eq(stepping.events()));
}

#[test]
fn two_simulations_of_one_day_agree() {
    let mut early = Works::new(&Setup::new(1, at("2025-11-07T00:00:00Z")));
    let late = Works::new(&setup());
    early.advance(late.now());
    assert_eq!((early.counters(), early.load()), (late.counters(), late.load()));
    assert!(early.events().eq(late.events()));
}

#[test]
fn the_rows_of_the_load_profile_add_up_to_the_counters() {
    let works = Works::new(&setup());
    let rows: Vec<_> = works.rows().copied().collect();
    // Ten days and fourteen and a half hours.
    let most = 10 * 96 + 58;
    assert!((most - 6..=most).contains(&rows.len()), "{} rows with two power failures", rows.len());
    for pair in rows.windows(2) {
        let [before, after] = pair else { unreachable!() };
        assert!(after.end > before.end && after.end.unix_seconds() % PERIOD == 0);
        assert_eq!(after.energy_wh[0], after.counters.import_wh() - before.counters.import_wh());
        assert_eq!(after.energy_wh[1], after.counters.export_wh() - before.counters.export_wh());
    }
    let last = rows.last().unwrap();
    assert_eq!(last.end, at("2025-11-07T14:30:00Z"));
    assert_eq!(last.counters, *works.counters());
    let quarters: Vec<_> = rows.iter().map(|row| row.energy_wh[0] * 4).collect();
    assert!(works.maximum().watts >= quarters[quarters.len() - 28 * 4..].iter().max().unwrap() - 4);
}

#[test]
fn a_meter_has_a_past() {
    let works = Works::new(&setup());
    let events: Vec<_> = works.events().map(|entry| entry.event).collect();
    use Event::{CoverClosed, CoverOpened, LogCleared, PowerDown, PowerUp};
    assert_eq!(events, [LogCleared, CoverOpened, CoverClosed, PowerDown, PowerUp, PowerDown, PowerUp]);
    assert_eq!(works.failure_counts(), [2, 1]);
    let failure = works.long_failures().next().unwrap();
    assert!(failure.seconds > LONG_FAILURE && failure.end < works.now());
    let marked = works.rows().filter(|row| row.status & status::POWER_DOWN != 0).count();
    assert!((2..=3).contains(&marked), "{marked} rows with a power failure");
}

#[test]
fn the_tariff_follows_the_local_clock() {
    let start = at("2025-11-07T19:59:58Z");
    let mut works = Works::new(&Setup::new(1, start));
    let high = works.counters().import[0];
    assert_eq!(works.tariff(), 0);
    works.advance(start.plus_seconds(2));
    assert!(works.counters().import[0] > high, "20:59:59 on a Friday");
    let (high, low) = (works.counters().import[0], works.counters().import[1]);
    works.advance(start.plus_seconds(10));
    assert_eq!((works.tariff(), works.counters().import[0]), (1, high));
    assert!(works.counters().import[1] > low);
    works.advance(at("2025-11-10T06:00:01Z"));
    assert_eq!(works.tariff(), 0, "Monday at 7");
}

#[test]
fn a_power_cut_is_counted_logged_and_marked() {
    let mut setup = setup();
    let cut = setup.start.unix_seconds() + 100;
    setup.outages.push(cut..cut + 300);
    let mut works = Works::new(&setup);
    works.advance(setup.start.plus_seconds(99));
    let before = *works.counters();
    works.advance(setup.start.plus_seconds(399));
    assert!(!works.is_powered() && works.load().watts() == 0);
    assert_eq!(*works.counters(), before);
    works.advance(setup.start.plus_seconds(900));
    assert!(works.is_powered());
    assert_eq!(works.failure_counts(), [3, 2]);
    assert_eq!(works.long_failures().last().unwrap().seconds, 300);
    assert_eq!(events(&works, setup.start), [(Event::PowerDown, 99), (Event::PowerUp, 399)]);
    assert_eq!(works.rows().last().unwrap().status, status::POWER_DOWN);
}

#[test]
fn an_outage_over_several_periods_leaves_a_gap() {
    let mut setup = setup();
    let cut = setup.start.unix_seconds() + 100;
    setup.outages.push(cut..cut + 4 * 900);
    let mut works = Works::new(&setup);
    works.advance(setup.start.plus_seconds(5 * 900));
    let ends: Vec<_> = works.rows().rev().take(3).map(|row| (row.end.unix_seconds() - cut + 100, row.status)).collect();
    assert_eq!(ends, [(4_500, status::POWER_DOWN), (900, status::POWER_DOWN), (0, 0)]);
}

#[test]
fn a_clock_that_is_set_is_logged_and_the_energies_do_not_mind() {
    let mut setup = setup();
    let mut straight = Works::new(&setup);
    setup.clock = vec![ClockChange::Step { at: setup.start.unix_seconds() + 60, seconds: -1_000 }];
    let mut works = Works::new(&setup);
    let end = setup.start.plus_seconds(2_000);
    works.advance(end);
    straight.advance(end);
    assert_eq!(works.clock(), end.plus_seconds(-1_000));
    assert_eq!(works.counters(), straight.counters());
    assert_eq!(events(&works, setup.start), [(Event::ClockBefore, 60)]);
    assert_eq!(works.events().last().unwrap().event, Event::ClockAfter);
    assert!(works.rows().any(|row| row.status & status::CLOCK_ADJUSTED != 0));
}

#[test]
fn a_clock_that_runs_slow_or_fast_loses_no_energy_between_rows() {
    for seconds_a_day in [-86, 86] {
        let mut setup = setup();
        setup.clock = vec![ClockChange::Drift { from: setup.start.unix_seconds(), seconds_a_day }];
        let mut works = Works::new(&setup);
        works.advance(setup.start.plus_seconds(2 * 86_400));
        assert_eq!(works.clock().unix_seconds() - works.now().unix_seconds(), 2 * seconds_a_day);
        let rows: Vec<_> = works.rows().copied().collect();
        let since = rows.iter().position(|row| row.end == setup.start).unwrap();
        for pair in rows[since..].windows(2) {
            assert_eq!(pair[1].end.unix_seconds() - pair[0].end.unix_seconds(), PERIOD);
            assert_eq!(pair[1].energy_wh[0], pair[1].counters.import_wh() - pair[0].counters.import_wh());
        }
    }
}

#[test]
fn another_meter_starts_from_nothing() {
    let mut setup = setup();
    setup.swaps = vec![setup.start.unix_seconds() + 1_000];
    let mut works = Works::new(&setup);
    let old = works.serial();
    works.advance(setup.start.plus_seconds(999));
    assert_eq!(works.serial(), old);
    works.advance(setup.start.plus_seconds(1_000));
    assert_ne!(works.serial(), old);
    assert_eq!((works.counters().import_wh(), works.rows().len()), (0, 0));
    assert_eq!(events(&works, setup.start), [(Event::LogCleared, 1_000)]);
}

#[test]
fn a_register_turns_over_at_six_digits() {
    for start in ["2025-11-07T14:30:00Z", "2025-11-07T22:30:00Z"] {
        let mut setup = Setup::new(1, at(start));
        setup.before_rollover = Some(5);
        let mut works = Works::new(&setup);
        assert_eq!(works.counters().import_wh(), CAPACITY_WH - 5);
        assert_eq!(works.rows().len(), 0);
        works.advance(setup.start.plus_seconds(900));
        assert!(works.counters().import_wh() < 10_000);
        let tariff = works.counters().import[works.tariff()];
        assert!(shown_wh(tariff) < 10_000, "in the tariff in force as well");
        assert_eq!(works.rows().next().unwrap().energy_wh[0], works.counters().import_wh() + 5);
    }
}

#[test]
fn summer_time_is_logged_and_marked() {
    let start = at("2025-10-26T00:30:00Z");
    let mut works = Works::new(&Setup::new(1, start));
    works.advance(start.plus_seconds(3_600));
    let marks: Vec<_> = works.rows().rev().take(3).map(|row| row.status).collect();
    assert_eq!(marks, [0, 0, status::SUMMER]);
    assert_eq!(events(&works, start), [(Event::Season, 1_800)]);
}

#[test]
fn memory_is_bounded_however_long_it_runs() {
    let mut setup = setup();
    setup.outages = (0..200).map(|n| setup.start.unix_seconds() + n * 1_000).map(|from| from..from + 200).collect();
    let mut works = Works::new(&setup);
    for _ in 0..MAX_ROWS {
        works.open.seconds = 1;
        works.close_row();
    }
    works.advance(setup.start.plus_seconds(200_000));
    assert_eq!((works.rows().len(), works.events().len(), works.long_failures().len()), (MAX_ROWS, 100, 10));
}
