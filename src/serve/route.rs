//! The table of routes. The router, the checks of parameters, `/openapi.json` and `/docs` are all made of it.

use super::app::Question;
use super::failure::Failure;
use super::params::{Form, Param};
use super::reply::{Payload, Reply};
use super::{data, events, history, live, pages, post, statistics, status};
use axum::http::Method;

/// What answers.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Something that is always the same.
    Fixed(fn() -> Reply),
    /// Something out of the store.
    Ask(fn(&Question<'_>) -> Result<Reply, Failure>),
    /// A stream that goes on.
    Follow(fn(&Question<'_>) -> Result<Payload, Failure>),
}

/// A route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) handler: Handler,
    pub(super) params: &'static [Param],
    pub(super) about: &'static str,
    /// A request to try, behind the path.
    pub(super) example: &'static str,
    /// The name of the form of its answer, see `openapi`.
    pub(super) form: &'static str,
    /// Statuses besides those that every route has.
    pub(super) statuses: &'static [(u16, &'static str)],
}

const METER: Param = Param {
    name: "meter",
    form: Form::Meter,
    default: Some("the only meter, or the one in the settings"),
    about: "Identifier or alias of a meter.",
};
const HOURS: Param = Param {
    name: "hours",
    form: Form::Hours,
    default: Some("24"),
    about: "The period is the last so many hours (before `fin`, if that is given).",
};
const FROM: Param =
    Param { name: "debut", form: Form::Time, default: None, about: "Where the period begins, in place of `hours`." };
const UNTIL: Param =
    Param { name: "fin", form: Form::Time, default: Some("now"), about: "Where the period ends; not part of it." };
const AFTER: Param = Param {
    name: "apres",
    form: Form::Cursor,
    default: None,
    about: "The cursor given as `suivant` by the page before.",
};

const fn limit(default: &'static str) -> Param {
    Param { name: "limit", form: Form::Whole(1, 100_000), default: Some(default), about: "How many at most." }
}

const DATA: &[Param] = &[
    HOURS,
    limit("100"),
    Param {
        name: "metrics",
        form: Form::Text,
        default: Some("all"),
        about: "Only these keys of each reading, with commas; `timestamp` is always there.",
    },
    FROM,
    UNTIL,
    METER,
    Param {
        name: "registres",
        form: Form::Word(&["", "all"]),
        default: None,
        about: "`all` adds every register the meter sent.",
    },
    Param {
        name: "order",
        form: Form::Word(&["", "asc", "desc"]),
        default: Some("asc"),
        about: "`desc`: the newest first.",
    },
    AFTER,
];

const HISTORY: &[Param] = &[
    Param {
        name: "series",
        form: Form::Text,
        default: Some("puissance_active"),
        about: "Columns (`tension_l1`, `energie_active_import` …) or reduced OBIS codes (`1-0:5.8.0`), with commas.",
    },
    Param {
        name: "pas",
        form: Form::Step,
        default: Some("auto"),
        about: "The step: `auto`, 1 second to a day (`15m`, `1h`), or `jour`, `semaine`, `mois` of the server's zone.",
    },
    Param {
        name: "points",
        form: Form::Whole(1, 20_000),
        default: Some("600"),
        about: "With `auto`: about how many steps the period is to have at most.",
    },
    Param { default: Some("all there is"), ..HOURS },
    FROM,
    UNTIL,
    METER,
    AFTER,
];

const STATISTICS: &[Param] =
    &[Param { default: Some("2 days, 31 days, 53 weeks, 13 months or all years"), ..HOURS }, FROM, UNTIL, METER];

const EVENTS: &[Param] = &[
    Param { name: "severity", form: Form::Word(&events::SEVERITIES), default: None, about: "Only this severity." },
    Param { name: "type", form: Form::Text, default: None, about: "Only this type, like `surtension`." },
    limit("50"),
    FROM,
    UNTIL,
    Param { name: "hours", form: Form::Hours, default: None, about: "Only the last so many hours." },
    Param {
        name: "q",
        form: Form::Text,
        default: None,
        about: "All these words, or beginnings of words, in the description; accents and case do not count.",
    },
    Param { default: Some("all"), ..METER },
    AFTER,
];

const NONE: &[Param] = &[];
const EMPTY: (u16, &str) = (404, "There is no reading.");
const NO_METER: (u16, &str) = (404, "There is no such meter.");
const WHICH: (u16, &str) = (409, "There are several meters, and none is named.");

