//! The page says what the rules are.

use releve::detect::Rules;

#[test]
fn the_page_names_every_kind_with_its_keys() {
    let page = std::fs::read_to_string(crate::testenv::repository().join("docs/EVENTS.md")).unwrap();
    for rule in Rules::default().all() {
        let line = page.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{}`", rule.kind)));
        let line = line.unwrap_or_else(|| panic!("docs/EVENTS.md lacks {}", rule.kind));
        for key in rule.keys {
            assert!(line.contains(key), "{}: {key}", rule.kind);
        }
        if let Some(threshold) = rule.threshold {
            let number = threshold.to_string();
            // The share that is compared with 95 % stands as 95 there, a factor of 0.8 as 0.8.
            assert!(line.contains(&number), "{}: {number}", rule.kind);
        }
        assert_eq!(line.contains("off"), !rule.on || rule.keys.is_empty() && line.contains("(off)"), "{}", rule.kind);
    }
}
