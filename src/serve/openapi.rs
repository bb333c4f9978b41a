//! The document of the API, made of the table of routes.

use super::data::METRICS;
use super::params::{Form, MAX_HOURS, Param};
use super::route::{Route, routes};
use axum::http::Method;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The OpenAPI 3.1 document.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_lowercase(), operation(&route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "releve",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Readings of electricity meters. Times are UTC, keys are French, numbers have the digits the meter sent.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, "basic": {"type": "http", "scheme": "basic"}},
        },
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn operation(route: &Route) -> Value {
    let parameters: Vec<Value> = if route.path.contains("{file}") {
        vec![json!({"name": "file", "in": "path", "required": true, "schema": {"type": "string"}})]
    } else {
        route.params.iter().map(parameter).collect()
    };
    let content = match route.form {
        form if form.contains('/') => json!({form: {"schema": {"type": "string"}}}),
        form => json!({"application/json": {"schema": reference(form)}}),
    };
    let error =
        |about: &str| json!({"description": about, "content": {"application/json": {"schema": reference("Erreur")}}});
    let mut responses = Map::new();
    responses.insert("200".to_owned(), json!({"description": "OK", "content": content}));
    responses.insert("304".to_owned(), json!({"description": "As the tag in If-None-Match says."}));
    for (status, about) in [
        (400, "A parameter or the body is wrong; `parametre` names it."),
        (401, "The token is missing or wrong."),
        (403, "Not from this host, this origin, or without a token."),
        (405, "Not with this method."),
        (413, "The body is too long."),
        (414, "The request is too long."),
        (415, "The body is no plain JSON."),
    ] {
        responses.insert(status.to_string(), error(about));
    }
    for (status, about) in route.statuses {
        let answer = match status {
            201 | 503 if route.form != "text/event-stream" => json!({"description": about, "content": content}),
            _ => error(about),
        };
        responses.insert(status.to_string(), answer);
    }
    let mut operation = json!({
        "operationId": name(route),
        "summary": route.about,
        "parameters": parameters,
        "responses": responses,
        "security": if route.method == Method::POST { json!([{"token": []}]) } else { json!([{}, {"token": []}, {"basic": []}]) },
    });
    if let (true, Some(operation)) = (route.method == Method::POST, operation.as_object_mut()) {
        let body = if route.path == "/api/data" { "Envoi" } else { "Incident" };
        operation.insert(
            "requestBody".to_owned(),
            json!({"required": true, "content": {"application/json": {"schema": reference(body)}}}),
        );
    }
    operation
}

/// A name of a route for programs that are made of the document.
pub(super) fn name(route: &Route) -> String {
    let path: String = route.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("{}{}", route.method.as_str().to_lowercase(), path.trim_end_matches('_'))
}

fn parameter(param: &Param) -> Value {
    let schema = match param.form {
        Form::Whole(low, high) => json!({"type": "integer", "minimum": low, "maximum": high}),
        Form::Hours => json!({"type": "number", "exclusiveMinimum": 0, "maximum": MAX_HOURS}),
        Form::Time => json!({"type": "string", "format": "date-time"}),
        Form::Text if param.name == "series" => {
            json!({"type": "string", "maxLength": 250, "pattern": format!("^({0})(,({0}))*$", series().join("|"))})
        }
        Form::Text if param.name == "metrics" => {
            json!({"type": "string", "examples": [METRICS.join(",")], "maxLength": 250, "pattern": "^[^\\u0000]*$"})
        }
        Form::Text => json!({"type": "string", "maxLength": 250, "pattern": "^[^\\u0000]*$"}),
        Form::Word(words) => json!({"type": "string", "enum": words}),
        Form::Meter => json!({"type": "string", "maxLength": 64}),
        Form::Step => json!({
            "type": "string",
            "enum": ["auto", "1s", "10s", "1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h", "24h", "jour", "semaine", "mois"],
        }),
        Form::Cursor => json!({"type": "string", "pattern": "^-?[0-9]{1,17}(_[0-9]{1,17})?$"}),
    };
    let mut about = param.about.to_owned();
    if let Some(default) = param.default {
        let _ = write!(about, " Default: {default}.");
    }
    json!({"name": param.name, "in": "query", "required": false, "description": about, "schema": schema})
}

/// The columns a history can be of.
fn series() -> Vec<&'static str> {
    let columns = crate::reading::Column::ALL.into_iter().map(crate::document::column_key);
    columns.chain(["puissance_active"]).collect()
}

