//! Pages of docs/ that are true: what they show is what comes.

use crate::testenv::{repository, shell};
use std::process::Command;

/// The examples of a page: each command line and what the page says it prints.
fn examples(page: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(repository().join("docs").join(page)).unwrap();
    let blocks = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let examples = blocks.flat_map(|block| {
        let lines = block.split("$ ").skip(1).map(str::to_owned).collect::<Vec<_>>();
        lines.into_iter().map(|example| {
            let (line, output) = example.split_once('\n').unwrap();
            (line.to_owned(), output.to_owned())
        })
    });
    examples.collect()
}

#[test]
fn the_recipes_for_jq_print_what_the_page_shows() {
    if Command::new("jq").arg("--version").output().is_err() {
        println!("skipped: jq is not installed");
        return;
    }
    let examples = examples("JQ.md");
    assert!(examples.len() >= 7, "{examples:?}");
    for (line, output) in examples {
        let run = shell(repository(), &line);
        assert_eq!(run.stdout, output, "{line}: {}", run.stderr);
    }
}
