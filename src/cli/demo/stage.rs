//! The stage: backends, nodes and the issuer of tokens; sends the rows, one after the other, and judges each.

use super::backend::Backend;
use super::client::{self, Request};
use super::ending::Ending;
use super::files;
use super::issuer::Issuer;
use super::node::Node;
use super::people::Person;
use super::row::{self, Expect, Line, Row, Seen, redacted};
use super::table::Table;
use super::{CN, CN_NODE, DE, DE_NODE, SG};
use crate::screen::{self, Message};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Everything that takes part.
pub(super) struct Stage {
    pub(super) nodes: [Node; 2],
    pub(super) issuer: Issuer,
    pub(super) lines: Vec<Line>,
    backends: [Backend; 3],
    /// Bytes that the rows account for, per backend.
    accounted: [usize; 3],
    /// What each received in the latest row.
    latest: BTreeMap<&'static str, Vec<u8>>,
    table: Option<Table>,
}

/// How a row failed to run at all.
pub(super) type Broken = String;

impl Stage {
    /// Writes the folder and starts backends and nodes; `ending` minds the processes.
    pub(super) fn set(dir: &Path, table: Option<Table>, ending: &Ending) -> Result<Stage, Broken> {
        let backend = |region| Backend::start(region).map_err(|e| format!("cannot start a backend: {e}"));
        let backends = [backend(CN)?, backend(DE)?, backend(SG)?];
        let issuer = Issuer::new();
        files::write_shared(dir, &issuer.jwks()?)?;
        let start = |id: &'static str, region: &str| {
            let folder = dir.join(id);
            let token = files::write_node(&folder, id, region, &backends)?;
            Node::start(id, &folder, token, ending)
        };
        let nodes = [start(CN_NODE, CN)?, start(DE_NODE, DE)?];
        Ok(Stage { nodes, issuer, lines: Vec::new(), backends, accounted: [0; 3], latest: BTreeMap::new(), table })
    }

    /// The node of this name.
    pub(super) fn node(&self, id: &str) -> &Node {
        let [first, second] = &self.nodes;
        if first.id == id { first } else { second }
    }

    /// The value of `Authorization` for a person, with more claims if need be.
    pub(super) fn bearer(&self, person: &Person, more: &[(&str, &str)]) -> Result<String, Broken> {
        let claims = [&[("sub", person.account.as_str()), ("country", person.jurisdiction), ("age", "adult")], more].concat();
        Ok(format!("Bearer {}", self.issuer.token(&claims)?))
    }

    /// What the backend of a region received in the latest row.
    pub(super) fn latest(&self, region: &str) -> String {
        String::from_utf8_lossy(self.latest.get(region).map(Vec::as_slice).unwrap_or_default()).into_owned()
    }

    /// Sends a row and judges it.
    pub(super) fn play(&mut self, row: Row) -> Result<(), Broken> {
        if let Some((status, body)) = &row.answer {
            self.backends.iter().for_each(|backend| backend.will_answer(*status, body.clone()));
        }
        let node = self.node(row.node);
        let door = if row.from_address.is_some() { node.behind_proxy } else { node.front };
        let answer = client::send(door, row.from_address, &row.request)?;
        let decision_id = answer.header("domicile-decision").unwrap_or_default().to_owned();
        let log = node.logged(&decision_id).unwrap_or_default();
        self.backends.iter().for_each(Backend::forget_answers);

        let mut received = Vec::new();
        for (backend, accounted) in self.backends.iter().zip(&mut self.accounted) {
            let bytes = backend.since(*accounted);
            *accounted += bytes.len();
            received.push((backend.region, bytes));
        }
        let decided = Decided::of(&log, row.expect.about_answer);
        let seen = Seen { status: answer.status, backends: received.into_iter().collect(), answer: answer.text(), rules: decided.rules.clone() };
        let failures = seen.judge(&row.expect);
        let mut rules = decided.rules;
        rules.sort_by_key(|rule| rule != row.expect.rule); // the one that the row is about comes first
        let line = Line {
            number: self.lines.len() + 1,
            app: row.app,
            request: row.title,
            sent: format!("{} {}", row.request.method, row.request.path),
            node: row.node,
            categories: categories(&row),
            from: row.way.0,
            to: row.way.1.to_owned(),
            verdict: decided.verdict,
            action: decided.action,
            rules,
            status: answer.status,
            received: seen.backends.iter().filter(|(_, bytes)| !bytes.is_empty()).map(|(region, bytes)| (*region, row::received(bytes, &row.people))).collect(),
            read: row.expect.about_answer.then(|| redacted(&answer.body, &row.people)),
            decision_id,
            held: failures.is_empty(),
            failures,
        };
        if let Some(table) = &self.table {
            if self.lines.last().is_none_or(|before| before.app != line.app) {
                table.app(line.app);
            }
            table.line(&line);
        }
        self.lines.push(line);
        self.latest = seen.backends;
        Ok(())
    }

    /// Bytes that reached a backend without a row that accounts for them: there must be none.
    pub(super) fn strays(&self) -> Vec<String> {
        let stray = |(backend, accounted): (&Backend, usize)| {
            let more = backend.mark().saturating_sub(accounted);
            (more > 0).then(|| format!("{more} bytes reached {} outside of every row", backend.region))
        };
        self.backends.iter().zip(self.accounted).filter_map(stray).collect()
    }
}

