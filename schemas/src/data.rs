//! Reading data files: YAML or JSON to a type, with the file and the JSON pointer in every error.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What is wrong with a data file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {}{message}", if pointer.is_empty() { String::new() } else { format!("at {pointer}: ") })]
pub struct DataError {
    /// The file, as it was named.
    pub file: String,
    /// JSON pointer into the file's value; empty for the whole file.
    pub pointer: String,
    /// What is wrong; the rule and what stands there.
    pub message: String,
}

impl DataError {
    /// An error about a place in a file.
    pub fn new(file: &str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), pointer: pointer.into(), message: message.into() }
    }
}

/// Reads YAML (JSON is YAML) as `T`, and says by pointer what does not fit `T`'s schema.
pub fn read<T: DeserializeOwned + JsonSchema>(file: &str, text: &str) -> Result<T, DataError> {
    from_value(file, yaml(file, text)?)
}

/// The same for a value that was read already.
pub fn from_value<T: DeserializeOwned + JsonSchema>(file: &str, value: Value) -> Result<T, DataError> {
    check(file, T::schema_id().into_owned(), schema_of::<T>, &value)?;
    serde_json::from_value(value).map_err(|error| DataError::new(file, "", error.to_string()))
}

// What follows is not generic: else parser and validator were compiled once more in every crate that reads a file.

fn yaml(file: &str, text: &str) -> Result<Value, DataError> {
    serde_saphyr::from_str(text).map_err(|error| DataError::new(file, "", error.to_string()))
}

fn check(file: &str, id: String, schema: fn() -> Value, value: &Value) -> Result<(), DataError> {
    let validator = validator_of(id, schema).map_err(|message| DataError::new(file, "", message))?;
    match validator.iter_errors(value).next() {
        Some(error) => Err(DataError::new(file, error.instance_path().to_string(), error.to_string())),
        None => Ok(()),
    }
}

/// What a JSON Schema has against a value, each with its pointer; formats are asserted.
///
/// # Errors
/// What is wrong with the schema.
pub fn objections(schema: &Value, value: &Value) -> Result<Vec<String>, String> {
    let validator =
        jsonschema::options().should_validate_formats(true).build(schema).map_err(|error| error.to_string())?;
    Ok(validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect())
}

/// The validator of a type's schema, compiled once.
fn validator_of(id: String, schema: fn() -> Value) -> Result<Arc<Validator>, String> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = compiled.get(&id) {
        return Ok(Arc::clone(validator));
    }
    let validator =
        jsonschema::options().build(&schema()).map_err(|error| format!("the type's own schema is broken: {error}"))?;
    let validator = Arc::new(validator);
    compiled.insert(id, Arc::clone(&validator));
    Ok(validator)
}

/// The JSON Schema of a type.
pub fn schema_of<T: JsonSchema>() -> Value {
    schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}
