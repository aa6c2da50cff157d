//! CPU of each pure step: per body for ordinary traffic, per byte for hostile shapes, which must not cost more per byte when they are longer.
//! Then the ledger. `cargo bench --bench steps` measures; without `--bench` (`cargo test --bench steps`) everything runs once on small bodies.

mod bodies;
mod ledger;
mod shapes;

use bytes::Bytes;
use domicile::config::Config;
use domicile::deidentify::Keys;
use domicile::detect;
use domicile::model::decision::RecordPlan;
use domicile::model::{Action, Decision, Direction, Facts, SubjectRef, Technique};
use domicile::origin::Caller;
use domicile::payload::{self, Part};
use domicile::policy;
use domicile::screen::{self, Inspected, Line, Message, OnRecord, Reading, Situation, Workshop};
use domicile::snapshot::{Fixed, Snapshot};
use http::{HeaderMap, HeaderValue, Method, header};
use rustix::time::{ClockId, clock_gettime};
use shapes::{HOSTILE, Shape};
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// A shape may cost this much more per byte on a body 16 times as long. A quadratic step would cost 16 times as much and one of n^1.5 four
/// times; what the nodes and names of 1 MiB cost more than those of 64 KiB is that they do not fit the cache.
const RATIO_MAX: f64 = 2.0;
/// The same for a run that only tries everything out, on a busy machine, without optimisation.
const RATIO_MAX_TRIED_OUT: f64 = 8.0;
/// Different ordinary bodies in rotation: one body again and again would train the branch predictor.
const ROTATION: u64 = 64;
/// Bars of `detect` with reading, in microseconds: what a first prototype needed on the machine the goals were set on.
const BARS: [(usize, Option<f64>); 3] = [(1 << 10, Some(1.0)), (4 << 10, Some(3.2)), (64 << 10, None)];
const STEPS: [&str; 5] = ["read", "detect", "inspect", "decide", "apply"];

/// How thoroughly to measure.
struct Effort {
    /// Length of the hostile bodies; the longer is 16 times the shorter.
    sizes: [usize; 2],
    /// CPU time of a block of calls, in nanoseconds.
    block: f64,
    /// The best of so many blocks counts: whatever else the machine does only adds.
    blocks: usize,
    ratio_max: f64,
}

fn main() -> ExitCode {
    let measuring = std::env::args().any(|a| a == "--bench") && !std::env::args().any(|a| a == "--quick");
    let effort = match measuring {
        true => Effort { sizes: [64 << 10, 1 << 20], block: 3e6, blocks: 5, ratio_max: RATIO_MAX },
        false => Effort { sizes: [4 << 10, 64 << 10], block: 0.0, blocks: 3, ratio_max: RATIO_MAX_TRIED_OUT },
    };
    let bench = Bench::new();
    ordinary_bodies(&bench, &effort);
    let worse = hostile_shapes(&bench, &effort);
    ledger::throughput(if measuring { 20_000 } else { 640 });
    if worse == 0 {
        return ExitCode::SUCCESS;
    }
    println!("\n{worse} steps are WORSE THAN LINEAR");
    ExitCode::FAILURE
}

/// CPU time of this thread, in nanoseconds.
fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

/// CPU nanoseconds of one call.
fn measure<T>(effort: &Effort, mut call: impl FnMut() -> T) -> f64 {
    let mut calls = 1;
    let mut block = |calls: u32| {
        let began = cpu();
        for _ in 0..calls {
            black_box(call());
        }
        cpu() - began
    };
    while block(calls) < effort.block {
        calls *= 2;
    }
    (0..effort.blocks).map(|_| block(calls)).fold(f64::INFINITY, f64::min) / f64::from(calls)
}

/// The whole gateway but its sockets: a node in mainland China with the shop's policy.
struct Bench {
    snapshot: Snapshot,
    keys: Keys,
    caller: Caller,
}

