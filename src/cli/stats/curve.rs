//! The duration curve: which power is reached how much of the time.

use super::table::{Align, Column, print};
use crate::analyse::Level;
use crate::cli::output::Output;
use crate::cli::words::tr;
use crate::reading::Decimal;

/// Per mille as per cent: `0.1`, `5`.
pub(super) fn share(per_mille: u64) -> Decimal {
    let per_mille = i64::try_from(per_mille).unwrap_or(i64::MAX);
    if per_mille % 10 == 0 { Decimal::from(per_mille / 10) } else { Decimal::new(per_mille, -1) }
}

pub(super) fn table(curve: &[Level], ascii: bool, colour: bool, output: &mut Output) -> anyhow::Result<()> {
    let highest = curve.iter().map(|level| level.power).max().unwrap_or(Decimal::ZERO).to_f64();
    let bar = |power: Decimal| {
        const WIDTH: f64 = 40.0;
        // Between nothing and 40.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let length = (power.to_f64().max(0.0) / highest.max(1.0) * WIDTH).round() as usize;
        if ascii { "#" } else { "█" }.repeat(length)
    };
    let column = |title: &str, align, cells: Vec<String>, keep| Column { title: title.to_owned(), align, cells, keep };
    let columns = vec![
        column(
            &tr!("% of readings"),
            Align::Right,
            curve.iter().map(|level| share(level.share).to_string()).collect(),
            9,
        ),
        column(&tr!("reach W"), Align::Right, curve.iter().map(|level| level.power.to_string()).collect(), 9),
        column("", Align::Left, curve.iter().map(|level| bar(level.power)).collect(), 1),
    ];
    print(columns, colour, output)
}

pub(super) fn csv(curve: &[Level], output: &mut Output) -> anyhow::Result<()> {
    output.line("part_pct,puissance")?;
    curve.iter().try_for_each(|level| output.line(&format!("{},{}", share(level.share), level.power)))
}
