//! Both sides of a border: the shopping app's policy, backends in mainland China, Germany and Singapore, a node on either side.

use crate::support::{Answer, Jwt, Node, NodeBuilder, Sink};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The account that is on record with every consent and contract the policy asks of `statistics`.
pub const ON_RECORD: &str = "u-on-record";

/// A seed policy as it will be once it is in force: its notice period is over.
pub fn in_force(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let dated = |line: &str| if line.starts_with("effective:") { "effective: 2026-01-01T00:00:00Z".to_owned() } else { line.to_owned() };
    text.lines().map(dated).collect::<Vec<_>>().join("\n")
}

/// Backends, and an issuer of tokens that all nodes believe.
pub struct Border {
    pub cn: Sink,
    pub de: Sink,
    pub sg: Sink,
    pub jwt: Jwt,
}

impl Border {
    pub fn new() -> Self {
        Border { cn: Sink::start("CN"), de: Sink::start("DE"), sg: Sink::start("SG"), jwt: Jwt::new() }
    }

    /// A node in this region, with a key of its own if it needs one, and the APIs of the stage:
    ///
    /// | API | under | speaks of | backends |
    /// |---|---|---|---|
    /// | `accounts` | `/v1/` | the caller | at home: in CN and DE |
    /// | `people` | `/people/` | several people | in CN and DE |
    /// | `abroad` | `/abroad/` | the caller | pinned to DE, else refused |
    /// | `statistics` | `/statistics/` | the caller | a processor in SG |
    /// | `directory` | `/directory/` | anybody | in CN only |
    pub fn node(&self, region: &str, jurisdiction: &str) -> NodeBuilder {
        let (cn, de, sg) = (self.cn.url(), self.de.url(), self.sg.url());
        let api = |id: &str, path: &str, more: &str| format!("{{id: {id}, match: {{path: {path}}}, policy: shopping-app, {more}}}");
        [("cn-north", "CN"), ("eu-frankfurt", "DE"), ("sg-1", "SG")]
            .into_iter()
            .filter(|(name, _)| *name != region)
            .fold(Node::at(region, jurisdiction), |node, (name, jurisdiction)| node.region_at(name, jurisdiction, &format!("https://{name}.shop.example")))
            .policy(&in_force("shopping-app.yaml"))
            .identity(&self.jwt)
            .api(&api(
                "accounts",
                "/v1/",
                &format!("purpose: account_registration, speaks_of: caller, backends: {{eu-frankfurt: [\"{de}\"], cn-north: [\"{cn}\"]}}"),
            ))
            .api(&api(
                "people",
                "/people/",
                &format!("purpose: account_registration, records: \"/people/*\", backends: {{eu-frankfurt: [\"{de}\"], cn-north: [\"{cn}\"]}}"),
            ))
            .api(&api(
                "abroad",
                "/abroad/",
                &format!("purpose: account_registration, speaks_of: caller, region: eu-frankfurt, otherwise: refuse, backends: {{eu-frankfurt: [\"{de}\"]}}"),
            ))
            .api(&api(
                "statistics",
                "/statistics/",
                &format!("purpose: usage_statistics, speaks_of: caller, recipient: statistics-sg, backends: {{sg-1: [\"{sg}\"]}}"),
            ))
            .api(&api("directory", "/directory/", &format!("purpose: account_registration, backends: {{cn-north: [\"{cn}\"]}}")))
    }

    /// `Authorization` of a user from mainland China.
    pub fn mainland(&self) -> String {
        self.jwt.bearer(ON_RECORD, "CN")
    }
}

/// Every leaf that a canary's values belong to, and the account.
const STATISTICS: [&str; 9] =
    ["account_id", "birth_date_age", "email_address", "message_content", "national_id_number", "payment_card", "person_name", "phone_number", "postal_address"];

/// A consent of the person on record to the processor of statistics, whole in every element.
pub fn consent(id: &str) -> Value {
    json!({"id": id, "subject": {"namespace": "account", "id": ON_RECORD}, "class": "separate",
        "recipient": {"id": "statistics-sg", "name": "Example Statistics Pte. Ltd.", "contact": "privacy@statistics.example"},
        "purposes": ["usage_statistics"], "categories": STATISTICS, "destinations": ["SG"], "method": "API", "rights_procedure": "web form",
        "withdrawal_method": "in the app", "necessity": digest(), "notice": {"digest": digest()}, "presented_separately": true,
        "given_at": "2026-01-05T00:00:00Z"})
}

fn digest() -> String {
    format!("sha256:{}", "0".repeat(64))
}

/// Puts on record the person, their consent, the filed contract and the assessment.
pub fn put_on_record(node: &Node) {
    let done = |what: &str, answer: Answer| assert!(matches!(answer.status, 200 | 201), "{what}: {} {}", answer.status, answer.text());
    let home = json!({"namespace": "account", "id": ON_RECORD, "home": "cn-north", "jurisdictions": ["CN"], "age_band": "adult"});
    done("home", node.admin("PUT", "/v1/subjects/home", Some(home)));
    done("consent", node.admin("POST", "/v1/consents", Some(consent("c-stat"))));
    let contract = json!({"id": "sc-8", "type": "cn_standard_contract", "recipient": "statistics-sg", "purposes": ["usage_statistics"],
        "categories": STATISTICS, "from": ["CN"], "destinations": ["SG"], "status": "in_force", "effective_at": "2026-01-01T00:00:00Z", "filing_number": "example-8"});
    done("contract", node.admin("POST", "/v1/instruments", Some(contract)));
    let assessment = json!({"id": "pipia-4", "type": "pipia", "recipient": "statistics-sg", "purposes": ["usage_statistics"], "categories": STATISTICS,
        "destinations": ["SG"], "date": "2025-12-01T00:00:00Z", "result": "positive"});
    done("assessment", node.admin("POST", "/v1/assessments", Some(assessment)));
}

/// The program built with its screening off. `DOMICILE_UNSCREENED` names it; without that it is built beside the one under test.
pub fn unscreened() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(path) = std::env::var_os("DOMICILE_UNSCREENED") {
            return path.into();
        }
        let folder = Path::new(env!("CARGO_BIN_EXE_domicile")).parent().unwrap();
        let build = ["build", "--quiet", "--locked", "--offline", "--features", "unscreened", "--bin", "domicile-unscreened", "--target-dir"];
        let built = Command::new(env!("CARGO")).args(build).arg(folder.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(built.success(), "the program without screening cannot be built");
        folder.parent().unwrap().join("debug/domicile-unscreened")
    })
}
