//! Rows as a table for people: as wide as the terminal, the least important columns left away first.

use super::fields::{Chosen, fields};
use crate::analyse::{Analysis, Energies, Row, Wanted};
use crate::cli::output::Output;
use crate::cli::words::{count, tr};
use crate::reading::{Calendar, Decimal, Instant, Zone};

/// On which side the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) title: String,
    pub(super) align: Align,
    pub(super) cells: Vec<String>,
    /// How important it is: the least goes first where there is no room.
    pub(super) keep: u8,
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().chain([&self.title]).map(|text| text.chars().count()).max().unwrap_or(0)
    }
}

/// Two blanks between columns.
const GAP: usize = 2;

/// Leaves columns away until the others fit.
pub(super) fn fit(columns: &mut Vec<Column>, width: usize) {
    let needed =
        |columns: &[Column]| columns.iter().map(|column| column.width() + GAP).sum::<usize>().saturating_sub(GAP);
    while columns.len() > 1 && needed(columns) > width {
        let least = columns.iter().enumerate().rev().min_by_key(|(_, column)| column.keep).map(|(index, _)| index);
        let Some(least) = least else { return };
        columns.remove(least);
    }
}

/// Prints columns, the header in bold where there is colour; cut to nothing in a pipe.
pub(super) fn print(mut columns: Vec<Column>, colour: bool, output: &mut Output) -> anyhow::Result<()> {
    if let Some((terminal_size::Width(width), _)) = terminal_size::terminal_size_of(std::io::stdout()) {
        fit(&mut columns, usize::from(width));
    }
    let widths: Vec<usize> = columns.iter().map(Column::width).collect();
    let line = |texts: Vec<&str>| {
        let cells = columns.iter().zip(&widths).zip(texts).map(|((column, &width), text)| match column.align {
            Align::Left => format!("{text:<width$}"),
            Align::Right => format!("{text:>width$}"),
        });
        let cells: Vec<String> = cells.collect();
        cells.join("  ").trim_end().to_owned()
    };
    let head = line(columns.iter().map(|column| column.title.as_str()).collect());
    output.line(&if colour { format!("\u{1b}[1m{head}\u{1b}[0m") } else { head })?;
    for row in 0..columns.first().map_or(0, |column| column.cells.len()) {
        output.line(&line(columns.iter().map(|column| column.cells.get(row).map_or("", String::as_str)).collect()))?;
    }
    Ok(())
}

/// The glyphs of a sparkline, from the lowest on.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['.', ':', '-', '=', '+', '*', '#', '@'];

/// A line of bars; a blank where nothing is known.
pub(super) fn sparkline(parts: &[Option<Decimal>], ascii: bool) -> String {
    let glyphs = if ascii { ASCII } else { BARS };
    let highest = parts.iter().flatten().max().map_or(0.0, |most| most.to_f64());
    let glyph = |part: &Option<Decimal>| {
        let Some(part) = part else { return ' ' };
        // Between the lowest and the highest glyph.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let place = if highest > 0.0 { (part.to_f64() / highest * 7.0).round() as usize } else { 0 };
        glyphs.get(place.min(7)).copied().unwrap_or(' ')
    };
    parts.iter().map(glyph).collect()
}

/// How a table is printed.
pub(super) struct Style {
    pub(super) ascii: bool,
    pub(super) colour: bool,
    /// At most so many rows.
    pub(super) rows: usize,
}

/// The rows with what matters to people.
pub(super) fn summary(analysis: &Analysis, style: &Style, output: &mut Output) -> anyhow::Result<()> {
    let zone = analysis.zone;
    let whole = &analysis.whole;
    let date = |at: Instant| at.in_zone(zone).get(..10).unwrap_or_default().to_owned();
    let last_day = Instant::from_unix_micros(whole.period.end.unix_micros() - 1);
    output.line(&tr!(
        "Meter {meter}, {first} to {last}, {zone}",
        meter = analysis.meter,
        first = date(whole.period.start),
        last = date(last_day),
        zone
    ))?;
    output.line("")?;
    let skipped = analysis.rows.len().saturating_sub(style.rows);
    let mut rows: Vec<&Row> = analysis.rows.iter().skip(skipped).collect();
    let has_total = analysis.rows.len() > 1;
    rows.extend(has_total.then_some(whole));
    print(columns(analysis, &rows, has_total, style), style.colour, output)?;
    if skipped > 0 {
        output.line(&match count::is_singular(skipped) {
            true => tr!("{n} earlier row is not shown: --all, or narrow it with --since", n = skipped),
            false => tr!("{n} earlier rows are not shown: --all, or narrow it with --since", n = skipped),
        })?;
    }
    notes(analysis, output)
}

