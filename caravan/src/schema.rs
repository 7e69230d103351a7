//! JSON Schemas of questions and answers, made from their types.

use crate::answer::*;
use crate::protocols::{docs_ci, mirage_ci, solver_service};
use crate::question::{self, Question};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// The schemas that an OpenAPI document of questions and answers has.
pub struct Components {
    /// One for each of [`Question::KINDS`], in that order.
    pub kinds: Vec<KindSchemas>,
    /// A whole question, of any kind.
    pub question: Schema,
    /// An answer to a question of any kind.
    pub answer: Schema,
    /// What the others refer to, by name: `{"$ref": "#/components/schemas/NAME"}`.
    pub schemas: Map<String, Value>,
}

/// The schemas of one kind of question.
pub struct KindSchemas {
    /// The kind, as JSON has it.
    pub kind: &'static str,
    /// What such a question is, in a sentence without a full stop.
    pub summary: &'static str,
    /// The members of such a question.
    pub members: Schema,
    /// The answer.
    pub answer: Schema,
}

/// How schemas are made for an OpenAPI document: in JSON Schema's draft 2020-12, which is that of OpenAPI 3.1, with
/// references between them as OpenAPI has them.
pub fn openapi_settings() -> SchemaSettings {
    settings().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    })
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.transforms.push(Box::new(RecursiveTransform(join_lines))))
}

/// The schemas of all questions and answers, made by [`openapi_settings`].
pub fn openapi_components() -> Components {
    let mut generator = openapi_settings().into_generator();
    let kinds = Question::KINDS.iter().filter_map(|kind| kind_schemas(kind, &mut generator)).collect();
    let question = generator.subschema_for::<Question>();
    let answer = generator.subschema_for::<Answer>();
    Components { kinds, question, answer, schemas: generator.take_definitions(true) }
}

/// Makes one line of each paragraph of a description: where comments are wrapped is nobody's business.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace("\n\n", "\r").replace('\n', " ").replace('\r', "\n\n");
    }
}

fn kind_schemas(kind: &'static str, generator: &mut SchemaGenerator) -> Option<KindSchemas> {
    let (summary, members) = Question::members_schema(kind, generator)?;
    let answer = (AnswerForm::of(kind)?.subschema)(generator);
    Some(KindSchemas { kind, summary: summary.trim().trim_end_matches('.'), members, answer })
}

/// A JSON Schema that stands by itself.
pub struct Document {
    /// What it describes, in a word: `question`, or the kind of question whose answer it is.
    pub name: &'static str,
    /// The schema. Its title is the name and version of the form, as in the member `schema`; of the protocols of CI
    /// services, which have none, the kind.
    pub schema: Schema,
}

/// The schemas of questions and of the answers to each of [`Question::KINDS`]. Questions are described as they may be
/// written, answers as they are written.
pub fn documents() -> Vec<Document> {
    let question = titled(question::SCHEMA, settings().into_generator().into_root_schema_for::<Question>());
    let answers = Question::KINDS.iter().filter_map(|kind| {
        let form = AnswerForm::of(kind)?;
        Some(Document { name: kind, schema: titled(form.title, (form.document)()) })
    });
    std::iter::once(Document { name: "question", schema: question }).chain(answers).collect()
}

/// The schema of something that is written as JSON, with a title. It stands by itself.
pub fn document_of<T: JsonSchema>(title: &str) -> Schema {
    titled(title, written::<T>())
}

fn written<T: JsonSchema>() -> Schema {
    settings().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// A schema with a title. An answer whose type has several forms is of the one that the title names.
fn titled(title: &str, mut schema: Schema) -> Schema {
    schema.insert("title".to_owned(), title.into());
    if let Some(Value::Object(form)) = schema.pointer_mut("/properties/schema")
        && form.remove("enum").is_some()
    {
        form.insert("const".to_owned(), title.into());
    }
    schema
}

/// The form of the answers to a kind of question.
struct AnswerForm {
    title: &'static str,
    subschema: fn(&mut SchemaGenerator) -> Schema,
    document: fn() -> Schema,
}

impl AnswerForm {
    fn new<T: JsonSchema>(title: &'static str) -> Self {
        Self { title, subschema: SchemaGenerator::subschema_for::<T>, document: written::<T> }
    }

    fn of(kind: &str) -> Option<Self> {
        Some(match kind {
            "solve" => Self::new::<SolveAnswer>("caravan.solve/2"),
            "installable" => Self::new::<InstallableAnswer>("caravan.installable/1"),
            "list" => Self::new::<ListAnswer>("caravan.list/1"),
            "show" => Self::new::<ShowAnswer>("caravan.show/1"),
            "revdeps" => Self::new::<ListingAnswer>("caravan.revdeps/1"),
            "deps" => Self::new::<ListingAnswer>("caravan.deps/1"),
            "impact" => Self::new::<ImpactAnswer>("caravan.impact/1"),
            "bounds" => Self::new::<BoundsAnswer>("caravan.bounds/1"),
            "bisect" => Self::new::<BisectAnswer>("caravan.bisect/1"),
            "health" => Self::new::<HealthAnswer>("caravan.health/1"),
            "builds" => Self::new::<BuildsAnswer>("caravan.builds/1"),
            "docs" => Self::new::<DocsAnswer>("caravan.docs/1"),
            "lock" => Self::new::<LockAnswer>("caravan.lock/2"),
            "platforms" => Self::new::<PlatformsAnswer>("caravan.platforms/1"),
            "solver-service" => Self::new::<solver_service::SolveResponse>("solver-service"),
            "docs-ci" => Self::new::<docs_ci::SolveResponse>("docs-ci"),
            "mirage-ci" => Self::new::<mirage_ci::SolveResponse>("mirage-ci"),
            "batch" => Self::new::<BatchAnswer>("caravan.batch/1"),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{documents, openapi_components};
    use crate::question::Question;
    use serde_json::Value;

    #[test]
    fn every_kind_has_schemas_and_every_reference_leads_somewhere() {
        let made = openapi_components();
        let kinds: Vec<&str> = made.kinds.iter().map(|schemas| schemas.kind).collect();
        assert_eq!(kinds, Question::KINDS);
        fn check(value: &Value, known: &serde_json::Map<String, Value>) {
            match value {
                Value::Object(members) => members.iter().for_each(|(name, member)| match member.as_str() {
                    Some(to) if name == "$ref" => {
                        let to = to.strip_prefix("#/components/schemas/").unwrap();
                        assert!(known.contains_key(to), "{to}");
                    }
                    _ => check(member, known),
                }),
                Value::Array(items) => items.iter().for_each(|item| check(item, known)),
                _ => {}
            }
        }
        made.schemas.values().for_each(|schema| check(schema, &made.schemas));
        for schema in made.kinds.iter().flat_map(|kind| [&kind.members, &kind.answer]) {
            check(schema.as_value(), &made.schemas);
        }
    }

    #[test]
    fn every_kind_has_a_document_whose_title_is_the_form_of_its_answers() {
        let made = documents();
        let names: Vec<&str> = made.iter().skip(1).map(|document| document.name).collect();
        assert_eq!(names, Question::KINDS);
        for document in made.iter().skip(1) {
            let title = document.schema.get("title").and_then(Value::as_str).unwrap();
            match document.schema.pointer("/properties/schema") {
                Some(schema) => assert_eq!(schema["const"], title, "{title}"),
                None => assert_eq!(title, document.name),
            }
        }
    }
}
