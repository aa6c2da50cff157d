//! The gateway against its peers under the same load in the same run: CPU of the proxy per request and requests per second.
//!
//! The proxy has core 0 for itself, the load (wrk) and the backend (nginx) share core 1, everything is on loopback with keep-alive. Every peer is
//! measured in every round, in turning order, and a ratio is always one of two figures of the same round. `make bench` says how to run it.

mod bare;
mod bodies;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Lengths of the posted bodies, in bytes.
const SIZES: [usize; 3] = [1 << 10, 4 << 10, 64 << 10];
/// Different bodies of each length.
const ROTATION: u64 = 64;
/// Length of the backend's answer, in bytes.
const ANSWER: usize = 512;
/// Rounds, and seconds of load on one peer with one size: with twelve of them in a round, some four minutes.
const ROUNDS: usize = 7;
const SECONDS: u64 = 2;
/// Seconds of load before anything counts: connections, caches, the allocator.
const WARM_UP_SECONDS: u64 = 1;
/// For a process to listen.
const START_DEADLINE: Duration = Duration::from_secs(20);

const SCREENED: &str = "screening on";
const UNSCREENED: &str = "screening off";
const BARE: &str = "bare pingora";
const NGINX: &str = "nginx";
const PEERS: [&str; 4] = [SCREENED, UNSCREENED, BARE, NGINX];
/// What is compared with what, and the most the median may be at each size: a proxy that reads every byte for about half of what bare pingora
/// takes to read none.
const RATIOS: [(&str, &str, Option<[f64; 3]>); 5] = [
    (SCREENED, NGINX, Some([1.4, 1.6, 3.0])),
    (SCREENED, BARE, Some([0.55, 0.55, 1.1])),
    (UNSCREENED, NGINX, Some([1.2, 1.35, 1.2])),
    (SCREENED, UNSCREENED, None),
    (BARE, NGINX, None),
];

/// One peer under load with one size for some seconds.
#[derive(Clone, Copy)]
struct Sample {
    /// Microseconds of CPU per request.
    cpu: f64,
    requests_per_second: f64,
    /// Milliseconds at the percentiles 50 and 99.
    latency: [f64; 2],
}

type Samples = BTreeMap<(&'static str, usize), Vec<Sample>>;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, listen, backend] = arguments.as_slice()
        && word == "bare"
    {
        bare::run(listen.parse().expect("an address"), backend.parse().expect("an address"));
    }
    if !arguments.iter().any(|a| a == "--bench") {
        return; // `cargo test --benches` needs no load
    }
    let bench = Bench::start();
    bench.check();
    let mut samples = Samples::new();
    for (index, peer) in PEERS.iter().enumerate() {
        bench.load(index, SIZES[0], WARM_UP_SECONDS);
        eprintln!("{peer}: warm");
    }
    for round in 0..ROUNDS {
        for size in SIZES {
            for turn in 0..PEERS.len() {
                let peer = (round + turn) % PEERS.len();
                samples.entry((PEERS[peer], size)).or_default().push(bench.load(peer, size, SECONDS));
            }
        }
        eprintln!("round {} of {ROUNDS}", round + 1);
    }
    print!("{}", report(&samples));
}

/// All processes; they end with it.
struct Bench {
    peers: Vec<Process>,
    folder: PathBuf,
    _backend: Process,
}

