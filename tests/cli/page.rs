//! The page of a health check, in a browser: Chromium without a window, spoken to in its DevTools protocol.

use crate::caravan::{Place, examples};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

/// A browser with one page.
struct Browser {
    process: Child,
    socket: WebSocket<MaybeTlsStream<std::net::TcpStream>>,
    session: String,
    last: u64,
    /// What the page complained of, and what it fetched.
    complaints: Vec<String>,
    fetched: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    /// Opens a file; `None`, with a word, where there is no Chromium.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn open(file: &Path) -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let there =
            |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
        let Some(chromium) = names.iter().find(there) else {
            eprintln!("skipped: no Chromium to show the page in");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new(chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,900"])
            .args(["--remote-debugging-port=0", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address =
            lines.find_map(|line| line.unwrap().strip_prefix("DevTools listening on ").map(str::to_owned)).unwrap();
        // Whatever else it says is not waited for, but has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        let (socket, _) = tungstenite::connect(address).unwrap();
        let (complaints, fetched) = (vec![], vec![]);
        let mut browser =
            Self { process, socket, session: String::new(), last: 0, complaints, fetched, _profile: profile };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Runtime.enable", "Log.enable", "Network.enable", "Page.enable"] {
            browser.call(domain, json!({}));
        }
        browser.call("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        browser.wait("document.readyState === 'complete'");
        Some(browser)
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let answer: Value = serde_json::from_str(&text).unwrap();
            match answer["method"].as_str() {
                Some("Runtime.exceptionThrown") => self.complaints.push(answer["params"].to_string()),
                Some("Log.entryAdded") => self.complaints.push(answer["params"]["entry"].to_string()),
                Some("Network.requestWillBeSent") => {
                    self.fetched.push(answer["params"]["request"]["url"].as_str().unwrap().to_owned());
                }
                _ => {}
            }
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        let result = self.call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Until something is true; whoever never gets there hangs no longer than half a minute.
    fn wait(&mut self, condition: &str) {
        for _ in 0..600 {
            if self.evaluate(condition) == json!(true) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let body = self.evaluate("document.body.innerText.slice(0, 2000)");
        panic!("never: {condition}\n{body}");
    }

    fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            // Closing a dialog is done by code.
            let code = match key {
                "Escape" => 27,
                "Enter" => 13,
                _ => 0,
            };
            let mut event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
            if key == "Enter" && kind == "keyDown" {
                event["text"] = "\r".into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Clicks in the middle of the first element that a selector finds.
    fn click(&mut self, selector: &str) {
        let place = self.evaluate(&format!(
            "(() => {{ const box = document.querySelector({selector:?}).getBoundingClientRect(); \
             return [box.x + Math.min(box.width / 2, 40), box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    fn screenshot(&mut self, file: &Path) {
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"}));
        fs_err::write(file, base64(picture["data"].as_str().unwrap())).unwrap();
    }
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> =
        text.bytes().filter_map(|b| DIGITS.iter().position(|digit| *digit == b)).map(|digit| digit as u32).collect();
    let group = |group: &[u32]| {
        let bits = group.iter().enumerate().fold(0, |bits, (place, digit)| bits | digit << (18 - 6 * place));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

/// The page of a command.
fn page(place: &Place, arguments: &[&str]) -> std::path::PathBuf {
    let output = place.command(arguments).output().unwrap();
    assert!(!output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = place.path("page.html");
    fs_err::write(&file, output.stdout).unwrap();
    file
}

const COUNT: &str = "document.getElementById('count').textContent";

#[test]
fn a_filter_works_and_a_cell_opens() {
    let place = Place::new();
    let repository = examples();
    let file = page(&place, &["--repo", &repository, "health", "--platform", "compilers", "--format", "html"]);
    let Some(mut browser) = Browser::open(&file) else { return };
    let all = browser.evaluate(COUNT);
    assert!(all.as_str().unwrap().starts_with("39 of 39"), "{all}");
    // By keyboard: the filter, then the table.
    browser.press("/");
    browser.write("mint-t");
    browser.wait(&format!("{COUNT} === '1 of 39 packages'"));
    assert_eq!(browser.evaluate("location.hash"), "#name=mint-t");
    browser.click("#body [data-place='0'][data-column='0']");
    browser.wait("document.getElementById('dialog').open");
    let shown = browser.evaluate("document.getElementById('dialog').innerText");
    let shown = shown.as_str().unwrap();
    assert!(shown.contains("mint-tls.0.9 on debian-13-4.14") && shown.contains("requires ocaml >= 5.0"), "{shown}");
    browser.press("Escape");
    browser.wait("!document.getElementById('dialog').open");
    // The cell has the focus again, and arrows move it.
    browser.press("ArrowRight");
    browser.wait("document.activeElement.dataset.column === '1'");
    browser.press("Enter");
    browser.wait("document.getElementById('dialog').open");
    let shown = browser.evaluate("document.getElementById('dialog').innerText");
    let shown = shown.as_str().unwrap();
    assert!(shown.contains("mint-tls.0.9 on debian-13-5.3") && shown.contains("mint-rng.0.9"), "{shown}");
    // The comparison that the cell links to.
    browser.evaluate("document.querySelector('#dialog a').click()");
    browser.wait("document.getElementById('dialog-title').textContent.includes(' against ')");
    browser.press("Escape");
    browser.wait("!document.getElementById('dialog').open");
    // A closed dialog takes its part of the address away, a moment later.
    browser.wait("!location.hash.includes('compare')");
    // States, and sorting.
    browser.evaluate("location.hash = '#state=platform&platform=debian-13-5.4'");
    browser.wait(&format!("{COUNT} === '3 of 39 packages'"));
    browser.evaluate("location.hash = '#differs=1'");
    browser.wait(&format!("!{COUNT}.startsWith('39')"));
    browser.evaluate("location.hash = '#sort=debian-13-5.4:down'");
    browser.wait("document.querySelector('#body [data-column=\"2\"]').className !== 'good'");
    assert_eq!(browser.complaints, Vec::<String>::new());
    assert!(browser.fetched.iter().all(|url| url.starts_with("file:")), "{:?}", browser.fetched);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs CARAVAN_SHARED")]
fn thousands_of_packages_on_eight_platforms() {
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let place = Place::new();
    fs_err::write(place.path("opam-repository"), "").unwrap();
    let repository = repository.display().to_string();
    let platforms = "4.11,4.12,4.13,4.14,5.1,5.2,5.3,5.4";
    let file = page(&place, &["--repo", &repository, "health", "--platform", platforms, "--format", "html"]);
    let Some(mut browser) = Browser::open(&file) else { return };
    assert_eq!(browser.evaluate("rows.length"), 4596);
    // However many there are, only what can be seen is drawn.
    assert!(browser.evaluate("document.querySelectorAll('#body .row').length").as_u64().unwrap() < 80);
    browser.press("/");
    browser.write("irmin");
    browser.wait(&format!("{COUNT} === '24 of 4596 packages'"));
    browser.evaluate("location.hash = ''");
    browser.wait(&format!("{COUNT}.startsWith('4596')"));
    browser.evaluate("document.getElementById('grid').focus()");
    browser.press("End");
    browser.wait("document.querySelector('#body .row:last-child').textContent.includes('zxcvbn')");
    // Every cell has something to show.
    let empty =
        "rows.every(([, cells]) => cells.every(cell => typeof cell !== 'string' || selection(cell).length > 0))";
    assert_eq!(browser.evaluate(empty), true);
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// Makes the picture of the documentation again:
/// `CARAVAN_SCREENSHOT=docs/health.png cargo test -p caravan-cli --release page -- --ignored`
#[test]
#[ignore = "makes a picture, where CARAVAN_SCREENSHOT says"]
fn a_picture_for_the_documentation() {
    let picture = std::env::var_os("CARAVAN_SCREENSHOT").unwrap();
    let repository = caravan_tests::shared_repository("opam-repository.bundle");
    let place = Place::new();
    // The page names the repository as it was named.
    let file = place.path("here");
    std::os::unix::fs::symlink(repository, file.join("opam-repository")).unwrap();
    let file = page(&place, &["--repo", "opam-repository", "health", "--compare", "5.4", "5.5", "--format", "html"]);
    let Some(mut browser) = Browser::open(&file) else { return };
    browser.evaluate("document.querySelector('details').open = true; location.hash = '#differs=1'");
    browser.wait(&format!("!{COUNT}.startsWith('4596')"));
    std::thread::sleep(std::time::Duration::from_millis(500));
    browser.screenshot(&crate::caravan::workspace().join(Path::new(&picture)));
}
