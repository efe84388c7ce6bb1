//! Transcripts of which parts are missing, come twice, or are cut: no check panics, whatever is left.

use std::sync::LazyLock;

use fincert_schemas::run::flow::{Act, FlowOptions, Network};
use fincert_schemas::run::{Event, What};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::play::{Play, fincert_offers, target_offers};
use crate::tape::Tape;

/// Calls with every act.
static TAPES: LazyLock<Vec<Tape>> = LazyLock::new(|| {
    let relay = FlowOptions { network: Network::Relay, ..FlowOptions::default() };
    vec![
        target_offers().act(Act::Media).act(Act::TargetRestartsIce).act(Act::TargetStopsTracks).tape,
        fincert_offers().act(Act::Media).act(Act::FincertRestartsIce).act(Act::TargetCloses).tape,
        target_offers().act(Act::TenRenegotiations).act(Act::FincertVanishes).tape,
        Play::up(relay).act(Act::FincertAddsVideo).act(Act::TargetAddsVideo).act(Act::FincertCloses).tape,
    ]
});

/// What is done to one event.
#[derive(Debug, Clone)]
enum Damage {
    Drop,
    Double,
    Swap,
    /// Its value becomes this.
    Value(Value),
    /// Its texts end here.
    Cut(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let value = prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({"candidate": 7})),
        Just(json!({"type": "offer", "sdp": "m=audio\r\nm=\r\na=group:BUNDLE"})),
        any::<String>().prop_map(Value::from),
    ];
    prop_oneof![
        Just(Damage::Drop),
        Just(Damage::Double),
        Just(Damage::Swap),
        value.prop_map(Damage::Value),
        (0usize..400).prop_map(Damage::Cut),
    ]
}

fn cut(value: &mut Value, at: usize) {
    match value {
        Value::String(text) => *text = text.chars().take(at).collect(),
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, at)),
        Value::Object(object) => object.values_mut().for_each(|item| cut(item, at)),
        _ => {}
    }
}

fn harm(events: &mut Vec<Event>, index: usize, damage: Damage) {
    let captured = |what: &mut What, change: &dyn Fn(&mut Value)| match what {
        What::Answer { value: Some(captured), .. }
        | What::Read { value: Some(captured), .. }
        | What::Call { request: captured, .. }
        | What::Emitted { value: captured, .. } => change(&mut captured.value),
        What::Peer { did: fincert_schemas::run::flow::PeerDid::Description { sdp, .. }, .. } => {
            let mut value = Value::from(sdp.as_str());
            change(&mut value);
            *sdp = value.as_str().unwrap_or_default().to_owned();
        }
        _ => {}
    };
    match damage {
        Damage::Drop => drop(events.remove(index)),
        Damage::Double => events.insert(index, events[index].clone()),
        Damage::Swap => {
            let other = (index * 7 + 3) % events.len();
            events.swap(index, other);
        }
        Damage::Value(value) => captured(&mut events[index].what, &|slot| *slot = value.clone()),
        Damage::Cut(at) => captured(&mut events[index].what, &|slot| cut(slot, at)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_a_check_panic(
        tape in 0usize..4,
        damages in proptest::collection::vec((any::<prop::sample::Index>(), damage()), 1..12),
    ) {
        let mut tape = TAPES[tape].clone();
        for (index, damage) in damages {
            // The first event tells what flow it is.
            let index = 1 + index.index(tape.events.len() - 1);
            harm(&mut tape.events, index, damage);
        }
        let _ = tape.findings();
    }
}
