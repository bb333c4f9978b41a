//! Answers: what a handler gives back, and the body that hyper sends of it.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// An answer, before it is packed and its tag compared.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// Its content type.
    pub(super) kind: &'static str,
    /// The body in pieces, so that those that are kept need not be copied.
    pub(super) parts: Vec<Bytes>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// It stays the same for as long as nobody writes to the store: it may be kept, and gets a tag.
    pub(super) stays: bool,
    /// What was made of it once, shared by all copies.
    made: Arc<Made>,
    /// Its share of the memory for large answers.
    pub(super) share: Option<Arc<OwnedSemaphorePermit>>,
}

#[derive(Debug, Default)]
struct Made {
    tag: OnceLock<HeaderValue>,
    packed: OnceLock<Bytes>,
}

pub(super) const JSON: &str = "application/json";

impl Reply {
    pub(super) fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            kind,
            parts: vec![body.into()],
            headers: Vec::new(),
            stays: true,
            made: Arc::default(),
            share: None,
        }
    }

    pub(super) fn json(body: impl Into<Bytes>) -> Self {
        Self::new(JSON, body)
    }

    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// It is of this moment: not kept, without a tag.
    pub(super) fn of_the_moment(mut self) -> Self {
        self.stays = false;
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// The tag of these bytes.
    pub(super) fn tag(&self) -> HeaderValue {
        let make = || {
            let mut hasher = DefaultHasher::new();
            for part in &self.parts {
                hasher.write(part);
            }
            let tag = format!("W/\"{:016x}\"", hasher.finish());
            HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
        };
        self.made.tag.get_or_init(make).clone()
    }

    /// The body packed by gzip, if it was packed before.
    pub(super) fn was_packed(&self) -> Option<Bytes> {
        self.made.packed.get().cloned()
    }

    /// The body packed by gzip.
    pub(super) fn packed(&self) -> Bytes {
        let make = || {
            let mut packer = GzEncoder::new(Vec::with_capacity(self.len() / 6), Compression::new(4));
            // Writing to a vector cannot fail.
            for part in &self.parts {
                let _ = packer.write_all(part);
            }
            Bytes::from(packer.finish().unwrap_or_default())
        };
        self.made.packed.get_or_init(make).clone()
    }
}

/// A body that is sent.
#[derive(Debug)]
pub(super) enum Payload {
    /// All of it is there.
    Whole { parts: VecDeque<Bytes>, left: u64, _share: Option<Arc<OwnedSemaphorePermit>> },
    /// It comes bit by bit, until the other side of the channel is gone.
    Live(mpsc::Receiver<Bytes>),
}

impl Payload {
    pub(super) fn of(parts: Vec<Bytes>, share: Option<Arc<OwnedSemaphorePermit>>) -> Self {
        let left = parts.iter().map(Bytes::len).sum::<usize>();
        Self::Whole { parts: parts.into(), left: u64::try_from(left).unwrap_or(u64::MAX), _share: share }
    }

    pub(super) fn empty() -> Self {
        Self::of(Vec::new(), None)
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole { parts, left, .. } => {
                let part = parts.pop_front();
                if let Some(part) = &part {
                    *left = left.saturating_sub(u64::try_from(part.len()).unwrap_or(0));
                }
                Poll::Ready(part.map(|part| Ok(Frame::data(part))))
            }
            Self::Live(receiver) => receiver.poll_recv(context).map(|next| next.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole { parts, .. } if parts.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole { left, .. } => SizeHint::with_exact(*left),
            Self::Live(_) => SizeHint::default(),
        }
    }
}
