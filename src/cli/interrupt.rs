//! Ctrl-C and TERM: a wish to stop, and the end that a shell expects of it.

use crate::session::Stop;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Turns signals into a wish to stop, so that a meter is taken leave of before the program ends.
#[derive(Debug)]
pub(super) struct Interrupt {
    stop: Stop,
    terminated: Arc<AtomicBool>,
}

impl Interrupt {
    pub(super) fn catch() -> anyhow::Result<Self> {
        let (stop, terminated) = (Stop::default(), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM] {
            // A second signal ends the program at once.
            signal_hook::flag::register_conditional_default(signal, stop.flag())?;
            signal_hook::flag::register(signal, stop.flag())?;
        }
        signal_hook::flag::register(SIGTERM, Arc::clone(&terminated))?;
        Ok(Self { stop, terminated })
    }

    /// Takes a terminal that closes for a wish to stop as well. HUP without a terminal sets what is given.
    pub(super) fn catch_hang_up(&self) -> anyhow::Result<Arc<AtomicBool>> {
        let asked = Arc::new(AtomicBool::new(false));
        let flag = if std::io::stdin().is_terminal() { self.stop.flag() } else { Arc::clone(&asked) };
        signal_hook::flag::register(SIGHUP, flag)?;
        Ok(asked)
    }

    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Ends the program by the signal itself, as if it had not been caught.
    pub(super) fn end(&self) -> ExitCode {
        let signal = if self.terminated.load(Ordering::Relaxed) { SIGTERM } else { SIGINT };
        let _ = signal_hook::low_level::emulate_default_handler(signal);
        // Not reached where signals work.
        ExitCode::from(130)
    }
}
