//! The JSON schema of a question says what the types accept.

use caravan_solver::Problem;

#[test]
fn the_schema_of_a_problem_is_as_strict_as_reading_one() {
    let schema = schemars::schema_for!(Problem).to_value();
    let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {schema:#}"));
    // Unknown fields are refused, and what may be left out has its default.
    for name in ["Setting", "Pin", "Request", "Root", "Flags", "LowerBounds"] {
        assert_eq!(at(&format!("/$defs/{name}/additionalProperties")), false, "{name}");
    }
    assert_eq!(at("/additionalProperties"), false);
    assert_eq!(at("/required").as_array().map(Vec::len), Some(1));
    assert_eq!(at("/$defs/Request/required/0"), "roots");
    assert_eq!(at("/$defs/Request/properties/prefer/default"), "newest");
    assert_eq!(at("/$defs/Setting/properties/dialect/default"), "opam");
    assert_eq!(at("/$defs/Flags/properties/with_test/default"), false);
    // What is written as text is a text.
    for name in ["Constraint", "PackageName", "Version"] {
        assert_eq!(at(&format!("/$defs/{name}/type")), "string", "{name}");
        assert!(at(&format!("/$defs/{name}/pattern")).is_string(), "{name}");
    }
    assert_eq!(at("/$defs/Platform/additionalProperties/type"), "string");
}