impl Bench {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        for size in SIZES {
            let lines: Vec<String> = (0..ROTATION).map(|seed| bodies::ordinary(size, seed)).collect();
            std::fs::write(folder.join(size.to_string()), lines.join("\n")).expect("a file of bodies");
        }
        let backend = nginx(&folder, "backend", 1, |listen| {
            let padding = ANSWER - ANSWER_OPENING.len() - 2;
            let answer = format!("{ANSWER_OPENING}{}\"}}", ".".repeat(padding));
            format!("server {{ listen {listen}; keepalive_requests 1000000000; location / {{ default_type application/json; return 200 '{answer}'; }} }}")
        });
        let to = backend.address;
        let screened = PathBuf::from(env!("CARGO_BIN_EXE_domicile"));
        let unscreened = screened.with_file_name("domicile-unscreened");
        assert!(unscreened.exists(), "`{}` is missing: `make bench` builds it", unscreened.display());
        let peers = vec![
            gateway(&folder, "screened", &screened, to),
            gateway(&folder, "unscreened", &unscreened, to),
            Process::start(0, &std::env::current_exe().expect("this program"), |listen| vec!["bare".into(), listen.to_string(), to.to_string()]),
            nginx(&folder, "proxy", 0, |listen| {
                format!(
                    "upstream backend {{ server {to}; keepalive 64; keepalive_requests 1000000000; }}\n\
                     server {{ listen {listen}; keepalive_requests 1000000000; client_body_buffer_size 128k;\n\
                     location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }}"
                )
            }),
        ];
        Bench { peers, folder, _backend: backend }
    }

    /// That screening is on where it should be and off where it should be: a body whose names repeat is refused by whoever reads it.
    fn check(&self) {
        for (peer, process) in PEERS.iter().zip(&self.peers) {
            let expected = if *peer == SCREENED { 400 } else { 200 };
            let found = post(process.address, "{\"a\":1,\"a\":2}");
            assert_eq!(found, expected, "the status of {peer} for a body that reads two ways");
            assert_eq!(post(process.address, &bodies::ordinary(SIZES[0], 0)), 200, "the status of {peer} for an ordinary body");
        }
    }

    fn load(&self, peer: usize, size: usize, seconds: u64) -> Sample {
        let process = &self.peers[peer];
        let before = process.cpu();
        let output = Command::new("taskset")
            .args(["-c", "1", "wrk", "-t1", "-c32", "--timeout", "5s", "-d", &format!("{seconds}s"), "-s"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load.lua"))
            .arg(format!("http://{}/v1/orders", process.address))
            .arg("--")
            .arg(self.folder.join(size.to_string()))
            .output()
            .expect("taskset and wrk");
        let spent = process.cpu() - before;
        let text = String::from_utf8_lossy(&output.stdout);
        let result: Vec<f64> = text.lines().find_map(|l| l.strip_prefix("RESULT ")).unwrap_or_default().split(' ').filter_map(|n| n.parse().ok()).collect();
        let [requests, micros, errors, p50, p99] = result[..] else { panic!("wrk printed no result: {text} {}", String::from_utf8_lossy(&output.stderr)) };
        assert!(errors == 0.0 && requests > 0.0, "{}: {errors} of {requests} requests failed: {text}", PEERS[peer]);
        Sample { cpu: spent.as_secs_f64() * 1e6 / requests, requests_per_second: requests * 1e6 / micros, latency: [p50 / 1e3, p99 / 1e3] }
    }
}

/// The answer begins like a shop's; the rest is padding.
const ANSWER_OPENING: &str = "{\"orderId\":\"A-20418\",\"status\":\"accepted\",\"customer\":{\"userId\":\"u00418\",\"mobile\":\"13800138000\"},\
    \"items\":[{\"sku\":\"A-1\",\"quantity\":1},{\"sku\":\"A-2\",\"quantity\":4}],\"total\":120.50,\"currency\":\"CNY\",\"note\":\"";

/// A process on one core that listens on a port of its own.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(core: usize, program: &Path, arguments: impl FnOnce(SocketAddr) -> Vec<String>) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string()]).arg(program).args(arguments(address)).stdout(Stdio::null());
        let child = command.spawn().expect("taskset");
        let process = Process { child, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < START_DEADLINE, "`{}` does not listen", program.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        process
    }

    /// CPU time of the process and its children, user and system.
    fn cpu(&self) -> Duration {
        let root = self.child.id().to_string();
        let ticks: u64 = std::fs::read_dir("/proc")
            .expect("Linux")
            .flatten()
            .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok().map(|stat| (entry.file_name(), stat)))
            .filter_map(|(pid, stat)| {
                // Fields after the name, which is in parentheses: proc_pid_stat(5), of which the parent is 4, utime 14 and stime 15.
                let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
                let mine = pid.to_str() == Some(&root) || fields.get(1) == Some(&root.as_str());
                mine.then(|| fields.get(11..13)?.iter().map(|n| n.parse::<u64>().ok()).sum::<Option<u64>>())?
            })
            .sum();
        Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }
}

impl Drop for Process {
    /// Asks nicely: a master takes its workers with it.
    fn drop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        std::thread::sleep(Duration::from_millis(100));
        if asked.is_err() || !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill(); // the gateway drains for as long as it is configured to
        }
        let _ = self.child.wait();
    }
}