impl Bench {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = "node: {id: bench, region: cn-north}\nlisten: [{http: \"127.0.0.1:0\"}]\nregions: {cn-north: {jurisdiction: CN}, eu-frankfurt: {jurisdiction: DE}}\n\
             apis: [{id: orders, match: {path: /v1/}, policy: shopping-app, purpose: order_delivery, backends: {cn-north: [\"http://127.0.0.1:1\"]}}]\n";
        let config = Config::parse(text, &root.join("domicile.yaml")).expect("the configuration is right");
        let sources = config.sources().expect("the sources are built in");
        let fixed = Fixed { config: Arc::new(config), sources: Arc::new(sources), keys: Arc::new(Keys::default()) };
        let policy = std::fs::read_to_string(root.join("policies/shopping-app.yaml")).expect("the policy is there");
        let (snapshot, _) = Snapshot::compile(&fixed, &[("shopping-app.yaml".into(), policy)]).expect("the policy is right");
        let jurisdiction = "CN".parse().expect("a jurisdiction");
        let keys = Keys::default().with("bench", jurisdiction, &[7; 32]).expect("a key");
        Bench { snapshot, keys, caller: Caller::nobody() }
    }

    fn message(&self, content_type: &'static str, body: &str) -> Message {
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (header::ACCEPT, HeaderValue::from_static("application/json")),
            (header::HOST, HeaderValue::from_static("shop.example")),
        ]);
        let line = Line::Request { method: Method::POST, path: "/v1/orders".into(), query: None };
        Message { line, headers, body: Bytes::copy_from_slice(body.as_bytes()), streams: false }
    }

    /// Steps 6 and 7 as the gateway takes them, with nothing on record.
    fn facts(&self, inspected: &Inspected) -> Facts {
        let api = self.api();
        let terms = self.snapshot.terms(api).expect("terms of the API");
        let situation = Situation {
            direction: Direction::Request,
            node: &self.snapshot.node,
            api: &api.id,
            purpose: &api.purpose,
            recipient: None,
            caller: &self.caller,
            speaks_of_caller: false,
            trusted_subject: false,
            people_of: &terms.people_of,
            addressed: None,
            backend: None,
        };
        let people = screen::people(inspected, &situation);
        let rows = vec![None; people.named.len()];
        let on_record = OnRecord { rows: Some(&rows), bases: Default::default(), unavailable: Default::default() };
        screen::facts(inspected, &people, on_record, &situation, "2026-12-01T00:00:00Z".parse().expect("a time"))
    }

    fn api(&self) -> &domicile::config::Api {
        self.snapshot.config.apis.first().expect("one API")
    }

    fn decide(&self, facts: &Facts) -> Decision {
        policy::decide(facts, &self.snapshot.setting(self.api(), facts.now).expect("a policy in force"))
    }

    /// Each step on each of these bodies in turn: CPU nanoseconds per body, in the order of [`STEPS`]. `edited`: apply masks every field it can.
    fn steps(&self, effort: &Effort, content_type: &'static str, reading: &Reading, bodies: &[String], edited: bool) -> [f64; 5] {
        let messages: Vec<Message> = bodies.iter().map(|body| self.message(content_type, body)).collect();
        let documents: Vec<_> =
            bodies.iter().map(|b| payload::read(Some(content_type), b.as_bytes(), &reading.limits).map(|(_, d)| d).unwrap_or_default()).collect();
        let inspected: Vec<Inspected> = messages.iter().map(|m| screen::inspect(m, reading)).collect();
        let facts: Vec<Facts> = inspected.iter().map(|i| self.facts(i)).collect();
        let decisions: Vec<Decision> = facts.iter().map(|f| if edited { masking(self.decide(f), f) } else { self.decide(f) }).collect();
        let subjects: Vec<Vec<Option<SubjectRef>>> = facts.iter().map(|f| vec![None; f.records.len()]).collect();
        let mut next = (0..bodies.len()).cycle();
        let mut turn = || next.next().unwrap_or_default();
        [
            measure(effort, || payload::read(Some(content_type), bodies[turn()].as_bytes(), &reading.limits).is_ok()),
            measure(effort, || detect::scan(&documents[turn()], &Part::Body)),
            measure(effort, || screen::inspect(&messages[turn()], reading)),
            measure(effort, || self.decide(&facts[turn()])),
            measure(effort, || {
                let i = turn();
                let workshop =
                    Workshop { reading, tenant: "shop-co", api: &self.api().id, keys: &self.keys, subjects: &subjects[i], reader: None, goes_home: false };
                screen::apply(messages[i].clone(), &inspected[i], decisions[i].clone(), &workshop)
            }),
        ]
    }
}

