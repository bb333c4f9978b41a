//! Who may come in: hosts, origins, tokens, methods, and bodies of a bearable size. And what every answer says to browsers.

use super::failure::Failure;
use super::settings::Settings;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Version, request};

/// The longest path with its query.
const MAX_TARGET: usize = 8 << 10;
/// The longest body.
pub(super) const MAX_BODY: usize = 4 << 20;

/// Whether a request may come in.
pub(super) fn admit(settings: &Settings, head: &request::Parts) -> Result<(), Failure> {
    let refuse = |status, message: &str| Err(Failure::new(status, message));
    if head.uri.path_and_query().map_or(0, |target| target.as_str().len()) > MAX_TARGET {
        return refuse(StatusCode::URI_TOO_LONG, "L'adresse est trop longue");
    }
    check_host(settings, head)?;
    let is_post = head.method == Method::POST;
    if !is_post && !matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        let message = format!("Pas avec {}", head.method);
        return Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    let is_foreign = origin(head).is_some_and(|origin| !is_own_origin(head, origin) && !knows_origin(settings, origin));
    if is_post && is_foreign {
        return refuse(StatusCode::FORBIDDEN, "Cette origine n'est pas admise");
    }
    if head.method == Method::OPTIONS {
        return Ok(());
    }
    check_token(settings, head)
}

fn check_host(settings: &Settings, head: &request::Parts) -> Result<(), Failure> {
    let mut named = head.headers.get_all(header::HOST).iter();
    let host = match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, None) if head.version < Version::HTTP_11 => head.uri.authority().map(|authority| authority.as_str()),
        _ => None,
    };
    let Some(host) = host else {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "L'en-tête Host manque ou vient deux fois"));
    };
    // A target with a host of its own counts before the header.
    let targets = head.uri.authority().is_none_or(|authority| settings.knows_host(authority.as_str()));
    if targets && settings.knows_host(host) {
        return Ok(());
    }
    Err(Failure::new(StatusCode::FORBIDDEN, "Ce nom d'hôte n'est pas admis (--host NOM l'ajoute)"))
}

fn check_token(settings: &Settings, head: &request::Parts) -> Result<(), Failure> {
    let is_post = head.method == Method::POST;
    if settings.is_private() && !is_post {
        return Ok(());
    }
    let Some(token) = &settings.token else {
        let message = "Écrire demande un jeton (serve --token-file)";
        return Err(Failure::new(StatusCode::FORBIDDEN, message));
    };
    let mut given = head.headers.get_all(header::AUTHORIZATION).iter();
    let (given, more) = (given.next().map(HeaderValue::as_bytes).unwrap_or_default(), given.next());
    let (scheme, credentials) = given.split_at(given.iter().position(|&byte| byte == b' ').unwrap_or(given.len()));
    let credentials = credentials.trim_ascii();
    let is_right = match () {
        () if more.is_some() => false,
        () if scheme.eq_ignore_ascii_case(b"Bearer") => token.is(credentials),
        // A browser asks its user for this; what it then sends by itself may read, not write.
        () if scheme.eq_ignore_ascii_case(b"Basic") && !is_post => {
            let plain = base64(credentials).unwrap_or_default();
            let password = plain.iter().position(|&byte| byte == b':').and_then(|at| plain.get(at + 1..));
            password.is_some_and(|password| token.is(password))
        }
        () => false,
    };
    if is_right {
        return Ok(());
    }
    Err(Failure::new(StatusCode::UNAUTHORIZED, "Le jeton manque ou n'est pas le bon"))
}

/// What a body must be before it is read.
pub(super) fn check_body(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").trim());
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(super::reply::JSON) {
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type doit être application/json"));
    }
    if text(header::CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Le corps ne doit pas être comprimé"));
    }
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > MAX_BODY)) {
        return Err(too_long());
    }
    Ok(())
}

pub(super) fn too_long() -> Failure {
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, format!("Le corps dépasse {MAX_BODY} octets"))
}

fn origin(head: &request::Parts) -> Option<&str> {
    head.headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("?"))
}

fn is_own_origin(head: &request::Parts, origin: &str) -> bool {
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    origin.split_once("://").map(|(_, host)| host) == host
}

fn knows_origin(settings: &Settings, origin: &str) -> bool {
    settings.cors.iter().any(|known| known == "*" || known == origin)
}

