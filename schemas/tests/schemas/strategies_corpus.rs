//! The strategies over a corpus: every supported keyword alone, and every two together.

use fincert_schemas::strategy::{Choices, Generator, Problem, Rule};
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

const ID: &str = "https://corpus.fincert.invalid/schema.json";

/// Each keyword with a value that leaves something open, so that two of them seldom exclude each other.
fn keywords() -> Vec<(&'static str, Value)> {
    let table = json!({
        "type": {"type": ["string", "integer", "array", "object"]},
        "type-one": {"type": "string"},
        "type-number": {"type": "number"},
        "enum": {"enum": ["ab", "abcd", 6, 12.5, [1, 2], {"a": 1}, null]},
        "const": {"const": {"a": "xy", "b": 6}},
        "minimum": {"minimum": -3.5},
        "maximum": {"maximum": 40},
        "exclusiveMinimum": {"exclusiveMinimum": 2},
        "exclusiveMaximum": {"exclusiveMaximum": 1e3},
        "multipleOf": {"multipleOf": 3},
        "multipleOf-decimal": {"multipleOf": 0.25},
        "minLength": {"minLength": 2},
        "maxLength": {"maxLength": 7},
        "pattern": {"pattern": "^[a-f]+[0-9]{0,3}$"},
        "pattern-open": {"pattern": "[0-9a-c]"},
        "format": {"format": "date"},
        "prefixItems": {"prefixItems": [{"type": "integer"}, {"type": "string"}]},
        "items": {"items": {"type": ["string", "integer"]}},
        "items-false": {"prefixItems": [true, true, true], "items": false},
        "contains": {"contains": {"const": 6}},
        "minContains": {"contains": {"type": "integer"}, "minContains": 2},
        "maxContains": {"contains": {"type": "string"}, "minContains": 0, "maxContains": 1},
        "minItems": {"minItems": 1},
        "maxItems": {"maxItems": 5},
        "uniqueItems": {"uniqueItems": true},
        "properties": {"properties": {"a": {"type": ["string", "integer"]}, "b": {"minimum": 5}}},
        "properties-false": {"properties": {"z": false}},
        "required": {"required": ["a"]},
        "additionalProperties": {"properties": {"a": true, "b": true}, "additionalProperties": false},
        "additionalProperties-schema": {"properties": {"a": true}, "additionalProperties": {"type": "integer"}},
        "patternProperties": {"patternProperties": {"^x": {"type": "boolean"}}},
        "propertyNames": {"propertyNames": {"maxLength": 3}},
        "minProperties": {"minProperties": 1},
        "maxProperties": {"maxProperties": 3},
        "dependentRequired": {"dependentRequired": {"a": ["b"]}},
        "dependentSchemas": {"dependentSchemas": {"b": {"required": ["a"]}}},
        "if-then-else": {"if": {"type": "string"}, "then": {"maxLength": 9}, "else": {"not": {"const": 7}}},
        "if-then": {"if": {"required": ["a"]}, "then": {"maxProperties": 2}},
        "allOf": {"allOf": [{"not": {"const": 1}}, {"maxLength": 30}]},
        "anyOf": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}, {"type": "object"}, {"type": "array"}]},
        "oneOf": {"oneOf": [{"type": "integer"}, {"minimum": 8}, {"type": "null"}]},
        "not": {"not": {"type": ["boolean", "null"]}},
        "not-deep": {"not": {"required": ["b"], "properties": {"b": {"const": 1}}}},
        "$ref": {"$ref": "#/$defs/r", "$defs": {"r": {"not": {"enum": [0, ""]}}}},
        "$dynamicRef": {"$dynamicRef": "#there", "$defs": {"t": {"$dynamicAnchor": "there", "minItems": 1}}},
        "$anchor": {"$ref": "#here", "$defs": {"h": {"$anchor": "here", "maxItems": 6}}},
        "recursion": {"type": ["object", "array", "integer"], "properties": {"a": {"$ref": "#"}}, "items": {"$ref": "#"}},
        "unevaluatedProperties": {"properties": {"a": true, "b": true}, "unevaluatedProperties": false},
        "unevaluatedProperties-schema": {"unevaluatedProperties": {"type": ["integer", "string"]}},
        "unevaluatedItems": {"prefixItems": [true, true], "unevaluatedItems": false},
        "annotations": {"title": "t", "description": "d", "default": 1, "examples": ["ab"], "deprecated": false, "x-note": 1}
    });
    let Value::Object(table) = table else { unreachable!() };
    table.into_iter().map(|(name, schema)| (Box::leak(name.into_boxed_str()) as &str, schema)).collect()
}

