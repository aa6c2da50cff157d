//! `domicile demo`: two nodes, sample backends in three jurisdictions, requests of five apps; every row is judged by what the backends received.

mod apps;
mod backend;
mod client;
mod ending;
mod files;
mod issuer;
mod node;
mod people;
mod row;
mod stage;
mod table;

use super::{Exit, Format};
use ending::Ending;
use files::Folder;
use people::Person;
use row::Line;
use stage::Stage;
use std::path::PathBuf;
use table::{Table, say};

/// Regions of the demo.
const CN: &str = "cn-north";
const DE: &str = "eu-frankfurt";
const SG: &str = "sg-1";
/// Nodes of the demo, in the first two of them.
const CN_NODE: &str = "cn-1";
const DE_NODE: &str = "eu-1";

/// Show on this machine what leaves, what stays and why
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// End when all rows are done: 0 if all held, 1 if not. Otherwise the nodes stay up to be tried.
    #[arg(long)]
    exit: bool,
    /// Keep everything in this folder, which must be empty: configuration, registries, ledgers, report.json.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> Exit {
    match demonstrate(arguments, format) {
        Ok(exit) => exit,
        Err(why) => {
            eprintln!("{why}");
            Exit::Bad
        }
    }
}

fn demonstrate(arguments: &Arguments, format: Format) -> Result<Exit, String> {
    let text = format == Format::Text;
    let folder = Folder::new(arguments.dir.as_deref())?;
    let dir = folder.path().to_path_buf();
    let ending = Ending::of(folder)?;
    if text {
        say("Two Domicile nodes, one in mainland China and one in Germany, in front of the APIs of five made-up apps with backends in");
        say("China (cn-north), Germany (eu-frankfurt) and Singapore (sg-1). Every backend keeps every byte; each row is judged by those bytes.");
        say("People are made up; `‹name›` stands where a backend received a value in clear.");
        say("");
    }
    let mut stage = Stage::set(&dir, text.then(Table::new), &ending)?;
    if text {
        Table::new().head();
    }
    apps::play(&mut stage)?;
    let strays = stage.strays();
    let exit = if strays.is_empty() && stage.lines.iter().all(|line| line.held) { Exit::Good } else { Exit::Bad };
    let report = serde_json::to_string_pretty(&stage.lines).map_err(|e| format!("cannot write the report: {e}"))?;
    files::write(&dir.join("report.json"), &format!("{report}\n"), files::PUBLIC)?;
    if text {
        summary(&stage.lines, &strays, arguments);
    } else {
        say(&report);
    }
    if !arguments.exit {
        if text {
            suggestions(&stage)?;
        }
        ending.wait();
    }
    Ok(exit)
}

fn summary(lines: &[Line], strays: &[String], arguments: &Arguments) {
    let held = lines.iter().filter(|line| line.held).count();
    let beside = if strays.is_empty() { "no byte reached a backend outside of these rows".to_owned() } else { strays.join(", ") };
    say(&format!("\n{held} of {} rows held; {beside}.", lines.len()));
    match &arguments.dir {
        Some(dir) => {
            let dir = dir.display();
            say(&format!(
                "Look next at {dir}/{CN_NODE}/domicile.yaml, {dir}/policies/ and {dir}/report.json, or: domicile ledger verify {dir}/{CN_NODE}/data/ledger"
            ));
        }
        None => say("Run it with `--dir D` to keep configurations, policies, registries and ledgers, and without `--exit` to send requests of your own."),
    }
}

/// Requests to try by hand, with tokens that hold for a day.
fn suggestions(stage: &Stage) -> Result<(), String> {
    let (china, germany) = (stage.node(CN_NODE), stage.node(DE_NODE));
    let person = Person::mainland();
    let bearer = stage.bearer(&person, &[])?;
    let body = person.registration();
    let send = |at: std::net::SocketAddr, path: &str| {
        say(&format!("  curl -i http://{at}{path} -H 'Authorization: {bearer}' -H 'Content-Type: application/json' -d '{body}'"))
    };
    say("\nTry it. Data of a person in mainland China stays there:");
    send(china.front, "/shop/accounts");
    say("goes home from the node in Germany:");
    send(germany.front, "/shop/accounts");
    say("and is refused where it is sent to Germany without consent:");
    send(china.front, "/cloud/eu/accounts");
    say("The ledger has what was decided (ids stand in `Domicile-Decision` of every answer), the metrics have how often:");
    let recorded = stage.lines.iter().rfind(|line| line.node == china.id && line.action == "forward_home");
    let id = recorded.map(|line| line.decision_id.as_str()).unwrap_or_default();
    say(&format!("  curl -H 'Authorization: Bearer {}' http://{}/v1/decisions/{id}", china.token, china.admin));
    say(&format!("  curl http://{}/metrics", china.admin));
    say("\nCtrl-C ends it.");
    Ok(())
}
