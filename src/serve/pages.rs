//! What is always the same: the dashboard's files, `/openapi.json`, `/docs`.

use super::reply::{JSON, Reply};
use axum::http::{HeaderValue, StatusCode, header};
use std::sync::OnceLock;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The dashboard's files: name, type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("style.css", CSS, include_str!("dashboard/style.css")),
    ("docs.css", CSS, include_str!("dashboard/docs.css")),
    ("icon.svg", SVG, include_str!("dashboard/icon.svg")),
    ("main.js", JS, include_str!("dashboard/main.js")),
    ("api.js", JS, include_str!("dashboard/api.js")),
    ("words.js", JS, include_str!("dashboard/words.js")),
    ("format.js", JS, include_str!("dashboard/format.js")),
    ("chart.js", JS, include_str!("dashboard/chart.js")),
    ("now.js", JS, include_str!("dashboard/now.js")),
    ("explore.js", JS, include_str!("dashboard/explore.js")),
    ("days.js", JS, include_str!("dashboard/days.js")),
    ("energy.js", JS, include_str!("dashboard/energy.js")),
    ("voltage.js", JS, include_str!("dashboard/voltage.js")),
    ("events.js", JS, include_str!("dashboard/events.js")),
];

fn page(kind: &'static str, text: &'static str) -> Reply {
    // With a tag of its own it is asked for again, and not sent again.
    Reply::new(kind, text).header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}

/// A file of the dashboard.
pub(super) fn file(name: &str) -> Option<Reply> {
    static MADE: OnceLock<Vec<(&str, Reply)>> = OnceLock::new();
    let made = MADE.get_or_init(|| FILES.iter().map(|&(name, kind, text)| (name, page(kind, text))).collect());
    made.iter().find(|(known, _)| *known == name).map(|(_, reply)| reply.clone())
}

/// `/dashboard/{file}` where there is no such file.
pub(super) fn missing() -> Reply {
    Reply::json(r#"{"error":"Fichier inconnu"}"#).with_status(StatusCode::NOT_FOUND)
}

/// `/`.
pub(super) fn dashboard() -> Reply {
    static MADE: OnceLock<Reply> = OnceLock::new();
    MADE.get_or_init(|| page(HTML, include_str!("dashboard/index.html"))).clone()
}

/// `/openapi.json`.
pub(super) fn openapi() -> Reply {
    static MADE: OnceLock<Reply> = OnceLock::new();
    MADE.get_or_init(|| Reply::new(JSON, super::openapi::document().to_string())).clone()
}

/// `/docs`.
pub(super) fn docs() -> Reply {
    static MADE: OnceLock<Reply> = OnceLock::new();
    MADE.get_or_init(|| Reply::new(HTML, super::docs::page())).clone()
}
