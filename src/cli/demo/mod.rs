//! `domicile demo`: two nodes, sample backends in three jurisdictions, requests of five apps; every row is judged by what the backends received.

mod apps;
mod backend;
mod client;
mod files;
mod issuer;
mod node;
mod people;
mod row;
mod stage;
mod table;

use super::{Exit, Format};
use files::Folder;
use node::Process;
use people::Person;
use row::Line;
use stage::Stage;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use table::{Table, say};

/// Regions of the demo.
const CN: &str = "cn-north";
const DE: &str = "eu-frankfurt";
const SG: &str = "sg-1";
/// Nodes of the demo, in the first two of them.
const CN_NODE: &str = "cn-1";
const DE_NODE: &str = "eu-1";

/// Status of a process that ends on a signal, by the custom of shells: 128 and SIGINT.
const INTERRUPTED: i32 = 130;

/// Shows on this machine what leaves, what stays and why.
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

/// What must go when the demo ends, however it ends: the nodes first, then a folder that is not to be kept.
struct Leavings {
    processes: Vec<Process>,
    #[allow(dead_code, reason = "held for its drop")]
    folder: Folder,
}

fn demonstrate(arguments: &Arguments, format: Format) -> Result<Exit, String> {
    let text = format == Format::Text;
    let leavings = Arc::new(Mutex::new(None));
    let stopped = on_signal(leavings.clone())?;
    let folder = Folder::new(arguments.dir.as_deref())?;
    let dir = folder.path().to_path_buf();
    *held(&leavings) = Some(Leavings { processes: Vec::new(), folder });
    if text {
        say("Two Domicile nodes, one in mainland China and one in Germany, in front of the APIs of five made-up apps with backends in");
        say("China (cn-north), Germany (eu-frankfurt) and Singapore (sg-1). Every backend keeps every byte; each row is judged by those bytes.\n");
    }
    let (mut stage, processes) = Stage::set(&dir, text.then(Table::new))?;
    if let Some(all) = held(&leavings).as_mut() {
        all.processes = processes;
    }
    if text {
        Table::new().head();
    }
    apps::play(&mut stage)?;
    let strays = stage.strays();
    let exit = if strays.is_empty() && stage.lines.iter().all(|line| line.held) { Exit::Good } else { Exit::Bad };
    let report = serde_json::to_string_pretty(&stage.lines).map_err(|e| format!("cannot write the report: {e}"))?;
    files::write(&dir.join("report.json"), &format!("{report}\n"), files::PUBLIC)?;
    if text {
        summary(&stage.lines, arguments);
    } else {
        say(&report);
    }
    strays.iter().for_each(|stray| eprintln!("{stray}"));
    if !arguments.exit {
        if text {
            suggestions(&stage)?;
        }
        let _ = stopped.recv(); // a closed channel ends the wait as well
    }
    drop(held(&leavings).take());
    Ok(exit)
}

fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for Ctrl-C or SIGTERM in a thread of its own. While somebody listens on the channel they are told; else the demo is cut short.
fn on_signal(leavings: Arc<Mutex<Option<Leavings>>>) -> Result<mpsc::Receiver<()>, String> {
    let (sender, receiver) = mpsc::sync_channel(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| format!("cannot wait for signals: {e}"))?;
    thread::spawn(move || {
        runtime.block_on(async {
            let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else { return };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        });
        if sender.try_send(()).is_err() {
            drop(held(&leavings).take());
            std::process::exit(INTERRUPTED);
        }
        // The one who was told takes its time to end the nodes.
        loop {
            thread::park();
        }
    });
    Ok(receiver)
}

fn summary(lines: &[Line], arguments: &Arguments) {
    let held = lines.iter().filter(|line| line.held).count();
    let verdict = if held == lines.len() { "all held" } else { "NOT ALL HELD" };
    say(&format!("\n{held} of {} rows held: {verdict}. No byte reached a backend outside of these rows unless said otherwise above.", lines.len()));
    match &arguments.dir {
        Some(dir) => {
            let dir = dir.display();
            say(&format!("Look next at {dir}/{CN_NODE}/domicile.yaml, {dir}/policies/ and {dir}/report.json, or: domicile ledger verify {dir}/{CN_NODE}/data/ledger"));
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
    let send = |at: std::net::SocketAddr, path: &str| say(&format!("  curl -i http://{at}{path} -H 'Authorization: {bearer}' -H 'Content-Type: application/json' -d '{body}'"));
    say("\nTry it. Data of a person in mainland China stays there:");
    send(china.front, "/shop/accounts");
    say("goes home from the node in Germany:");
    send(germany.front, "/shop/accounts");
    say("and is refused where it is sent to Germany without consent:");
    send(china.front, "/cloud/eu/accounts");
    say("The ledger has what was decided (the id is in the `Domicile-Decision` of an answer), the metrics have how often:");
    say(&format!("  curl -H 'Authorization: Bearer {}' http://{}/v1/decisions/ID", china.token, china.admin));
    say(&format!("  curl http://{}/metrics", china.admin));
    say("\nCtrl-C ends it.");
    Ok(())
}
