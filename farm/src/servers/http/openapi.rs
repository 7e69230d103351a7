//! The OpenAPI document of the HTTP server, made from the types of questions and answers.

use crate::metrics::Exposition;
use crate::servers::error::ErrorReport;
use crate::service::Status;
use caravan::schema::{Components, KindSchemas, document_of, openapi_settings};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// The JSON Schema of `caravan.error/1`, what is said where there is no answer.
pub fn error_schema() -> Schema {
    document_of::<ErrorReport<'static>>("caravan.error/1")
}

/// The document. `components` are [`caravan::schema::openapi_components`].
pub fn openapi(components: Components) -> Value {
    let Components { kinds, question, answer, mut schemas } = components;
    let mut generator = openapi_settings().for_serialize().into_generator();
    // They are called `Error` and `Status`.
    let _ = (generator.subschema_for::<ErrorReport<'static>>(), generator.subschema_for::<Status>());
    schemas.extend(generator.take_definitions(true));
    let mut paths = Map::new();
    for KindSchemas { kind, summary, members, answer } in kinds {
        let operation = question_operation(kind, summary, members.into(), answer.into());
        paths.insert(format!("/v1/{kind}"), json!({ "post": operation }));
    }
    let whole = "A question of any kind: an object whose only member is the kind";
    let ask = question_operation("ask", whole, question.into(), answer.into());
    paths.insert("/v1/ask".to_owned(), json!({ "post": ask }));
    paths.extend(other_paths());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "caravan",
            "version": "1",
            "description": "Questions about opam repositories: which versions to install, what depends on a package, \
                what a change does, what can be installed where. Answers are the JSON of the commands (docs/json.md).",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas,
        },
    })
}

/// What is asked of everybody where tokens are wanted.
fn security() -> Value {
    json!([{}, { "token": [] }])
}

fn response(description: &str, content_type: &str, schema: Value) -> Value {
    let mut content = Map::new();
    content.insert(content_type.to_owned(), json!({ "schema": schema }));
    json!({ "description": description, "content": content })
}

fn error(description: &str) -> Value {
    response(description, "application/json", json!({ "$ref": "#/components/schemas/Error" }))
}

fn question_operation(name: &str, summary: &str, question: Value, answer: Value) -> Value {
    let found = json!({
        "description": "The answer. `Accept: application/x-ndjson` or `text/event-stream` gives its log, too.",
        "content": {
            "application/json": { "schema": answer },
            "application/x-ndjson": { "schema": {
                "type": "string",
                "description": "Lines `{\"log\": …}` and a last one `{\"answer\": …}` or `{\"error\": …}`.",
            } },
            "text/event-stream": { "schema": {
                "type": "string",
                "description": "Events `log`, and a last one `answer` or `error`.",
            } },
        },
    });
    json!({
        "operationId": name.replace('-', "_"),
        "summary": summary,
        "security": security(),
        "requestBody": { "required": true, "content": { "application/json": { "schema": question } } },
        "responses": {
            "200": found,
            "400": error("It is not JSON of the right form."),
            "401": error("A bearer token is wanted."),
            "403": error("It is for a host that is not answered for, or from a page of another origin."),
            "408": error("The body was not there in time."),
            "413": error("The body is too large."),
            "415": error("The body is not JSON."),
            "422": error("The question makes no sense, or a repository cannot be had or read."),
            "500": error("A worker died of it, or the machine is in trouble."),
            "503": error("There is no room, or the service is ending; `Retry-After` says when to try again."),
            "504": error("It took longer than it may."),
        },
    })
}

/// What is no question.
fn other_paths() -> [(String, Value); 5] {
    let text = || json!({ "type": "string" });
    let plain = "text/plain; charset=utf-8";
    let get = |name: &str, summary: &str, ok: Value| json!({ "get": { "operationId": name, "summary": summary, "responses": { "200": ok } } });
    let kinds = [Exposition::Text, Exposition::OpenMetrics];
    let content: Map<String, Value> =
        kinds.iter().map(|kind| (kind.content_type().to_owned(), json!({ "schema": text() }))).collect();
    let metrics = json!({ "description": "It. OpenMetrics is for those who accept it.", "content": content });
    let protected = |mut path: Value| {
        path["get"]["security"] = security();
        path["get"]["responses"]["401"] = error("A bearer token is wanted.");
        path
    };
    let status = response("It.", "application/json", json!({ "$ref": "#/components/schemas/Status" }));
    let mut ready = get("readyz", "Whether it can take questions", response("It can.", plain, text()));
    ready["get"]["responses"]["503"] = response("No worker is ready, or it is ending.", plain, text());
    [
        ("/v1/status".to_owned(), protected(get("status", "What the service does", status))),
        ("/metrics".to_owned(), protected(get("metrics", "What is counted, for Prometheus", metrics))),
        ("/healthz".to_owned(), get("healthz", "Whether it lives", response("It does.", plain, text()))),
        ("/readyz".to_owned(), ready),
        (
            "/openapi.json".to_owned(),
            get("openapi", "This document", response("It.", "application/json", json!({ "type": "object" }))),
        ),
    ]
}
