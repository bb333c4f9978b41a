//! Where bytes come from and go to. All I/O with meters and captures lives here.
//!
//! A [`Link`] is a way to a meter that can answer: [`open`] makes one of an [`Address`]. An [`Input`] is a capture, read to
//! its end; [`Replay`] plays one as if it were a meter.
//!
//! | file | what it is for |
//! |---|---|
//! | `link` | what every way to a meter can do, and how it fails |
//! | `address` | names, and opening what they name |
//! | `serial`, `tcp`, [`rfc2217`] | the ways |
//! | `tap`, [`capture`] | listening in on a link; what is written down of it |
//! | `replay`, `play` | captures read again |
//! | `faulty` | a link with the faults of the world, for tests |
//! | `ports`, `access`, `holder` | which serial ports there are, who may open them, who has them |

mod access;
mod address;
pub mod capture;
mod descriptor;
mod faulty;
mod holder;
mod link;
mod play;
mod ports;
mod replay;
pub mod rfc2217;
mod serial;
mod tap;
mod tcp;

pub use access::{Access, Membership};
pub use address::{Address, open};
pub use capture::{CaptureError, Recorder};
pub use faulty::{Faults, Faulty};
pub use holder::Holder;
pub use link::{Link, LinkError};
pub use play::{Pace, Replay};
pub use ports::{Port, PortState, Usb, find_again, plugged_into, ports};
pub use replay::{Input, InputError};
pub use tap::{Tap, Tapped, Traffic};
