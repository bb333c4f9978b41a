//! Naming the octets of an HDLC frame.

use super::{Address, Control, Frame};
use crate::wire::dissect::{Dissection, hex};
use crate::wire::dlms;

/// Names the octets of one sound frame with its closing flag: `bytes` starts at its opening flag, which stands at `at`
/// of the input.
///
/// The information is one field behind the LLC and block headers; [`dlms::weave`] puts the APDU's fields in its place.
pub fn dissect(frame: &Frame, bytes: &[u8], at: usize, out: &mut Dissection) {
    let destination = 3;
    let source = destination + usize::from(frame.destination.octets);
    let control = source + usize::from(frame.source.octets);
    let fcs = frame.information.end;
    let range = |from: usize, to: usize| at + from..at + to;
    let octets = |from: usize, to: usize| hex(bytes.get(from..to).unwrap_or_default());
    out.field(range(0, 1), 0, "flag: HDLC frame");
    let segmented = if frame.segmented { ", more segments follow" } else { "" };
    out.field(range(1, 3), 1, format!("format type 3, {} octets{segmented}", fcs + 1));
    out.field(range(destination, source), 1, format!("destination {}{}", frame.destination, known(frame.destination)));
    out.field(range(source, control), 1, format!("source {}{}", frame.source, known(frame.source)));
    out.field(range(control, control + 1), 1, format!("control: {}", control_name(frame.control)));
    if control + 1 < fcs {
        out.field(
            range(control + 1, control + 3),
            1,
            format!("header check sequence {}, fits", octets(control + 1, control + 3)),
        );
    }
    if !frame.information.is_empty() {
        let information = bytes.get(frame.information.clone()).unwrap_or_default();
        if frame.carries_information() {
            dlms::dissect_heads(information, at + frame.information.start, 1, out);
        } else {
            out.field(range(frame.information.start, fcs), 1, format!("parameters {}", hex(information)));
        }
    }
    out.field(range(fcs, fcs + 2), 1, format!("frame check sequence {}, fits", octets(fcs, fcs + 2)));
    if bytes.len() > fcs + 2 {
        out.field(range(fcs + 2, fcs + 3), 0, "flag");
    }
}

fn known(address: Address) -> &'static str {
    match (address.upper, address.octets) {
        (1, _) => " (management)",
        (16, 1) => " (public client)",
        (0x67, _) => " (consumer information)",
        _ => "",
    }
}

fn control_name(octet: u8) -> String {
    let (control, poll) = Control::parse(octet);
    let name = match control {
        Control::Information { sent, expected } => format!("I, sent {sent}, expects {expected}"),
        Control::ReceiveReady { expected } => format!("RR, expects {expected}"),
        Control::ReceiveNotReady { expected } => format!("RNR, expects {expected}"),
        Control::SetNormalResponseMode => "SNRM".into(),
        Control::Disconnect => "DISC".into(),
        Control::Acknowledge => "UA".into(),
        Control::DisconnectedMode => "DM".into(),
        Control::FrameReject => "FRMR".into(),
        Control::Unnumbered => "UI".into(),
        Control::Other(_) => return format!("{octet:02x}"),
    };
    if poll { name + " P" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Cut;
    use crate::wire::dlms::examples::bytes;

    #[test]
    fn every_octet_of_a_frame_has_a_name() {
        let input = bytes("7E A0 15 21 03 52 5D 8A E6 E7 00 C4 01 C1 00 06 00 00 32 89 A6 84 7E");
        let Cut::Whole { value, .. } = super::super::cut(&input, true) else { panic!() };
        let mut out = Dissection::default();
        dissect(&value, &input, 0, &mut out);
        let mut at = 0;
        for field in &out.fields {
            assert_eq!(field.bytes.start, at, "{}", field.meaning);
            at = field.bytes.end;
        }
        assert_eq!(at, input.len());
        assert_eq!(out.fields[2].meaning, "destination 16 (public client)");
        assert_eq!(out.fields[4].meaning, "control: I, sent 1, expects 2 P");
    }
}
