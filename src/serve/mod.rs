//! The HTTP API of the contract and the dashboard, out of the store.
//!
//! ```text
//! connection ──listen, slow──► request ──guard──► router ──► handler on a blocking thread ──► Reply
//!                                                  route          app: connections, caches
//!            ◄──────── headers, gzip, tag ◄── respond ◄──────────────────────────────────────┘
//! ```
//!
//! | part | what it is for |
//! |---|---|
//! | `route` | the table that router, checks and document are made of |
//! | `params`, `openapi`, `docs`, `pages` | parameters; the document, for programs and people; what is always the same |
//! | `listen`, `slow`, `guard`, `respond` | connections, slow clients, who may come in, how answers go out |
//! | `app`, `recent`, `rollup` | what requests share: connections to the store, readings written out, days worked out |
//! | `data`, `history`, `statistics`, `events`, `status`, `post`, `live` | the resources |
//! | `measures`, `track`, `step` | readings in the contract's terms, quantities, steps of time |
//!
//! One thread serves everybody; what asks the store runs on a few others. What is kept of answers holds until SQLite says
//! that somebody has written (`PRAGMA data_version`), which is asked every few milliseconds.

mod app;
mod data;
mod docs;
mod events;
mod failure;
mod guard;
mod history;
mod listen;
mod live;
mod measures;
mod openapi;
mod pages;
mod params;
mod post;
mod recent;
mod reply;
mod respond;
mod rollup;
mod route;
mod settings;
mod slow;
mod statistics;
mod status;
mod step;
mod track;

pub use settings::{Limits, Settings, Token, TokenError};

use crate::store::StoreError;
use app::App;
use axum::http::Request;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The years one to 9999, in seconds.
const EVER: Range<i64> = -62_135_596_800..253_402_300_800;

/// Threads that ask the store.
const ASKING: usize = 4;

/// Why there is nothing to serve, or nowhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others could reach the address, and nothing keeps them out.
    #[error("serving to the network needs a token")]
    NoToken,
    /// The system gives no threads or clocks.
    #[error("cannot start: {0}")]
    Start(std::io::Error),
}

fn runtime() -> Result<Runtime, ServeError> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().max_blocking_threads(ASKING).build().map_err(ServeError::Start)
}

/// Serves until `stop` says so. `ready` is told the address once connections are taken.
///
/// # Errors
/// [`ServeError`] where it cannot begin.
pub fn run(settings: Settings, stop: impl Fn() -> bool, ready: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    if !settings.is_private() && settings.token.is_none() {
        return Err(ServeError::NoToken);
    }
    let address = settings.listen;
    let app = Arc::new(App::new(settings)?);
    let runtime = runtime()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        ready(listener.local_addr().unwrap_or(address));
        app::warm(&app);
        listen::serve(app, listener, stop).await;
        Ok::<(), ServeError>(())
    })?;
    // A question that is still being asked is of no use to anybody now.
    runtime.shutdown_timeout(Duration::from_millis(300));
    Ok(())
}

/// An answer by itself.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// Answers one GET request, like `/api/data?hours=1`, without a server.
///
/// # Errors
/// [`ServeError`] where the store cannot be used.
pub fn answer(settings: Settings, target: &str) -> Result<Answer, ServeError> {
    let app = Arc::new(App::new(settings)?);
    let runtime = runtime()?;
    let answer = runtime.block_on(async {
        let Ok(request) = Request::get(target).body(()) else {
            return Answer { status: 400, body: Bytes::from_static(br#"{"error":"Chemin illisible"}"#) };
        };
        let (head, ()) = request.into_parts();
        let response = respond::answer(&respond::router(&app), &head, Bytes::new()).await;
        // Nobody writes to a channel that only its receiver knows.
        app.hub.close();
        let (head, body) = response.into_parts();
        let body = match body.collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(never) => match never {},
        };
        Answer { status: head.status.as_u16(), body }
    });
    runtime.shutdown_timeout(Duration::from_millis(300));
    Ok(answer)
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> serde_json::Value {
    openapi::document()
}

/// Holds the query of a GET request, like `/api/data?hours=1`, against what its route knows; where there is no such route
/// nothing is known.
///
/// # Errors
/// What the client would be told.
pub fn check_target(target: &str) -> Result<(), String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let route = route::routes().into_iter().find(|route| route.path == path && route.method == axum::http::Method::GET);
    let params = params::Params::parse(route.map_or(&[], |route| route.params), query);
    params.map(drop).map_err(|failure| failure.message)
}

/// Method and path of every route.
#[must_use]
pub fn routes() -> Vec<(String, &'static str)> {
    route::routes().into_iter().map(|route| (route.method.to_string(), route.path)).collect()
}