fn gateway(folder: &Path, name: &str, program: &Path, backend: SocketAddr) -> Process {
    let root = folder.join(name);
    std::fs::create_dir_all(&root).expect("a folder");
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let config = root.join("domicile.yaml");
    Process::start(0, program, |listen| {
        let text = format!(
            "node: {{id: bench, region: cn-north, loopback_as: node}}\nlisten: [{{http: \"{listen}\"}}]\npolicies: {}\n\
             regions: {{cn-north: {{jurisdiction: CN}}, eu-frankfurt: {{jurisdiction: DE}}}}\n\
             apis: [{{id: orders, match: {{path: /v1/}}, policy: shopping-app, purpose: order_delivery, speaks_of: caller, backends: {{cn-north: [\"http://{backend}\"]}}}}]\n",
            policies.display()
        );
        std::fs::write(&config, text).expect("a file");
        ["run", "--quiet", "--config"].map(String::from).into_iter().chain([config.display().to_string()]).collect()
    })
}

/// An nginx with one worker and no access log, around `http`.
fn nginx(folder: &Path, name: &str, core: usize, http: impl FnOnce(SocketAddr) -> String) -> Process {
    let root = folder.join(name);
    std::fs::create_dir_all(&root).expect("a folder");
    Process::start(core, Path::new("nginx"), |listen| {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {kind};")).concat();
        let text = format!(
            "daemon off; worker_processes 1; pid nginx.pid; error_log error.log;\nevents {{ worker_connections 1024; }}\nhttp {{ access_log off; {temporary}\n{}\n}}\n",
            http(listen)
        );
        let file = root.join("nginx.conf");
        std::fs::write(&file, text).expect("a file");
        vec!["-p".into(), root.display().to_string(), "-c".into(), file.display().to_string(), "-e".into(), root.join("error.log").display().to_string()]
    })
}

/// The status of one request.
fn post(to: SocketAddr, body: &str) -> u16 {
    use std::io::{Read, Write};
    let mut stream = TcpStream::connect(to).expect("a connection");
    let head =
        format!("POST /v1/orders HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).expect("a request");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// Ratios first: they outlive the machine.
fn report(samples: &Samples) -> String {
    let mut text = String::from("CPU per request as a multiple, median [min-max] of the rounds\n");
    let head = SIZES.map(|size| format!("{:>32}", format!("{} KiB", size >> 10))).concat();
    let _ = writeln!(text, "{:30}{head}", "");
    for (one, other, goals) in RATIOS {
        let cells = SIZES.iter().enumerate().map(|(column, size)| {
            let of = |peer| samples.get(&(peer, *size)).into_iter().flatten();
            let (median, range) = spread(of(one).zip(of(other)).map(|(a, b)| a.cpu / b.cpu), 2);
            let goal = goals.and_then(|g| g.get(column).copied()).map(|goal| format!(" {} {goal}", if median <= goal { "<=" } else { "MISSES" }));
            format!("{:>32}", format!("{range}{}", goal.unwrap_or_default()))
        });
        let _ = writeln!(text, "{:30}{}", format!("{one} / {other}"), cells.collect::<String>());
    }
    /// What a table shows, how it is read off a sample, and its decimals.
    type Column = (&'static str, fn(&Sample) -> f64, usize);
    let columns: [Column; 4] = [
        ("CPU per request, microseconds", |s| s.cpu, 1),
        ("requests per second, thousands", |s| s.requests_per_second / 1e3, 1),
        ("p50 latency, ms, saturated", |s| s.latency[0], 2),
        ("p99 latency, ms, saturated", |s| s.latency[1], 2),
    ];
    for (title, value, digits) in columns {
        let _ = writeln!(text, "\n{title}");
        for peer in PEERS {
            let cells = SIZES.iter().map(|size| format!("{:>32}", spread(samples.get(&(peer, *size)).into_iter().flatten().map(value), digits).1));
            let _ = writeln!(text, "{peer:30}{}", cells.collect::<String>());
        }
    }
    text
}

/// The median, and `median [min-max]`.
fn spread(values: impl Iterator<Item = f64>, digits: usize) -> (f64, String) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let [Some(least), Some(median), Some(most)] = [values.first(), values.get(values.len() / 2), values.last()].map(Option::<&f64>::copied) else {
        return (f64::NAN, String::from("-"));
    };
    (median, format!("{median:.digits$} [{least:.digits$}-{most:.digits$}]"))
}
