//! `/docs`: the document of the API for people, made of the table of routes.

use super::openapi::name;
use super::params::{Form, MAX_HOURS};
use super::route::routes;
use axum::http::Method;
use std::fmt::Write as _;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text with `code` in it.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 1 { format!("<code>{}</code>", escaped(part)) } else { escaped(part) }).collect()
}

fn form_of(form: Form) -> String {
    match form {
        Form::Whole(low, high) => format!("whole number, {low} to {high}"),
        Form::Hours => format!("number above 0, to {MAX_HOURS}"),
        Form::Time => "RFC 3339".to_owned(),
        Form::Text => "text".to_owned(),
        Form::Word(words) => {
            let words: Vec<String> = words.iter().filter(|w| !w.is_empty()).map(|w| format!("`{w}`")).collect();
            words.join(", ")
        }
        Form::Meter => "identifier".to_owned(),
        Form::Step => "`auto`, `15m`, `jour` …".to_owned(),
        Form::Cursor => "cursor".to_owned(),
    }
}

/// The document as a page that needs nothing but itself.
pub(super) fn page() -> String {
    let mut nav = String::new();
    let mut body = String::new();
    for route in routes() {
        let (method, path, id) = (route.method.as_str(), escaped(route.path), name(&route));
        let _ = write!(
            nav,
            "<li><a href=\"#{id}\"><span class=\"m {0}\">{method}</span> {path}</a></li>",
            method.to_lowercase()
        );
        let _ = write!(
            body,
            "<section id=\"{id}\"><h2><span class=\"m {}\">{method}</span> {path}</h2><p>{}</p>",
            method.to_lowercase(),
            prose(route.about)
        );
        if !route.params.is_empty() {
            let _ = write!(
                body,
                "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Parameters of {path}\"><table><thead><tr>\
                 <th>Parameter</th><th>Values</th><th>Default</th><th>Meaning</th></tr></thead><tbody>"
            );
            for param in route.params {
                let _ = write!(
                    body,
                    "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td></tr>",
                    param.name,
                    prose(&form_of(param.form)),
                    escaped(param.default.unwrap_or("")),
                    prose(param.about)
                );
            }
            body.push_str("</tbody></table></div>");
        }
        if !route.statuses.is_empty() {
            body.push_str("<ul>");
            for (status, about) in route.statuses {
                let _ = write!(body, "<li><code>{status}</code> {}</li>", escaped(about));
            }
            body.push_str("</ul>");
        }
        let example = if route.method == Method::POST {
            format!(
                "curl -H \"Authorization: Bearer $TOKEN\" -H \"Content-Type: application/json\" \\\n  -d '{}' \\\n  http://localhost:5000{}",
                route.example, route.path
            )
        } else {
            format!("curl 'http://localhost:5000{}{}'", route.path, route.example)
        };
        if !route.path.contains('{') {
            let _ = write!(body, "<pre tabindex=\"0\"><code>{}</code></pre>", escaped(&example));
        }
        body.push_str("</section>");
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>releve: HTTP API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"/dashboard/icon.svg\">\
         <link rel=\"stylesheet\" href=\"/dashboard/docs.css\"></head><body><header><h1>releve: HTTP API</h1>\
         <p>Times are UTC, RFC 3339. Numbers have the digits the meter sent. Errors are <code>{{\"error\": …, \"parametre\": …}}</code>. \
         <a href=\"/openapi.json\">openapi.json</a> · <a href=\"/\">dashboard</a></p></header>\
         <nav aria-label=\"Routes\"><ul>{nav}</ul></nav><main>{body}</main></body></html>"
    )
}
