//! The committed schemas of fincert's own messages are those of the types.

use std::path::Path;

use fincert_schemas::generated;
use serde_json::Value;

/// `FINCERT_WRITE_SCHEMAS=1 cargo nextest run -p fincert-schemas` writes them anew.
#[test]
fn committed_schemas_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let write = std::env::var_os("FINCERT_WRITE_SCHEMAS").is_some();
    for (path, schema) in generated::files().unwrap() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let file = root.join(&path);
        if write {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == text,
            "schemas/{path} is stale: run FINCERT_WRITE_SCHEMAS=1 cargo nextest run -p fincert-schemas"
        );
    }
}

#[test]
fn every_reference_of_the_openrpc_document_leads_somewhere() {
    let files = generated::files().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("bridge");
    let (_, document) = files.iter().find(|(path, _)| path.ends_with("openrpc.json")).unwrap();
    let mut references = Vec::new();
    collect(document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let (file, pointer) = reference.split_once('#').unwrap_or((&reference, ""));
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{reference}: {error}"));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn the_openapi_document_refers_to_itself_alone_and_its_examples_hold() {
    let document = fincert_schemas::openapi::document().unwrap();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 30);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leaves the document"));
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let catalog = fincert_schemas::catalog::Catalog::embedded().unwrap();
    let mut held = 0;
    for (api, _) in fincert_schemas::catalog::APIS {
        let post = &document["paths"][format!("/ft/{api}")]["post"];
        for (media, table) in [
            (&post["requestBody"]["content"], catalog.request(api).unwrap()),
            (&post["responses"]["200"]["content"], catalog.result(api).unwrap()),
        ] {
            for example in media["application/json"]["examples"].as_object().unwrap().values() {
                assert_eq!(catalog.check(table, &example["value"]), [], "{api}: {example}");
                held += 1;
            }
        }
    }
    assert!(held >= 12, "{held}");
}

fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            out.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|inner| collect(inner, out));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, out)),
        _ => {}
    }
}