fn columns(analysis: &Analysis, rows: &[&Row], has_total: bool, style: &Style) -> Vec<Column> {
    let (zone, whole) = (analysis.zone, &analysis.whole);
    let is_total = |row: &Row| has_total && std::ptr::eq(row, &raw const *whole);
    let column = |title: &str, align, keep, cell: &dyn Fn(&Row) -> String| Column {
        title: title.to_owned(),
        align,
        cells: rows.iter().map(|row| cell(row)).collect(),
        keep,
    };
    let right = |title: &str, keep, cell: &dyn Fn(&Row) -> String| column(title, Align::Right, keep, cell);
    let plain = |number: Option<Decimal>| number.map_or_else(|| String::from("-"), |number| number.to_string());
    let name = |row: &Row| match is_total(row) {
        true => tr!("total"),
        false => analysis.calendar.name(row.period.start, zone),
    };
    let mut columns = vec![column(&title(analysis.calendar), Align::Left, 9, &name)];
    if whole.import.is_some() || whole.export.is_none() {
        columns.push(right(&tr!("import kWh"), 8, &|row| energy(row.import)));
    }
    if whole.export.is_some() {
        columns.push(right(&tr!("export kWh"), 7, &|row| energy(row.export)));
    }
    if whole.demand.is_some() {
        columns.push(right(&tr!("peak W"), 6, &|row| plain(row.demand.map(|demand| demand.power))));
        let at = |row: &Row| row.demand.map(|demand| moment(demand.at, analysis.calendar, zone, is_total(row)));
        columns.push(column(&tr!("at"), Align::Left, 5, &|row| at(row).unwrap_or_default()));
    }
    if whole.base_load.is_some() {
        columns.push(right(&tr!("base W"), 3, &|row| plain(row.base_load)));
    }
    if whole.mean_power.is_some() {
        columns.push(right(&tr!("mean W"), 2, &|row| plain(row.mean_power)));
    }
    columns.push(right(&tr!("read %"), 4, &|row| percent(row.cover.share())));
    if rows.iter().any(|row| row.cover.holes > 0) {
        columns.push(right(&tr!("holes"), 1, &|row| row.cover.holes.to_string()));
    }
    let bars = |row: &Row| if is_total(row) { String::new() } else { sparkline(&row.parts, style.ascii) };
    if whole.import.is_some() || whole.export.is_some() {
        let title = parts_title(whole.import.is_some(), analysis.calendar);
        columns.push(column(&title, Align::Left, 4, &bars));
    }
    columns
}

/// What is to be said below.
fn notes(analysis: &Analysis, output: &mut Output) -> anyhow::Result<()> {
    let whole = &analysis.whole;
    let marked = |energies: Option<Energies>| energies.is_some_and(is_marked);
    if analysis.rows.iter().any(|row| marked(row.import) || marked(row.export)) {
        output.line(&tr!("~ a part was divided at the period's end, or used while nothing was read"))?;
    }
    if let Some(open) = analysis.rows.last().filter(|row| !row.is_over) {
        let name = analysis.calendar.name(open.period.start, analysis.zone);
        output.line(&tr!("{period} is not over", period = name))?;
    }
    let in_holes = [(tr!("import"), whole.import), (tr!("export"), whole.export)];
    let in_holes = in_holes.into_iter().filter_map(|(what, energies)| Some((what, energies?.in_holes)));
    let in_holes: Vec<String> =
        in_holes.filter(|(_, kwh)| !kwh.is_zero()).map(|(what, kwh)| format!("{kwh} kWh {what}")).collect();
    if !in_holes.is_empty() {
        output.line(&tr!("in holes: {list} (the counters ran on)", list = in_holes.join(", ")))?;
    }
    if whole.breaks > 0 {
        output.line(&match whole.breaks {
            1 => tr!("a counter began anew once: releve meters segments"),
            n => tr!("{n} times a counter began anew: releve meters segments", n),
        })?;
    }
    Ok(())
}

