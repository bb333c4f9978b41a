//! Naming the octets of what opens, asks and closes in a session.

use crate::wire::dlms::{
    AssociationRequest, AssociationResponse, Attribute, Context, Initiate, Mechanism, Request, Selection, ServiceError,
    SystemTitle, access_result, acse, date_time, diagnostic,
};
use std::ops::Range;

/// The fields behind the tag of an APDU, one behind the other; what they leave over is for the caller.
pub(super) fn fields(apdu: &[u8]) -> Vec<(Range<usize>, String)> {
    match apdu.first() {
        Some(0x60 | 0x61) => association(apdu),
        Some(0xC0 | 0xC3) => request(apdu),
        Some(0xC7) => match apdu {
            [_, kind, _, result, ..] => {
                vec![(1..3, format!("kind {kind}, invoke id and priority")), (3..4, access_result(*result).into())]
            }
            _ => Vec::new(),
        },
        Some(0xD8) => match *apdu {
            [_, state, service, ref rest @ ..] => {
                let mut found = vec![(1..2, state_text(state).into()), (2..3, service_text(service).into())];
                if let (6, &[a, b, c, d, ..]) = (service, rest) {
                    found.push((3..7, format!("last counter {}", u32::from_be_bytes([a, b, c, d]))));
                }
                found
            }
            _ => Vec::new(),
        },
        Some(0x0E) => match ServiceError::parse(apdu) {
            Ok(error) => vec![(1..4, error.meaning().into())],
            Err(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn association(apdu: &[u8]) -> Vec<(Range<usize>, String)> {
    let request = AssociationRequest::parse(apdu).map(|(request, _)| request).ok();
    let response = AssociationResponse::parse(apdu).map(|(response, _)| response).ok();
    let context = request.as_ref().map(|r| r.context).or(response.as_ref().map(|r| r.context));
    let mechanism = request.as_ref().map_or(response.as_ref().and_then(|r| r.mechanism), |r| r.mechanism);
    let title = request.as_ref().map_or(response.as_ref().and_then(|r| r.title), |r| r.title);
    let information = request.as_ref().map_or(response.as_ref().map_or(&[][..], |r| r.information), |r| r.information);
    let extents = acse::extents(apdu);
    let Some(head) = extents.first().map(|(_, range)| range.start) else { return Vec::new() };
    let mut found = vec![(1..head, "length of what follows".to_owned())];
    for (tag, range) in extents {
        let meaning = match (tag, &response) {
            (0xA1, _) => format!("application context: {}", context.map_or("none", context_text)),
            (0xA2, Some(response)) => format!("result: {}", result_text(response.result)),
            (0xA3, Some(response)) => format!("diagnostic: {}", diagnostic(response.diagnostic)),
            (0xA4 | 0xA6, _) => match title.and_then(|title| title.try_into().ok()).map(SystemTitle) {
                Some(title) => format!("system title {title}"),
                None => "system title".into(),
            },
            (0x88 | 0x8A, _) => "authentication is used".into(),
            (0x89 | 0x8B, _) => format!("mechanism: {}", mechanism.map_or("none", mechanism_text)),
            (0xAA, _) => "challenge of the server".into(),
            (0xAC, _) if mechanism == Some(Mechanism::Password) => "password".into(),
            (0xAC, _) => "challenge of the client".into(),
            (0xBE, _) => initiate_text(information),
            _ => format!("field {tag:02x}"),
        };
        found.push((range, meaning));
    }
    found
}

fn request(apdu: &[u8]) -> Vec<(Range<usize>, String)> {
    let Ok((request, end)) = Request::parse(apdu) else { return Vec::new() };
    let mut found = vec![(1..3, "kind, invoke id and priority".to_owned())];
    match request {
        Request::Get { attribute, selection, .. } => {
            found.push((3..12, attribute.to_string()));
            found.push((12..end, selection.map_or("the whole of it".into(), selection_text)));
        }
        Request::Next { block, .. } => found.push((3..7, format!("the block after number {block}"))),
        Request::List { attributes, .. } => found.push((3..end, format!("{} attributes", attributes.len()))),
        Request::Action { method: Attribute { class, obis, index }, parameter, .. } => {
            found.push((3..12, format!("{obis} method {index} (class {class})")));
            let parameter = if parameter.is_some() { "its parameter" } else { "no parameter" };
            found.push((12..end, parameter.into()));
        }
    }
    found
}

fn selection_text(selection: Selection) -> String {
    let time = |octets: &[u8; 12]| date_time(octets).map_or("any time".into(), |time| time.civil.to_string());
    match selection {
        Selection::Range { from, to, .. } => format!("rows from {} to {}", time(&from), time(&to)),
        Selection::Entries { from, to: 0 } => format!("rows from number {from}"),
        Selection::Entries { from, to } => format!("rows number {from} to {to}"),
    }
}

fn initiate_text(information: &[u8]) -> String {
    let request = Initiate::parse_request(information).map(|initiate| ("asked for", initiate));
    let parsed = request.or_else(|_| Initiate::parse_response(information).map(|initiate| ("offered", initiate)));
    match (parsed, ServiceError::parse(information)) {
        (Ok((word, Initiate { conformance, max_pdu })), _) => {
            format!("services {word}: {:06x}; APDUs of up to {max_pdu} octets", conformance.0)
        }
        (_, Ok(error)) => format!("confirmed service error: {}", error.meaning()),
        _ => "user information, enciphered".into(),
    }
}

const fn context_text(context: Context) -> &'static str {
    match context {
        Context::LogicalNames => "logical names",
        Context::ShortNames => "short names",
        Context::CipheredLogicalNames => "logical names, enciphered",
        Context::CipheredShortNames => "short names, enciphered",
        Context::Other(_) => "unknown",
    }
}

const fn mechanism_text(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::Password => "password",
        Mechanism::Gmac => "GMAC",
        Mechanism::Other(_) => "another one of high-level security",
    }
}

const fn result_text(result: u8) -> &'static str {
    match result {
        0 => "accepted",
        1 => "refused",
        _ => "refused for now",
    }
}

const fn state_text(state: u8) -> &'static str {
    match state {
        1 => "the service is not allowed",
        2 => "the service is not known",
        _ => "state",
    }
}

const fn service_text(service: u8) -> &'static str {
    match service {
        1 => "operation not possible",
        2 => "service not supported",
        4 => "APDU too long",
        5 => "deciphering failed",
        6 => "invocation counter too low",
        _ => "another reason",
    }
}
