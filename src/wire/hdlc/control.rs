//! The control field (IEC 62056-46, 6.4.3).

/// What a frame is for. Numbers count modulo 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// I: a numbered piece of information.
    Information {
        /// Its own number.
        sent: u8,
        /// The number its sender expects next.
        expected: u8,
    },
    /// RR: ready for more.
    ReceiveReady {
        /// The number its sender expects next.
        expected: u8,
    },
    /// RNR: what was sent has come, but no more just now.
    ReceiveNotReady {
        /// The number its sender expects next.
        expected: u8,
    },
    /// SNRM: open the connection.
    SetNormalResponseMode,
    /// DISC: close it.
    Disconnect,
    /// UA: done, to SNRM and DISC.
    Acknowledge,
    /// DM: there is no connection.
    DisconnectedMode,
    /// FRMR: a frame that makes no sense in this connection.
    FrameReject,
    /// UI: information without a number, as pushes have it.
    Unnumbered,
    /// Anything else.
    Other(u8),
}

/// The poll or final bit: the sender wants an answer, or has given it.
const POLL: u8 = 0x10;

impl Control {
    /// What a control octet says, and whether its poll or final bit is set.
    #[must_use]
    pub const fn parse(octet: u8) -> (Self, bool) {
        let (expected, sent) = (octet >> 5, octet >> 1 & 7);
        let control = match octet & !POLL {
            even if even & 1 == 0 => Self::Information { sent, expected },
            c if c & 0x0F == 0x01 => Self::ReceiveReady { expected },
            c if c & 0x0F == 0x05 => Self::ReceiveNotReady { expected },
            0x83 => Self::SetNormalResponseMode,
            0x43 => Self::Disconnect,
            0x63 => Self::Acknowledge,
            0x0F => Self::DisconnectedMode,
            0x87 => Self::FrameReject,
            0x03 => Self::Unnumbered,
            other => Self::Other(other),
        };
        (control, octet & POLL != 0)
    }

    /// The octet, with or without its poll or final bit.
    #[must_use]
    pub const fn octet(self, poll: bool) -> u8 {
        let plain = match self {
            Self::Information { sent, expected } => (expected & 7) << 5 | (sent & 7) << 1,
            Self::ReceiveReady { expected } => (expected & 7) << 5 | 0x01,
            Self::ReceiveNotReady { expected } => (expected & 7) << 5 | 0x05,
            Self::SetNormalResponseMode => 0x83,
            Self::Disconnect => 0x43,
            Self::Acknowledge => 0x63,
            Self::DisconnectedMode => 0x0F,
            Self::FrameReject => 0x87,
            Self::Unnumbered => 0x03,
            Self::Other(other) => other & !POLL,
        };
        if poll { plain | POLL } else { plain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_reads_back() {
        for octet in 0..=u8::MAX {
            let (control, poll) = Control::parse(octet);
            assert_eq!(control.octet(poll), octet, "{control:?}");
        }
    }

    #[test]
    fn the_table_of_the_standard() {
        for (control, octet) in [
            (Control::Information { sent: 3, expected: 5 }, 0xB6),
            (Control::ReceiveReady { expected: 1 }, 0x31),
            (Control::ReceiveNotReady { expected: 1 }, 0x35),
            (Control::SetNormalResponseMode, 0x93),
            (Control::Disconnect, 0x53),
            (Control::Acknowledge, 0x73),
            (Control::DisconnectedMode, 0x1F),
            (Control::FrameReject, 0x97),
            (Control::Unnumbered, 0x13),
        ] {
            assert_eq!((control.octet(true), Control::parse(octet)), (octet, (control, true)));
        }
    }
}