/// What pages may do that we send, and what others may do with our answers.
pub(super) fn dress(settings: &Settings, head: &request::Parts, status: StatusCode, headers: &mut HeaderMap) {
    const ALL: [(HeaderName, &str); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in ALL {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"releve\", charset=\"UTF-8\""));
    }
    if settings.cors.is_empty() {
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = head.headers.get(header::ORIGIN) else { return };
    if origin.to_str().is_ok_and(|origin| knows_origin(settings, origin)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag"));
        if head.method == Method::OPTIONS {
            let methods = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            let allowed = HeaderValue::from_static("authorization, content-type, if-none-match");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
}

/// Whether a list of tags has this one.
pub(super) fn names_tag(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let strip = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    known.split(',').any(|one| one.trim() == "*" || strip(one) == strip(tag))
}

/// Whether a client unpacks gzip.
pub(super) fn takes_gzip(accepted: &HeaderValue) -> bool {
    let Ok(accepted) = accepted.to_str() else { return false };
    accepted.split(',').any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0f32));
        matches!(coding.trim(), "gzip" | "x-gzip" | "*") && !is_refused
    })
}

/// RFC 4648 section 4, as `Authorization: Basic` has it; `None` for anything else.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::with_capacity(digits.len()));
    for &digit in digits {
        let six = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            let [.., byte] = (bits >> count).to_be_bytes();
            bytes.push(byte);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Zone;
    use crate::serve::{Limits, Token};
    use axum::http::Request;
    use std::time::Duration;

    fn settings(listen: &str) -> Settings {
        Settings {
            store: "s.db".into(),
            archive: None,
            listen: listen.parse().unwrap(),
            token: Some(Token::parse("0123456789abcdef").unwrap()),
            hosts: vec!["meter.example".into()],
            cors: Vec::new(),
            meter: None,
            zone: Zone::UTC,
            stale: Duration::from_secs(900),
            limits: Limits::default(),
            statistics: |_, _, _| String::new(),
        }
    }

    fn admits(settings: &Settings, method: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri("/api/data");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        admit(settings, &head).map_or_else(|failure| failure.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_names_of_ours_are_served() {
        let home = settings("127.0.0.1:5000");
        for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "LOCALHOST", "meter.example:80"] {
            assert_eq!(admits(&home, "GET", &[("host", host)]), 200, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "192.168.1.5", "127.0.0.1.evil.example", "", "::1"] {
            assert_eq!(admits(&home, "GET", &[("host", host)]), 403, "{host}");
        }
        assert_eq!(admits(&home, "GET", &[]), 400);
        assert_eq!(admits(&home, "GET", &[("host", "localhost"), ("host", "evil.example")]), 400);
    }

    #[test]
    fn a_token_is_asked_for_from_outside_and_for_every_post() {
        let (home, away) = (settings("127.0.0.1:5000"), settings("192.168.1.5:5000"));
        let bearer = ("authorization", "Bearer 0123456789abcdef");
        // user:0123456789abcdef
        let basic = ("authorization", "Basic dXNlcjowMTIzNDU2Nzg5YWJjZGVm");
        let host = ("host", "192.168.1.5:5000");
        assert_eq!(admits(&away, "GET", &[host]), 401);
        assert_eq!(admits(&away, "GET", &[host, ("authorization", "Bearer 0123456789abcdeF")]), 401);
        assert_eq!(admits(&away, "GET", &[host, bearer]), 200);
        assert_eq!(admits(&away, "GET", &[host, basic]), 200);
        let host = ("host", "localhost");
        assert_eq!(admits(&home, "POST", &[host]), 401);
        assert_eq!(admits(&home, "POST", &[host, basic]), 401, "a browser sends it by itself");
        assert_eq!(admits(&home, "POST", &[host, bearer]), 200);
        assert_eq!(admits(&home, "POST", &[host, bearer, ("origin", "https://evil.example")]), 403);
        assert_eq!(admits(&home, "POST", &[host, bearer, ("origin", "http://localhost")]), 200);
        assert_eq!(admits(&Settings { token: None, ..home }, "POST", &[host, bearer]), 403);
        assert_eq!(admits(&away, "DELETE", &[("host", "10.0.0.1"), bearer]), 405);
    }

    #[test]
    fn headers_of_clients_are_read_as_the_standards_say() {
        let value = HeaderValue::from_static;
        assert!(names_tag(&value("\"a\", W/\"b\""), &value("W/\"b\"")) && names_tag(&value("*"), &value("\"x\"")));
        assert!(!names_tag(&value("\"a\""), &value("\"b\"")));
        assert!(takes_gzip(&value("br, gzip;q=0.5")) && !takes_gzip(&value("gzip;q=0")) && !takes_gzip(&value("br")));
        assert_eq!(base64(b"dXNlcjp4").unwrap(), b"user:x");
        assert_eq!(base64(b"dXNlcg==").unwrap(), b"user");
        assert_eq!(base64(b"dX\xff"), None);
    }
}
