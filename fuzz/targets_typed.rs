//! What is asked of parsers of what people type, into arguments, addresses of pages and settings.

use releve::reading::{
    Asked, Calendar, Code, Instant, Language, MeterId, Zone, describe, kind_of, parse_length, search,
};
use releve::serve::{Token, check_target};
use releve::simulate::fault::{Fault, When};
use releve::transport::Address;
use releve::wire::Line;
use releve::wire::dlms::Key;

/// Times, in zones with and without summer time and one that skipped a day.
pub fn times(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let now = Instant::from_unix(1_763_733_900);
    for zone in ["UTC", "Europe/Zurich", "Pacific/Apia", "Australia/Lord_Howe"]
        .into_iter()
        .filter_map(|name| Zone::parse(name).ok())
    {
        if let Ok(asked) = Asked::parse(&text, now, zone) {
            assert!(asked.since <= asked.until, "{text}");
            let end = asked.until.min(asked.since.plus_seconds(3 * 86_400));
            for calendar in [Calendar::Hour, Calendar::Day, Calendar::Week, Calendar::Month, Calendar::Year] {
                let bounds = calendar.bounds(zone, &(asked.since..end));
                assert!(bounds.is_sorted() && bounds.len() < 200, "{text}: {} bounds", bounds.len());
                if let Some(first) = bounds.first() {
                    let _ = (calendar.name(*first, zone), first.in_zone(zone));
                }
            }
        }
    }
    if let Ok(at) = Instant::parse_utc(&text) {
        assert_eq!(Instant::parse_utc(&at.to_string()), Ok(at), "{text}");
    }
    let _ = parse_length(&text);
}

/// The query of a request, on every route.
pub fn query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = check_target(&text);
    for (_, path) in releve::serve::routes() {
        if let Err(why) = check_target(&format!("{path}?{text}")) {
            assert!(!why.is_empty());
        }
    }
}

/// Settings, files of keys, and all else that has a form of its own.
pub fn settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(why) = releve::cli::check_settings(&text) {
        assert!(why.starts_with("error: "), "{why}");
    }
    let _ = (releve::cli::is_key_file(&text), text.parse::<Key>(), Token::parse(&text));
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse().ok(), Some(address), "{text}");
    }
    if let Ok(line) = text.parse::<Line>() {
        assert_eq!(line.to_string().parse().ok(), Some(line), "{text}");
    }
    let _ = (text.parse::<Fault>(), text.parse::<When>().map(|when| when.after(Instant::from_unix(0))));
    let _ = (Language::from_locale(&text), Zone::parse(&text), MeterId::new(&text));
    let code = Code::parse(data);
    let _ = kind_of(&code);
    for language in [Language::English, Language::French, Language::German] {
        let _ = (search(&text, language), describe(&code, language));
    }
}