/// What the access log says was decided.
struct Decided {
    verdict: String,
    action: String,
    rules: Vec<String>,
}

impl Decided {
    fn of(log: &Value, about_answer: bool) -> Decided {
        let direction = if about_answer { "response" } else { "request" };
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let refused = text(log, "refused");
        let decisions = log.get("decisions").and_then(Value::as_array);
        let found = decisions.and_then(|all| all.iter().find(|decision| text(decision, "direction") == direction));
        let mut rules: Vec<String> = found
            .and_then(|d| d.get("rules"))
            .and_then(Value::as_array)
            .map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        match found {
            Some(decision) => {
                // The gateway may refuse what the policy allows: a backend that is down, a body nobody can read.
                if !refused.is_empty() && refused != text(decision, "outcome") && !rules.contains(&refused) {
                    rules.push(refused);
                }
                Decided { verdict: text(decision, "outcome"), action: text(decision, "action"), rules }
            }
            None => Decided { verdict: "refused".to_owned(), action: "refuse".to_owned(), rules: vec![refused] },
        }
    }
}

/// What the gateway's own inspection finds in the message that is decided on.
fn categories(row: &Row) -> Vec<String> {
    let json = HeaderValue::from_static("application/json");
    let message = match &row.answer {
        Some((status, body)) if row.expect.about_answer => Message {
            line: screen::Line::Response { status: StatusCode::from_u16(*status).unwrap_or_default() },
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, json)]),
            body: Bytes::from(body.clone()),
            streams: false,
        },
        _ => {
            let kind = row.request.header("content-type").and_then(|v| HeaderValue::from_str(v).ok());
            let (path, query) = row.request.path.split_once('?').map_or((row.request.path.as_str(), None), |(path, query)| (path, Some(query.to_owned())));
            Message {
                line: screen::Line::Request { method: Method::from_bytes(row.request.method.as_bytes()).unwrap_or_default(), path: path.to_owned(), query },
                headers: HeaderMap::from_iter(kind.map(|kind| (header::CONTENT_TYPE, kind))),
                body: Bytes::from(row.request.body.clone()),
                streams: false,
            }
        }
    };
    let inspected = screen::inspect(&message, &screen::Reading::default());
    let found: BTreeSet<_> = inspected.findings.iter().map(|f| f.category).collect();
    found.iter().map(ToString::to_string).chain(inspected.opaque.iter().map(|reason| format!("unreadable ({reason})"))).collect()
}

/// A consent to one recipient as a registry keeps it, with everything the law wants a person to be told.
pub(super) fn consent(id: &str, person: &Person, class: &str, recipient: (&str, &str), purpose: &str, categories: &[&str]) -> Value {
    let text = format!("sha256:{}", "5e".repeat(32));
    json!({
        "id": id, "subject": {"namespace": "account", "id": person.account}, "class": class,
        "recipient": {"id": recipient.0, "name": recipient.1, "contact": "privacy@recipient.example"},
        "purposes": [purpose], "categories": categories, "destinations": ["SG"], "method": "API",
        "notice": {"digest": text, "version": "3", "language": "zh-CN"}, "rights_procedure": "web form", "withdrawal_method": "in the app",
        "necessity": text, "presented_separately": true, "given_at": days_ago(30),
    })
}

/// An instrument in force, such as a standard contract.
pub(super) fn instrument(id: &str, kind: &str, recipient: &str, purpose: &str, categories: &[&str], from: &str, to: &str) -> Value {
    json!({"id": id, "type": kind, "recipient": recipient, "purposes": [purpose], "categories": categories, "from": [from], "destinations": [to],
           "status": "in_force", "effective_at": days_ago(90)})
}

/// Standard contractual clauses of the EU in this module, from Germany to Singapore.
pub(super) fn clauses(id: &str, module: u8, recipient: &str, purpose: &str, categories: &[&str]) -> Value {
    json!({"id": id, "type": "eu_scc", "module": module, "recipient": recipient, "purposes": [purpose], "categories": categories, "from": ["DE"], "destinations": ["SG"],
           "status": "in_force", "effective_at": days_ago(90)})
}

/// An assessment of a transfer.
pub(super) fn assessment(id: &str, kind: &str, recipient: &str, purpose: &str, categories: &[&str], to: &str, result: &str) -> Value {
    json!({"id": id, "type": kind, "recipient": recipient, "purposes": [purpose], "categories": categories, "destinations": [to], "date": days_ago(60), "result": result})
}

fn days_ago(days: i64) -> String {
    const HOURS: i64 = 24;
    (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(days * HOURS)).to_string()
}

/// A row of an app that posts JSON about one person, who is signed in. What differs is changed by the caller.
pub(super) fn post(stage: &Stage, app: &'static str, title: &'static str, path: &str, person: &Person, body: &Value, way: &'static str) -> Result<Row, Broken> {
    let request = Request::new("POST", path).json(body).with("authorization", stage.bearer(person, &[])?);
    let node = if person.jurisdiction == "CN" { CN_NODE } else { DE_NODE };
    Ok(Row {
        app,
        title,
        node,
        request,
        from_address: None,
        people: vec![person.clone()],
        answer: None,
        way: (person.jurisdiction.to_owned(), way),
        expect: Expect::nobody(200, ""),
    })
}
