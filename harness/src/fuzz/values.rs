//! TEMPORARY
use fincert_schemas::catalog::Catalog;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Map, Value, json};

#[derive(Debug)]
pub(super) struct Values {
    rows: Vec<String>,
    required: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Broken {
    pub(super) value: Value,
    pub(super) rule: String,
    pub(super) at: String,
}

impl Values {
    pub(super) fn of(catalog: &Catalog, api: &str) -> Result<Self, String> {
        let rows =
            catalog.rows(&format!("api/{api}.request.json")).map(|r| r.keys().cloned().collect()).unwrap_or_default();
        let document = catalog.document(&format!("api/{api}.request.json"));
        let names = document.and_then(|document| document.get("required")?.as_array());
        let required = names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Self { rows, required })
    }
    pub(super) fn valid(&self, seed: u64) -> Map<String, Value> {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut all: Map<String, Value> = self
            .rows
            .iter()
            .map(|r| {
                let n = random.random_range(1..12);
                (
                    r.clone(),
                    Value::from((0..n).map(|_| char::from(b'a' + random.random_range(0..26u8))).collect::<String>()),
                )
            })
            .collect();
        if random.random_ratio(1, 3) {
            all.insert("extra".into(), json!([1]));
        }
        if all.contains_key("videoPort") {
            all.insert("videoPort".into(), "8906".into());
        }
        all
    }
    pub(super) fn invalid(&self, number: usize, seed: u64) -> Option<Broken> {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let row = self.rows.get(number % self.rows.len().max(1))?;
        let mut rows = self.valid(random.next_u64());
        let at = format!("/{row}");
        if self.required.contains(row) && random.random_ratio(1, 4) {
            rows.shift_remove(row);
            return Some(Broken { value: Value::Object(rows), rule: format!("/required/{row}"), at });
        }
        if random.random_ratio(1, 3) {
            rows.insert(row.clone(), "".into());
            return Some(Broken { value: Value::Object(rows), rule: format!("/properties/{row}/minLength"), at });
        }
        if row == "type" && random.random_ratio(1, 2) {
            rows.insert(row.clone(), "xyz".into());
            return Some(Broken { value: Value::Object(rows), rule: format!("/properties/{row}/enum"), at });
        }
        rows.insert(row.clone(), json!({"a": 1}));
        Some(Broken { value: Value::Object(rows), rule: format!("/properties/{row}/type"), at })
    }
}
