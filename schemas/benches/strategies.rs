//! How fast the strategies are, on one core: `cargo bench -p fincert-schemas --bench strategies`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use fincert_schemas::catalog::{APIS, Catalog};
use fincert_schemas::strategy::{Choices, Generator, Shrinker};
use serde_json::Value;

const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// How many a second.
fn rate(mut one: impl FnMut(u64)) -> f64 {
    let start = Instant::now();
    let mut done = 0u64;
    while start.elapsed() < LONG_ENOUGH {
        for _ in 0..100 {
            one(done);
            done += 1;
        }
    }
    done as f64 / start.elapsed().as_secs_f64()
}

fn main() {
    let catalog = Catalog::embedded().unwrap();
    let start = Instant::now();
    Generator::of(catalog, "api/finCardOcr.result.json").unwrap();
    println!("compile finCardOcr.result: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);

    for (api, _) in APIS {
        for table in ["request", "result"] {
            let path = format!("api/{api}.{table}.json");
            let generator = Generator::embedded(&path).unwrap();
            // A new seed for every instance, as a fuzzer takes them.
            let valid = rate(|seed| drop(black_box(generator.valid(&mut Choices::from_seed(seed)))));
            // One seed for all, as a mock host under load takes them.
            let mut choices = Choices::from_seed(7);
            let stream = rate(|_| {
                choices.forget();
                drop(black_box(generator.valid(&mut choices)));
            });
            println!("{path}: {valid:.0} valid instances a second, {stream:.0} of one seed");
        }
    }

    let path = "api/finCardOcr.result.json";
    let generator = Generator::embedded(path).unwrap();
    let table = catalog.table(path).unwrap();
    let sample: Vec<Value> = (0..50_000).map(|seed| generator.valid(&mut Choices::from_seed(seed))).collect();
    let bytes: usize = sample.iter().map(|value| value.to_string().len()).sum();
    let wrong = sample.iter().filter(|value| !catalog.check(table, value).is_empty()).count();
    println!("{path}: {wrong} of {} not valid, {} bytes each", sample.len(), bytes / sample.len());

    let start = Instant::now();
    let rules = generator.rules();
    println!("{path}: {} rules, compiled in {:.0} ms", rules.len(), start.elapsed().as_secs_f64() * 1e3);
    let (mut made, mut exact, mut alone, mut none) = (0u32, 0u32, 0u32, 0u32);
    let start = Instant::now();
    let mut spent = Duration::ZERO;
    for round in 0..400 {
        for rule in rules {
            let before = Instant::now();
            let invalid = generator.invalid(rule, &mut Choices::from_seed(round));
            spent += before.elapsed();
            let Some(invalid) = invalid else {
                none += 1;
                continue;
            };
            made += 1;
            let breaches = catalog.check(table, &invalid.value);
            let mine = |breach: &fincert_schemas::catalog::Breach| breach.at == invalid.at && breach.rule == rule.name;
            exact += u32::from(breaches.iter().any(mine));
            alone += u32::from(breaches.len() == 1);
        }
    }
    println!(
        "{path}: {made} invalid instances, {exact} by the named rule, {alone} by it alone, {none} not found, {:.0} a second ({:.1} s in all)",
        f64::from(made) / spent.as_secs_f64(),
        start.elapsed().as_secs_f64()
    );

    let mut steps = 0;
    let start = Instant::now();
    for seed in 0..200 {
        let mut choices = Choices::from_seed(seed);
        generator.valid(&mut choices);
        let mut shrinker = Shrinker::new(&choices);
        while let Some(mut candidate) = shrinker.next_candidate() {
            let value = generator.valid(&mut candidate);
            shrinker.accept(value["errorCode"] == 0);
        }
        steps += shrinker.steps();
    }
    println!("shrinking: {} steps and {:.2} ms a case", steps / 200, start.elapsed().as_secs_f64() * 1e3 / 200.0);
}