fn is_marked(energies: Energies) -> bool {
    !energies.interpolated.is_zero() || !energies.in_holes.is_zero()
}

fn energy(energies: Option<Energies>) -> String {
    let Some(energies) = energies else { return String::from("-") };
    format!("{}{}", energies.energy, if is_marked(energies) { "~" } else { " " })
}

/// A share as per cent, two decimals.
fn percent(share: Option<Decimal>) -> String {
    share.and_then(|share| share.shifted(2)).map_or_else(|| String::from("-"), |percent| percent.to_string())
}

fn title(calendar: Calendar) -> String {
    match calendar {
        Calendar::Hour => tr!("hour"),
        Calendar::Day => tr!("day"),
        Calendar::Week => tr!("week"),
        Calendar::Month => tr!("month"),
        Calendar::Year => tr!("year"),
    }
}

fn parts_title(is_import: bool, calendar: Calendar) -> String {
    match (calendar, is_import) {
        (Calendar::Hour, true) => tr!("import by quarter"),
        (Calendar::Hour, false) => tr!("export by quarter"),
        (Calendar::Day, true) => tr!("import by hour"),
        (Calendar::Day, false) => tr!("export by hour"),
        (Calendar::Week | Calendar::Month, true) => tr!("import by day"),
        (Calendar::Week | Calendar::Month, false) => tr!("export by day"),
        (Calendar::Year, true) => tr!("import by month"),
        (Calendar::Year, false) => tr!("export by month"),
    }
}

/// A moment within a row, without what the row's name says.
fn moment(at: Instant, calendar: Calendar, zone: Zone, whole: bool) -> String {
    let local = at.in_zone(zone);
    let from = match calendar {
        _ if whole => 0,
        Calendar::Hour | Calendar::Day => 11,
        Calendar::Month => 8,
        Calendar::Week | Calendar::Year => 5,
    };
    local.get(from..16).unwrap_or_default().replace('T', " ")
}

/// The rows with the fields that were asked for.
pub(super) fn chosen(
    analysis: &Analysis,
    wanted: Wanted,
    chosen: &Chosen,
    style: &Style,
    output: &mut Output,
) -> anyhow::Result<()> {
    let skipped = analysis.rows.len().saturating_sub(style.rows);
    let rows: Vec<_> = analysis.rows.iter().skip(skipped).collect();
    let all: Vec<_> = rows.iter().map(|row| chosen.of(fields(row, analysis, wanted))).collect();
    let names = rows.iter().map(|row| analysis.calendar.name(row.period.start, analysis.zone)).collect();
    let first = Column { title: title(analysis.calendar), align: Align::Left, cells: names, keep: u8::MAX };
    let mut columns = vec![first];
    for (index, field) in all.first().into_iter().flatten().enumerate() {
        let cells = all.iter().map(|fields| fields.get(index).map(|field| field.cell.text()).unwrap_or_default());
        let keep = u8::MAX - 1 - u8::try_from(index).unwrap_or(u8::MAX - 1).min(u8::MAX - 1);
        columns.push(Column { title: field.name(), align: Align::Right, cells: cells.collect(), keep });
    }
    print(columns, style.colour, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_least_gives_way() {
        let column =
            |title: &str, keep| Column { title: title.into(), align: Align::Left, cells: vec!["12345".into()], keep };
        let mut columns = vec![column("month", 9), column("a", 2), column("b", 1), column("c", 3)];
        let left = |columns: &[Column]| columns.iter().map(|column| column.title.clone()).collect::<Vec<_>>().join(" ");
        fit(&mut columns, 26);
        assert_eq!(left(&columns), "month a b c");
        fit(&mut columns, 25);
        assert_eq!(left(&columns), "month a c");
        fit(&mut columns, 1);
        assert_eq!(left(&columns), "month");
    }

    #[test]
    fn bars_show_what_is_there_and_leave_out_what_is_not() {
        let parts = [Some(Decimal::ZERO), Some(Decimal::from(4)), None, Some(Decimal::from(8))];
        assert_eq!(sparkline(&parts, false), "▁▅ █");
        assert_eq!(sparkline(&parts, true), ".+ @");
        assert_eq!(sparkline(&[Some(Decimal::ZERO)], true), ".");
    }
}
