//! One period against another.

use super::fields::{Chosen, Field, fields};
use super::json::period_json;
use super::table::{Align, Column, print};
use crate::analyse::{Analysis, Wanted, ratio};
use crate::cli::output::Output;
use crate::cli::words::tr;
use crate::reading::{Decimal, Instant, Zone};
use std::ops::Range;

/// The figures of two periods side by side.
pub(super) struct Compared {
    period: Range<Instant>,
    lines: Vec<Line>,
}

struct Line {
    name: String,
    now: Option<Decimal>,
    then: Option<Decimal>,
    difference: Option<Decimal>,
    percent: Option<Decimal>,
    /// Of energies, the same for a day of each, where the periods are not equally long.
    percent_a_day: Option<Decimal>,
}

impl Compared {
    /// `then` is `None` where there is no reading in the other period.
    pub(super) fn new(
        now: &Analysis,
        then: Option<&Analysis>,
        period: Range<Instant>,
        wanted: Wanted,
        chosen: &Chosen,
    ) -> Self {
        let of = |analysis: &Analysis| chosen.of(fields(&analysis.whole, analysis, wanted));
        let theirs = then.map(of).unwrap_or_default();
        let lengths = then.map(|then| (elapsed(now), elapsed(then)));
        let line = |field: Field| {
            let name = field.name();
            let now = field.number()?;
            let then = theirs.iter().find(|other| other.name() == name).and_then(Field::number);
            let difference = then.and_then(|then| now.checked_sub(then));
            let is_energy = name.contains("energie") || field.group == "tarifs";
            let weights = lengths.filter(|(a, b)| is_energy && a != b);
            let percent = |weights: (i64, i64)| more(now, then?, weights);
            Some(Line {
                percent: percent((1, 1)),
                percent_a_day: weights.and_then(percent),
                name,
                now: Some(now),
                then,
                difference,
            })
        };
        let period = then.map_or(period, |then| then.whole.period.clone());
        Self { period, lines: of(now).into_iter().filter_map(line).collect() }
    }

    pub(super) fn json(&self, zone: Zone) -> String {
        let number = |number: Option<Decimal>| number.map_or_else(|| String::from("null"), |number| number.to_string());
        let line = |line: &Line| {
            let per_day = line.percent_a_day.map(|percent| format!(",\"pourcent_par_jour\":{percent}"));
            format!(
                "\"{}\":{{\"actuel\":{},\"reference\":{},\"difference\":{},\"pourcent\":{}{}}}",
                line.name,
                number(line.now),
                number(line.then),
                number(line.difference),
                number(line.percent),
                per_day.unwrap_or_default()
            )
        };
        let lines: Vec<String> = self.lines.iter().map(line).collect();
        format!("{{\"periode\":{},\"valeurs\":{{{}}}}}", period_json(&self.period, zone), lines.join(","))
    }

    pub(super) fn table(&self, zone: Zone, colour: bool, output: &mut Output) -> anyhow::Result<()> {
        let (from, until) = (self.period.start.in_zone(zone), self.period.end.in_zone(zone));
        output.line("")?;
        output.line(&tr!("against {from} to {until}", from, until))?;
        output.line("")?;
        let column = |title: &str, align, keep, cell: &dyn Fn(&Line) -> String| Column {
            title: title.to_owned(),
            align,
            cells: self.lines.iter().map(cell).collect(),
            keep,
        };
        let plain = |number: Option<Decimal>| number.map_or_else(|| String::from("-"), |number| number.to_string());
        let signed = |number: Option<Decimal>| match number {
            Some(number) if number > Decimal::ZERO => format!("+{number}"),
            other => plain(other),
        };
        let mut columns = vec![
            column("", Align::Left, 9, &|line| line.name.clone()),
            column(&tr!("now"), Align::Right, 8, &|line| plain(line.now)),
            column(&tr!("then"), Align::Right, 7, &|line| plain(line.then)),
            column(&tr!("difference"), Align::Right, 5, &|line| signed(line.difference)),
            column("%", Align::Right, 6, &|line| signed(line.percent)),
        ];
        if self.lines.iter().any(|line| line.percent_a_day.is_some()) {
            columns.push(column(&tr!("% a day"), Align::Right, 4, &|line| {
                line.percent_a_day.map_or_else(String::new, |percent| signed(Some(percent)))
            }));
        }
        print(columns, colour, output)
    }
}

fn elapsed(analysis: &Analysis) -> i64 {
    analysis.whole.cover.elapsed / 1_000_000
}

/// By how much per cent one number over its weight is more than another over its own.
fn more(now: Decimal, then: Decimal, (own, other): (i64, i64)) -> Option<Decimal> {
    // (now / own) / (then / other) - 1
    let scaled = ratio(now, then, (other, own))?;
    scaled.checked_sub(Decimal::from(100))
}
