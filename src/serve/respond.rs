//! A request on its way: may it come in, who answers it, and in what form does the answer go out.

use super::app::{App, lock};
use super::failure::Failure;
use super::guard;
use super::pages;
use super::params::{Params, Value};
use super::reply::{Payload, Reply};
use super::route::{Handler, Route, routes};
use axum::Router;
use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode, request};
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower_service::Service as _;

/// Smaller answers are not worth packing.
const WORTH_PACKING: usize = 1024;
/// Larger ones are packed on another thread.
const MUCH: usize = 128 << 10;
/// Answers of so many KiB need no share of the memory for large ones.
const SMALL: usize = 64;
/// So long a request waits for memory that other large answers hold.
const MEMORY: Duration = Duration::from_secs(10);

/// What a handler came to, on its way through the router.
#[derive(Clone)]
struct Carried(Arc<Mutex<Option<Outcome>>>);

enum Outcome {
    Reply(Reply),
    Live(Payload),
    Failed(Failure),
}

/// The body of a request, on its way through the router.
#[derive(Clone)]
struct Input(Bytes);

/// The router of all routes.
pub(super) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let (app, route) = (Arc::clone(app), Arc::new(route));
        let filter = if route.method == Method::POST { MethodFilter::POST } else { MethodFilter::GET };
        let path = route.path;
        let handler = move |request: Request<Body>| {
            let (app, route) = (Arc::clone(&app), Arc::clone(&route));
            async move {
                let outcome = match handle(&app, &route, request).await {
                    Ok(outcome) => outcome,
                    Err(failure) => Outcome::Failed(failure),
                };
                let mut response = Response::new(Body::empty());
                response.extensions_mut().insert(Carried(Arc::new(Mutex::new(Some(outcome)))));
                response
            }
        };
        router = router.route(path, on(filter, handler));
    }
    router
}

async fn handle(app: &Arc<App>, route: &Route, request: Request<Body>) -> Result<Outcome, Failure> {
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default();
    let act = match route.handler {
        Handler::Fixed(make) => {
            let file = path.strip_prefix("/dashboard/").and_then(pages::file);
            return Ok(Outcome::Reply(file.unwrap_or_else(make)));
        }
        Handler::Follow(begin) => {
            let (app, params) = (Arc::clone(app), Params::parse(route.params, query)?);
            return blocking(move || app.ask(params, &[], begin)).await.map(Outcome::Live);
        }
        Handler::Ask(act) => act,
    };
    let key = format!("{path}?{query}");
    let is_get = route.method == Method::GET;
    if let Some(reply) = app.known(&key).filter(|_| is_get) {
        return Ok(Outcome::Reply(reply));
    }
    let params = Params::parse(route.params, query)?;
    let share = match weight(path, &params) {
        0 => None,
        kib => {
            let large = Arc::clone(&app.large).acquire_many_owned(kib);
            let busy =
                || Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Trop de grandes réponses à la fois ; réessayez");
            Some(tokio::time::timeout(MEMORY, large).await.map_err(|_| busy())?.map_err(|_| busy())?)
        }
    };
    let body = request.extensions().get::<Input>().map(|Input(body)| body.clone()).unwrap_or_default();
    let asked = Arc::clone(app);
    let (version, mut reply) =
        blocking(move || asked.ask(params, &body, |question| act(question).map(|reply| (question.version, reply))))
            .await?;
    // What was reserved for more than there is is given back.
    if let Some(mut share) = share {
        let kib = reply.len().div_ceil(1024);
        drop(share.split(share.num_permits().saturating_sub(kib)));
        reply.share = (kib >= SMALL).then(|| Arc::new(share));
    }
    if is_get {
        app.keep(&key, version, &reply);
    }
    Ok(Outcome::Reply(reply))
}

/// About how many KiB an answer may hold; 0 for one that is not large.
fn weight(path: &str, params: &Params) -> u32 {
    match path {
        // A page of one series is a megabyte.
        "/api/data/history" => {
            return u32::try_from(params.list("series").len()).unwrap_or(16).clamp(1, 16) << 10;
        }
        "/api/stats/hour" | "/api/stats/day" => return 12 << 10,
        _ => {}
    }
    let Some(limit) = params.whole("limit") else { return 0 };
    let each = if params.get("registres").is_some_and(|value| *value == Value::Text("all".to_owned())) { 3 } else { 1 };
    // A quarter of a KiB a reading, up to a page of 24 MiB and what it is made in.
    match u32::try_from(limit.saturating_mul(each) / 4).unwrap_or(u32::MAX) {
        0..64 => 0,
        kib => kib.min(26 << 10),
    }
}

