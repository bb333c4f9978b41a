//! Connections: how many, how long, how slow, and their end.

use super::app::App;
use super::failure::Failure;
use super::guard;
use super::live;
use super::reply::Payload;
use super::respond::{answer, count, fail, router};
use super::slow::Patient;
use axum::Router;
use axum::http::header;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Descriptors that are not connections: the store, several times, and what else is open.
const OWN_DESCRIPTORS: u64 = 64;
/// How often the wish to stop is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// So long clients may take to end what they are at when the server stops.
const FAREWELL: Duration = Duration::from_millis(1200);
/// So much of a connection's requests is kept while they are read.
const BUFFER: usize = 16 << 10;

/// Serves until it is to stop.
pub(super) async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Fn() -> bool) {
    let most = descriptors(app.settings.limits.connections);
    let places = Arc::new(Semaphore::new(most));
    let router = router(&app);
    let (leave, leaving) = watch::channel(false);
    let teller = tokio::spawn(live::tell(Arc::clone(&app)));
    let accept = async {
        loop {
            // Who finds no place waits in the queue of the system; slow ones before him are cut off.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (app, router, leaving) = (Arc::clone(&app), router.clone(), leaving.clone());
                    tokio::spawn(async move {
                        app.counts.connections.fetch_add(1, Ordering::Relaxed);
                        connection(&app, router, stream, leaving).await;
                        app.counts.connections.fetch_sub(1, Ordering::Relaxed);
                        drop(place);
                    });
                }
                // Out of descriptors or memory: some will be given back.
                Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    };
    let stopped = async {
        while !stop() {
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::select! {
        () = accept => {}
        () = stopped => {}
    }
    drop(listener);
    app.stop();
    teller.abort();
    app.hub.close();
    let _ = leave.send(true);
    let everybody = u32::try_from(most).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(FAREWELL, places.acquire_many(everybody)).await;
}

/// How many connections there may be: more descriptors are asked for if need be.
fn descriptors(wanted: usize) -> usize {
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OWN_DESCRIPTORS);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let mut raised = limit;
        raised.current = Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed)));
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    let room = limit.current.map_or(u64::MAX, |current| current.saturating_sub(OWN_DESCRIPTORS).max(8));
    usize::try_from(room).unwrap_or(usize::MAX).min(wanted.max(1)).min(Semaphore::MAX_PERMITS)
}

async fn connection(app: &Arc<App>, router: Router, stream: TcpStream, mut leaving: watch::Receiver<bool>) {
    let limits = app.settings.limits;
    // Small answers go out at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let router = &router;
        async move { Ok::<_, Infallible>(respond(app, router, request).await) }
    });
    let io = TokioIo::new(Patient::new(stream, limits.stalled));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(64)
        .max_buf_size(BUFFER)
        .serve_connection(io, service);
    let mut serving = std::pin::pin!(serving);
    let called_off = async {
        let _ = leaving.wait_for(|leaving| *leaving).await;
    };
    // What goes wrong with a connection is its client's affair.
    tokio::select! {
        _ = serving.as_mut() => {}
        () = called_off => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

async fn respond(app: &Arc<App>, router: &Router, request: Request<Incoming>) -> Response<Payload> {
    let (head, body) = request.into_parts();
    let mut response = match guard::admit(&app.settings, &head) {
        Err(failure) => fail(&failure),
        Ok(()) if head.method == Method::OPTIONS => options(head.uri.path()),
        Ok(()) if head.method == Method::POST && takes_posts(head.uri.path()) => {
            match read(app, &head.headers, body).await {
                Ok(body) => answer(router, &head, body).await,
                Err(failure) => {
                    let mut response = fail(&failure);
                    // What is left of the body is not read.
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    response
                }
            }
        }
        Ok(()) => answer(router, &head, Bytes::new()).await,
    };
    let status = response.status();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
        response.headers_mut().entry(header::ALLOW).or_insert(allow);
    }
    guard::dress(&app.settings, &head, status, response.headers_mut());
    count(app, &response);
    response
}

/// Whether there is anything to post to at a path.
fn takes_posts(path: &str) -> bool {
    super::route::routes().iter().any(|route| route.method == Method::POST && route.path == path)
}

fn options(path: &str) -> Response<Payload> {
    let mut response = Response::new(Payload::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allow = if takes_posts(path) { "GET, HEAD, POST, OPTIONS" } else { "GET, HEAD, OPTIONS" };
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// The body of a POST, within bounds of size and time.
async fn read(app: &App, headers: &axum::http::HeaderMap, body: Incoming) -> Result<Bytes, Failure> {
    guard::check_body(headers)?;
    let reading = Limited::new(body, guard::MAX_BODY).collect();
    match tokio::time::timeout(app.settings.limits.body, reading).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(guard::too_long()),
        Ok(Err(_)) => Err(Failure::new(StatusCode::BAD_REQUEST, "Le corps s'interrompt")),
        Err(_) => Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "Le corps n'arrive pas")),
    }
}
