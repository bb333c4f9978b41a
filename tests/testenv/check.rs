//! What the promises' tests hold their results against. Each check is a function of the result alone, so that it can be given
//! broken results, too: a check that cannot fail proves nothing.

use super::Run;
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};

/// Each reading that there was is there once, and no other; how many they are.
pub fn each_once<T: Ord + Debug>(
    all: impl IntoIterator<Item = T>,
    found: impl IntoIterator<Item = T>,
) -> Result<usize, String> {
    let mut count: BTreeMap<T, (usize, usize)> = BTreeMap::new();
    all.into_iter().for_each(|one| count.entry(one).or_default().0 += 1);
    found.into_iter().for_each(|one| count.entry(one).or_default().1 += 1);
    let wrong = |is: fn(&(usize, usize)) -> bool| count.iter().find(|(_, count)| is(count)).map(|(one, _)| one);
    if let Some(one) = wrong(|(was, is)| is < was) {
        let lost: usize = count.values().map(|(was, is)| was.saturating_sub(*is)).sum();
        return Err(format!("{lost} readings are lost, the first is {one:?}"));
    }
    match wrong(|(was, is)| is > was) {
        Some(one) => Err(format!("{one:?} was never sent, or is there twice")),
        None => Ok(count.len()),
    }
}

/// No second twice, and none missing from the first to the last.
pub fn gapless(seconds: &[i64]) -> Result<usize, String> {
    match seconds.windows(2).find(|pair| pair[1] - pair[0] != 1) {
        Some(pair) => Err(format!("after {} comes {}", pair[0], pair[1])),
        None => Ok(seconds.len()),
    }
}

/// All of these are there, and nothing is there twice. Both are in order.
pub fn has_all(must: &[i64], stored: &[i64]) -> Result<usize, String> {
    if let Some(pair) = stored.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!("{} is there twice", pair[1]));
    }
    match must.iter().find(|second| stored.binary_search(second).is_err()) {
        Some(second) => Err(format!("{second} is lost")),
        None => Ok(must.len()),
    }
}

/// A figure keeps to its bound.
pub fn at_most<T: PartialOrd + Debug>(what: &str, seen: T, bound: T) -> Result<T, String> {
    if seen <= bound { Ok(seen) } else { Err(format!("{what}: {seen:?}, and {bound:?} at most was promised")) }
}

/// What damage is answered with: all of the right answer, or an error with a word of it. Whether it was the answer.
pub fn right_or_refused(run: &Run, right: &str) -> Result<bool, String> {
    match run.exit {
        0 if run.stdout == right => Ok(true),
        0 => Err(format!("exit 0 with another answer: {} bytes in place of {}", run.stdout.len(), right.len())),
        _ => refused(run).map(|()| false),
    }
}

/// An error is said, with its mark and one of the exit statuses of the manual, and is no panic.
pub fn refused(run: &Run) -> Result<(), String> {
    let Run { exit, stderr, .. } = run;
    if *exit == 0 {
        return Err("exit 0".to_owned());
    }
    if stderr.contains("panicked") || *exit == 101 {
        return Err(format!("a panic: {stderr}"));
    }
    if ![1, 2, 65, 66, 69, 73, 74, 75, 76, 77, 78].contains(exit) {
        return Err(format!("exit {exit}: {stderr}"));
    }
    if stderr.lines().any(|line| line.contains("error: ")) { Ok(()) } else { Err(format!("no word of it: {stderr:?}")) }
}

/// Whatever it was, it came to an end of its own: done, or an error that is said.
pub fn ended_well(run: &Run) -> Result<(), String> {
    if run.exit == 0 && !run.stderr.contains("panicked") { Ok(()) } else { refused(run) }
}

/// Each of these names is complained of.
pub fn names_all<'a>(names: impl IntoIterator<Item = &'a str>, said: &str) -> Result<usize, String> {
    let mut count = 0;
    for name in names {
        if !said.lines().any(|line| line.contains(name)) {
            return Err(format!("no word of {name}"));
        }
        count += 1;
    }
    Ok(count)
}

/// Neither more nor less than a tenth, and a little of what every program allots.
pub fn level(what: &str, before: u64, after: u64, little: u64) -> Result<(), String> {
    at_most(what, after, before * 11 / 10 + little).map(drop)
}

/// Two states that have to be the same.
pub fn same<T: PartialEq + Debug>(what: impl Display, before: &T, after: &T) -> Result<(), String> {
    // A whole store says less than its beginning.
    let short = |value: &T| format!("{value:?}").chars().take(2000).collect::<String>();
    if before == after {
        Ok(())
    } else {
        Err(format!("{what} was changed: {} before, {} now", short(before), short(after)))
    }
}