/// The same decision, but every field goes masked: the most work `apply` can have.
fn masking(decision: Decision, facts: &Facts) -> Decision {
    let masked = |record: &domicile::model::RecordFacts| RecordPlan::Fields { techniques: record.categories.keys().map(|c| (*c, Technique::Mask)).collect() };
    let plan = facts.records.iter().map(masked).enumerate().collect();
    Decision { action: Action::ForwardEdited, plan, ..decision }
}

/// Per body, for traffic as it is; `apply` with nothing to edit, and beside it with every field masked.
fn ordinary_bodies(bench: &Bench, effort: &Effort) {
    println!("ordinary bodies, {ROTATION} different ones in rotation: CPU microseconds per body");
    println!("{:>8}{}{:>10}{:>15}  read + detect", "", STEPS.map(|s| format!("{s:>10}")).concat(), "edit all", "a bare parse");
    for (bytes, bar) in BARS {
        let bodies: Vec<String> = (0..ROTATION).map(|seed| bodies::ordinary(bytes, seed)).collect();
        assert!(bodies.iter().all(|b| b.len() == bytes), "an ordinary body has exactly the length asked for");
        let reading = Reading::default();
        let inspected = screen::inspect(&bench.message("application/json", &bodies[0]), &reading);
        assert!(inspected.opaque.is_empty() && inspected.findings.len() >= 8, "the personal values of an ordinary body are found");
        let ns = bench.steps(effort, "application/json", &reading, &bodies, false);
        let [_, _, _, _, edit] = bench.steps(effort, "application/json", &reading, &bodies, true);
        let mut next = bodies.iter().cycle();
        let parse = measure(effort, || next.next().map(|b| serde_json::from_str::<serde::de::IgnoredAny>(b).is_ok()));
        let found = (ns[0] + ns[1]) / 1e3;
        let goal = bar.map(|bar| format!(", bar {bar}")).unwrap_or_default();
        let [us, other] = [ns.map(|n| format!("{:>10.2}", n / 1e3)).concat(), format!("{:>10.2}{:>15.2}", edit / 1e3, parse / 1e3)];
        println!("{:>8}{us}{other}  {found:.2} = {:.1} x a bare parse (serde_json, nothing kept){goal}", size(bytes), found * 1e3 / parse);
    }
}

/// Per byte, short and long. Returns how many steps cost more per byte on the long body than they may.
fn hostile_shapes(bench: &Bench, effort: &Effort) -> usize {
    let [short, long] = effort.sizes;
    println!("\nhostile shapes: CPU nanoseconds per byte at {} -> {} and their ratio, which may be {}", size(short), size(long), effort.ratio_max);
    println!("{:32}{}", "", STEPS.map(|s| format!("{s:>24}")).concat());
    let mut worse = 0;
    for shape in HOSTILE {
        let per_byte = effort.sizes.map(|bytes| {
            let body = shape.body(bytes);
            let length = body.len() as f64;
            bench.steps(effort, shape.content_type, &reading(shape), &[body], true).map(|ns| ns / length)
        });
        let [short, long] = per_byte;
        let cells = short.iter().zip(long).map(|(short, long)| {
            let linear = long / short <= effort.ratio_max;
            worse += usize::from(!linear);
            format!("{:>24}", format!("{short:.2} -> {long:.2} {:.1}{}", long / short, if linear { " OK" } else { " WORSE THAN LINEAR" }))
        });
        println!("{:32}{}", shape.name, cells.collect::<String>());
    }
    worse
}

fn reading(shape: &Shape) -> Reading {
    Reading { records: shape.records.map(|r| r.parse().expect("a selector")), ..Reading::default() }
}

/// `64 KiB`, `1 MiB`.
fn size(bytes: usize) -> String {
    if bytes >> 20 > 0 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}