fn schemas() -> Value {
    let time = json!({"type": "string", "format": "date-time"});
    let time_or_null = json!({"type": ["string", "null"], "format": "date-time"});
    let number = json!({"type": ["number", "null"]});
    let text = json!({"type": ["string", "null"]});
    let count = json!({"type": "integer", "minimum": 0});
    let phases = json!({
        "type": "object",
        "properties": {"l1": number, "l2": number, "l3": number},
        "required": ["l1", "l2", "l3"],
        "additionalProperties": false,
    });
    let three = json!({"type": "array", "items": number, "minItems": 3, "maxItems": 3});
    let period = json!({
        "type": "object",
        "properties": {"debut": time, "fin": time, "heures": {"type": "number"}},
        "required": ["debut", "fin", "heures"],
        "additionalProperties": false,
    });
    let event = json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer"}, "timestamp": time, "type": {"type": "string"},
            "severite": {"enum": ["info", "warning", "error", "critical"]},
            "description": {"type": "string"}, "valeur": number, "unite": text, "code_obis": text, "seuil": number,
            "fin": time_or_null, "duree_s": {"type": ["integer", "null"]}, "phase": {"type": ["integer", "null"]},
            "origine": {"enum": ["mesures", "compteur", "lecteur", "manuel", "import"]}, "compteur": text,
        },
        "required": ["id", "timestamp", "type", "severite", "description", "valeur", "unite"],
        "additionalProperties": false,
    });
    let kept =
        json!({"type": ["number", "null"], "minimum": -1_000_000_000, "maximum": 1_000_000_000, "multipleOf": 1e-9});
    json!({
        "Erreur": {
            "type": "object",
            "properties": {"error": {"type": "string"}, "parametre": {"type": "string"}},
            "required": ["error"],
            "additionalProperties": false,
        },
        "Mesures": {
            "type": "object",
            "properties": {
                "periode": period, "nb_mesures": count, "suivant": {"type": "string"}, "avertissement": {"type": "string"},
                "mesures": {"type": "array", "items": {
                    "type": "object",
                    "properties": {
                        "timestamp": time, "puissance_active": number, "tensions": phases, "courants": phases,
                        "frequence": number, "facteur_puissance": number,
                        "registres": {"type": "array", "items": {
                            "type": "object",
                            "properties": {"obis": {"type": "string"}, "valeur": {"type": "number"}, "texte": {"type": "string"}, "unite": {"type": "string"}},
                            "required": ["obis"],
                            "additionalProperties": false,
                        }},
                    },
                    "required": ["timestamp"],
                    "additionalProperties": false,
                }},
            },
            "required": ["periode", "nb_mesures", "mesures"],
            "additionalProperties": false,
        },
        "Courante": {
            "type": "object",
            "properties": {
                "timestamp": time, "puissance_active": number,
                "energies": {
                    "type": "object",
                    "properties": {"active_import": number, "active_export": number},
                    "required": ["active_import", "active_export"],
                    "additionalProperties": false,
                },
                "tensions": three, "courants": three,
            },
            "required": ["timestamp", "puissance_active", "energies", "tensions", "courants"],
            "additionalProperties": false,
        },
        "Historique": {
            "type": "object",
            "properties": {
                "compteur": text, "periode": period, "avertissement": {"type": "string"}, "pas": {"type": "string"},
                "fuseau": {"type": "string"}, "suivant": {"type": "string"},
                "series": {"type": "object", "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "unite": {"type": "string"},
                        "colonnes": {"type": "array", "items": {"type": "string"}},
                        "valeurs": {"type": "array", "items": {
                            "type": "array", "items": {"type": ["string", "number"]}, "minItems": 3, "maxItems": 4,
                        }},
                    },
                    "required": ["unite", "colonnes", "valeurs"],
                    "additionalProperties": false,
                }},
            },
            "required": ["compteur", "periode", "pas", "fuseau", "series"],
            "additionalProperties": false,
        },
        "Evenement": event,
        "Evenements": {
            "type": "object",
            "properties": {"nb_evenements": count, "suivant": {"type": "string"}, "evenements": {"type": "array", "items": reference("Evenement")}},
            "required": ["nb_evenements", "evenements"],
            "additionalProperties": false,
        },
        "Bilan": {
            "type": "object",
            "properties": {
                "nb_mesures": count, "date_premiere": time_or_null, "date_derniere": time_or_null, "nb_evenements": count,
                "periode_jours": count, "timestamp": time, "status": {"const": "online"},
            },
            "required": ["nb_mesures", "date_premiere", "date_derniere", "nb_evenements", "periode_jours", "timestamp", "status"],
            "additionalProperties": false,
        },
        "Statistiques": {
            "type": "object",
            "properties": {
                "schema": {"const": "releve.stats/1"}, "compteur": {"type": ["string", "null"]}, "fuseau": {"type": "string"},
                "pas": {"type": "string"}, "ensemble": {"type": "object"}, "avertissement": {"type": "string"},
                "periodes": {"type": "array", "items": {"type": "object", "properties": {"periode": {"type": "object"}}, "required": ["periode"]}},
            },
            "required": ["schema", "compteur", "fuseau", "periodes"],
        },
        "Compteurs": {
            "type": "object",
            "properties": {"nb_compteurs": count, "compteurs": {"type": "array", "items": {
                "type": "object",
                "properties": {
                    "compteur": {"type": "string"}, "alias": text, "nb_mesures": count, "date_premiere": time_or_null,
                    "date_derniere": time_or_null,
                    "registres": {"type": "array", "items": {
                        "type": "object",
                        "properties": {"obis": {"type": "string"}, "unite": text, "nom": text},
                        "required": ["obis", "unite", "nom"],
                        "additionalProperties": false,
                    }},
                },
                "required": ["compteur", "alias", "nb_mesures", "date_premiere", "date_derniere", "registres"],
                "additionalProperties": false,
            }}},
            "required": ["nb_compteurs", "compteurs"],
            "additionalProperties": false,
        },
        "Sante": {
            "type": "object",
            "properties": {
                "status": {"enum": ["ok", "perime", "vide"]}, "date_derniere": time_or_null,
                "age_s": {"type": ["integer", "null"]}, "limite_s": count,
            },
            "required": ["status", "date_derniere", "age_s", "limite_s"],
            "additionalProperties": false,
        },
        "Document": {"type": "object"},
        "Gardees": {
            "type": "object",
            "properties": {"nb_ajoutees": count, "nb_connues": count, "nb_vides": count},
            "required": ["nb_ajoutees", "nb_connues", "nb_vides"],
            "additionalProperties": false,
        },
        "Rapport": {
            "type": "object",
            "properties": {"ajoute": {"type": "boolean"}, "evenement": reference("Evenement")},
            "required": ["ajoute", "evenement"],
            "additionalProperties": false,
        },
        "Incident": {
            "type": "object",
            "properties": {
                "timestamp": time_or_null, "type": {"type": "string", "pattern": "^[a-z0-9_]{1,50}$"},
                "severite": {"enum": ["info", "warning", "error", "critical", null]},
                "description": {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": "^[^\\u0000]*$"},
                "valeur": kept, "unite": {"type": ["string", "null"], "maxLength": 10, "pattern": "^[^\\u0000]*$"},
                "code_obis": {"type": ["string", "null"], "maxLength": 20, "pattern": "^[^\\u0000]*$"}, "seuil": kept,
                "duree_s": {"type": ["integer", "null"], "minimum": 0, "maximum": 31_536_000},
                "phase": {"type": ["integer", "null"], "minimum": 1, "maximum": 3},
                "compteur": {"type": ["string", "null"], "maxLength": 64, "pattern": "^[A-Za-z0-9_+-]+(\\.[A-Za-z0-9_+-]+)*$"},
            },
            "required": ["type", "description"],
            "additionalProperties": false,
        },
        "Envoi": {
            "type": "object",
            "properties": {
                "compteur": {"type": ["string", "null"], "maxLength": 64, "pattern": "^[A-Za-z0-9_+-]+(\\.[A-Za-z0-9_+-]+)*$"},
                "mesures": {"type": "array", "maxItems": 10_000, "items": {
                    "type": "object",
                    "properties": {
                        "timestamp": time,
                        "valeurs": {
                            "type": "object",
                            "properties": series().into_iter().map(|key| (key.to_owned(), kept.clone())).collect::<Map<_, _>>(),
                            "patternProperties": {"^[0-9]{1,2}-[0-9]{1,2}:[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}$": kept},
                            "additionalProperties": false,
                        },
                        "qualite": {"enum": ["good", "suspect", "bad", null]},
                        "source": {"type": ["string", "null"], "maxLength": 50, "pattern": "^[^\\u0000]*$"},
                    },
                    "required": ["timestamp"],
                }},
                "unites": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "required": ["mesures"],
            "additionalProperties": false,
        },
    })
}