/// Both in one schema where no keyword stands twice, or else in two branches.
fn pair(a: &Value, b: &Value) -> Value {
    let (a, b) = (a.as_object().unwrap(), b.as_object().unwrap());
    let mut all: Map<String, Value> = Map::new();
    if a.keys().any(|key| b.contains_key(key)) {
        // A definition is looked for from the root, and so stands there.
        let defs: Map<String, Value> =
            [a, b].iter().filter_map(|s| s.get("$defs")?.as_object()).flat_map(Map::clone).collect();
        let bare = |schema: &Map<String, Value>| {
            schema.iter().filter(|(key, _)| *key != "$defs").map(|(k, v)| (k.clone(), v.clone())).collect::<Map<_, _>>()
        };
        all.insert("allOf".into(), json!([bare(a), bare(b)]));
        if !defs.is_empty() {
            all.insert("$defs".into(), defs.into());
        }
    } else {
        all.extend(a.iter().chain(b).map(|(key, value)| (key.clone(), value.clone())));
    }
    all.into()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

#[derive(Default, Debug)]
struct Count {
    valid: usize,
    rules: usize,
    alone: usize,
    invalid: usize,
    empty: usize,
    unbreakable: usize,
}

/// Everything that is promised of one schema.
fn look_at(name: &str, schema: &Value, seeds: u64, count: &mut Count) {
    let validator = validator(schema);
    let generator = match Generator::compile([(ID, schema)], ID) {
        Ok(generator) => generator,
        Err(error) => {
            assert!(matches!(error.problem, Problem::Contradiction(_)), "{name}: {error}");
            // Nothing that comes to mind satisfies it either.
            for value in probes() {
                assert!(!validator.is_valid(&value), "{name}: {error}, but {value}");
            }
            count.empty += 1;
            return;
        }
    };
    for seed in 0..seeds {
        let value = generator.valid(&mut Choices::from_seed(seed));
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name} {schema}: {value} {errors:?}");
        count.valid += 1;
    }
    count.unbreakable += generator.unbreakable().len();
    for rule in generator.rules() {
        count.rules += 1;
        count.alone += usize::from(rule.with.is_empty());
        for seed in 0..seeds.min(4) {
            let Some(invalid) = generator.invalid(rule, &mut Choices::from_seed(seed)) else { continue };
            count.invalid += 1;
            let mut mine = 0;
            for error in validator.iter_errors(&invalid.value) {
                let mut at = error.instance_path().to_string();
                if let ValidationErrorKind::Required { property } = error.kind() {
                    at += &format!("/{}", property.as_str().unwrap());
                }
                let id = error.evaluation_path().to_string();
                // A rule's id is the validator's path, and behind it what the keyword leaves open; what a name breaks
                // stands behind `propertyNames`, and of `contains` the keyword that counts is named.
                let of = |rule: &str| {
                    rule == id
                        || rule.starts_with(&format!("{id}/"))
                        || rule.ends_with("/propertyNames") && id.starts_with(&format!("{rule}/"))
                };
                let same = at == invalid.at && of(&rule.id);
                mine += usize::from(same);
                assert!(
                    same || rule.with.iter().any(|rule| of(rule)),
                    "{name} {schema}: {rule:?} {invalid:?} {id} {at}"
                );
            }
            assert!(mine > 0, "{name} {schema}: {rule:?} {invalid:?}");
        }
    }
}

/// Values of every shape that the keywords speak of.
fn probes() -> Vec<Value> {
    let leaves = [
        json!(null),
        json!(true),
        json!(0),
        json!(6),
        json!(9),
        json!(3),
        json!(12.5),
        json!("ab"),
        json!("abcd"),
        json!("a1"),
        json!(""),
        json!("2001-02-03"),
    ];
    let mut all = leaves.to_vec();
    for a in &leaves {
        all.extend([json!([a]), json!({"a": a}), json!({"b": a}), json!({"c": a})]);
        for b in &leaves {
            all.extend([
                json!([a, b]),
                json!([a, b, a]),
                json!({"a": a, "b": b}),
                json!({"a": a, "x": b}),
                json!({"a": a, "c": b}),
            ]);
        }
    }
    all.extend([json!([]), json!({}), json!({"a": "xy", "b": 6}), json!([6, "a", 6]), json!([6, "a", 6, 6])]);
    all
}

#[test]
fn every_keyword_alone() {
    let mut count = Count::default();
    for (name, schema) in keywords() {
        if let Ok(generator) = Generator::compile([(ID, &schema)], ID) {
            assert_eq!(generator.unbreakable(), Vec::<&Rule>::new(), "{name}");
        }
        let before = count.rules;
        look_at(name, &schema, 60, &mut count);
        assert!(count.rules > before || name == "annotations", "{name} has a rule that can be broken");
    }
    assert_eq!((count.empty, count.unbreakable), (0, 0), "{count:?}");
}

#[test]
fn every_standard_format_alone() {
    let mut count = Count::default();
    for format in [
        "date",
        "time",
        "date-time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "uri-template",
        "iri",
        "iri-reference",
        "uuid",
        "json-pointer",
        "relative-json-pointer",
        "regex",
    ] {
        let before = count.rules;
        look_at(format, &json!({"type": "string", "format": format}), 60, &mut count);
        // The type, and the format.
        assert_eq!(count.rules, before + 2, "{format}");
    }
    assert_eq!((count.empty, count.unbreakable), (0, 0), "{count:?}");
}

#[test]
fn every_two_keywords_together() {
    let all = keywords();
    let mut count = Count::default();
    for (index, (a, first)) in all.iter().enumerate() {
        for (b, second) in &all[index + 1..] {
            look_at(&format!("{a} with {b}"), &pair(first, second), 4, &mut count);
        }
    }
    assert!(count.empty < 20 && count.unbreakable < 120, "{count:?}");
    assert!(count.rules > 2400 && count.alone * 10 > count.rules * 9 && count.invalid > 10_000, "{count:?}");
}