async fn blocking<T: Send + 'static>(act: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let failed = |_| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Erreur interne");
    tokio::task::spawn_blocking(act).await.map_err(failed)?
}

/// Answers a request whose body was read, once it was let in.
pub(super) async fn answer(router: &Router, head: &request::Parts, body: Bytes) -> Response<Payload> {
    let is_head = head.method == Method::HEAD;
    let method = if is_head { Method::GET } else { head.method.clone() };
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    request.uri_mut().clone_from(&head.uri);
    request.extensions_mut().insert(Input(body));
    // The router has no errors of its own.
    let routed = match router.clone().call(request).await {
        Ok(routed) => routed,
        Err(never) => match never {},
    };
    let carried = routed.extensions().get::<Carried>().and_then(|Carried(outcome)| lock(outcome).take());
    let outcome = carried.unwrap_or_else(|| match routed.status() {
        StatusCode::METHOD_NOT_ALLOWED => {
            Outcome::Failed(Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("Pas avec {}", head.method)))
        }
        _ => Outcome::Failed(Failure::new(StatusCode::NOT_FOUND, "Chemin inconnu")),
    });
    let mut response = match outcome {
        Outcome::Reply(reply) => send(reply, &head.headers).await,
        Outcome::Failed(failure) => fail(&failure),
        Outcome::Live(payload) => {
            let mut response = Response::new(payload);
            put(response.headers_mut(), header::CONTENT_TYPE, "text/event-stream");
            put(response.headers_mut(), header::CACHE_CONTROL, "no-store");
            response
        }
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Some(allow) = routed.headers().get(header::ALLOW)
    {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if is_head {
        // The length stays that of the body which is not sent.
        *response.body_mut() = Payload::empty();
    }
    response
}

/// The answer to a request that fails.
pub(super) fn fail(failure: &Failure) -> Response<Payload> {
    let mut response = Response::new(Payload::of(vec![failure.body().into()], None));
    *response.status_mut() = failure.status;
    put(response.headers_mut(), header::CONTENT_TYPE, super::reply::JSON);
    put(response.headers_mut(), header::CACHE_CONTROL, "no-store");
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// An answer as the client takes it: not at all where it has it, packed where it can unpack it.
async fn send(reply: Reply, asked: &HeaderMap) -> Response<Payload> {
    let mut response = Response::new(Payload::empty());
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    put(headers, header::CONTENT_TYPE, reply.kind);
    put(headers, header::VARY, "accept-encoding");
    put(headers, header::CACHE_CONTROL, if reply.stays { "no-cache" } else { "no-store" });
    headers.extend(reply.headers.iter().cloned());
    if reply.stays && reply.status == StatusCode::OK {
        let tag = reply.tag();
        let is_known = asked.get_all(header::IF_NONE_MATCH).iter().any(|known| guard::names_tag(known, &tag));
        headers.insert(header::ETAG, tag);
        if is_known {
            headers.remove(header::CONTENT_TYPE);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
    }
    let length = reply.len();
    if length >= WORTH_PACKING && asked.get_all(header::ACCEPT_ENCODING).iter().any(guard::takes_gzip) {
        let packed = match reply.was_packed() {
            Some(packed) => packed,
            None if length < MUCH => reply.packed(),
            None => {
                let packing = reply.clone();
                tokio::task::spawn_blocking(move || packing.packed()).await.unwrap_or_default()
            }
        };
        // Nothing comes of it where the packing was cut short.
        if !packed.is_empty() {
            put(headers, header::CONTENT_ENCODING, "gzip");
            headers.insert(header::CONTENT_LENGTH, packed.len().into());
            *response.body_mut() = Payload::of(vec![packed], reply.share);
            return response;
        }
    }
    headers.insert(header::CONTENT_LENGTH, length.into());
    *response.body_mut() = Payload::of(reply.parts, reply.share);
    response
}

/// Counts an answer.
pub(super) fn count(app: &App, response: &Response<Payload>) {
    let class = usize::from(response.status().as_u16() / 100);
    if let Some(count) = app.counts.answers.get(class) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}