/// Every route there is.
pub(super) fn routes() -> Vec<Route> {
    let get = |path, handler, params, about, example, form, statuses| Route {
        method: Method::GET,
        path,
        handler,
        params,
        about,
        example,
        form,
        statuses,
    };
    let statistics = |path, handler, about| {
        get(path, Handler::Ask(handler), STATISTICS, about, "", "Statistiques", &[NO_METER, WHICH])
    };
    let post = |path, handler, about, example, form, statuses| Route {
        method: Method::POST,
        path,
        handler: Handler::Ask(handler),
        params: NONE,
        about,
        example,
        form,
        statuses,
    };
    vec![
        get(
            "/api/data",
            Handler::Ask(data::data),
            DATA,
            "Readings of a period: the oldest `limit` of it, oldest first.",
            "?hours=24&limit=1440",
            "Mesures",
            &[NO_METER, WHICH],
        ),
        post(
            "/api/data",
            post::data,
            "Keep readings of another logger. A reading that is there already is not kept twice.",
            r#"{"mesures": [{"timestamp": "2025-11-07T14:30:00Z", "valeurs": {"puissance_active_totale": 2345}}]}"#,
            "Gardees",
            &[
                (201, "At least one reading is new."),
                (409, "A time is in the future, or it is not clear which meter is meant."),
                NO_METER,
            ],
        ),
        get(
            "/api/data/current",
            Handler::Ask(data::current),
            &[METER],
            "The newest reading.",
            "",
            "Courante",
            &[EMPTY, WHICH],
        ),
        get(
            "/api/data/history",
            Handler::Ask(history::history),
            HISTORY,
            "Series at any step: lowest, mean (by time) and highest of each; of a counter its value at the start and the end. \
             Steps without a reading are left out.",
            "?series=puissance_active&pas=jour&hours=8760",
            "Historique",
            &[NO_METER, WHICH],
        ),
        get(
            "/api/events",
            Handler::Ask(events::events),
            EVENTS,
            "Events, the newest first.",
            "?severity=error&limit=10",
            "Evenements",
            &[NO_METER],
        ),
        post(
            "/api/events",
            post::event,
            "Keep an incident that a person reports. The same incident again replaces what was said of it.",
            r#"{"type": "panne", "severite": "warning", "description": "Plus de courant dans l'atelier"}"#,
            "Rapport",
            &[(201, "The event is new."), NO_METER],
        ),
        get("/api/stats", Handler::Ask(status::stats), &[METER], "What there is.", "", "Bilan", &[NO_METER, WHICH]),
        statistics("/api/stats/hour", statistics::by_hour, "Statistics of full hours."),
        statistics(
            "/api/stats/day",
            statistics::by_day,
            "Statistics of days, from midnight to midnight in the server's zone.",
        ),
        statistics("/api/stats/week", statistics::by_week, "Statistics of ISO weeks."),
        statistics("/api/stats/month", statistics::by_month, "Statistics of months."),
        statistics("/api/stats/year", statistics::by_year, "Statistics of years."),
        get("/api/meters", Handler::Ask(status::meters), NONE, "The meters and their registers.", "", "Compteurs", &[]),
        get(
            "/api/live",
            Handler::Follow(live::follow),
            &[Param { default: Some("all"), ..METER }],
            "Readings and events as they come, as server-sent events `mesure` and `evenement`.",
            "",
            "text/event-stream",
            &[NO_METER, (503, "Too many clients follow already.")],
        ),
        get(
            "/healthz",
            Handler::Ask(status::health),
            NONE,
            "Whether readings are coming.",
            "",
            "Sante",
            &[(503, "The newest reading is too old, or there is none.")],
        ),
        get(
            "/metrics",
            Handler::Ask(status::metrics),
            NONE,
            "The newest readings and the server itself, in the text format of Prometheus.",
            "",
            "text/plain",
            &[],
        ),
        get("/openapi.json", Handler::Fixed(pages::openapi), NONE, "This description.", "", "Document", &[]),
        get("/docs", Handler::Fixed(pages::docs), NONE, "This description, to be read.", "", "text/html", &[]),
        get("/", Handler::Fixed(pages::dashboard), NONE, "The dashboard.", "", "text/html", &[]),
        get(
            "/dashboard/{file}",
            Handler::Fixed(pages::missing),
            NONE,
            "A file of the dashboard.",
            "",
            "text/javascript",
            &[(404, "There is no such file.")],
        ),
    ]
}
