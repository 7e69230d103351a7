//! A host that repositories are fetched from: files of a folder, redirections, silence.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A host of this machine that git can fetch from.
pub(crate) struct Web {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicBool>,
}

impl Web {
    /// Serves a folder. `/hang/…` is never answered, `/later/…` is the folder once it is opened, `/to/…` leads to where a
    /// function of the rest says.
    pub(crate) fn new(folder: &Path, leads: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, open) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (folder, leads) = (folder.to_owned(), Arc::new(leads));
        let served = (Arc::clone(&asked), Arc::clone(&open));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, leads, (asked, open)) = (folder.clone(), Arc::clone(&leads), served.clone());
                std::thread::spawn(move || {
                    let path = asked_for(&stream);
                    asked.lock().unwrap().push(path.clone());
                    answer(&stream, &folder, &path, &*leads, &open);
                });
            }
        });
        Self { port, asked, open }
    }

    /// A folder that leads nowhere.
    pub(crate) fn plain(folder: &Path) -> Self {
        Self::new(folder, |_| String::new())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// What was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Answers `/later/…` from now on.
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

fn asked_for(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let _ = lines.take_while(|line| !line.is_empty()).count();
    first.split(' ').nth(1).unwrap_or_default().to_owned()
}

fn answer(mut stream: &TcpStream, folder: &Path, path: &str, leads: &dyn Fn(&str) -> String, open: &AtomicBool) {
    let (path, query) = path.split_once('?').map_or((path, String::new()), |(path, query)| (path, format!("?{query}")));
    if path.starts_with("/hang/") {
        std::thread::sleep(Duration::from_secs(100));
        return;
    }
    if let Some(rest) = path.strip_prefix("/to/") {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {}{query}\r\n", leads(rest));
        let _ = stream.write_all(format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").as_bytes());
        return;
    }
    let path = match path.strip_prefix("/later/") {
        Some(rest) => {
            while !open.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            rest
        }
        None => path.trim_start_matches('/'),
    };
    let (status, body) = match fs_err::read(folder.join(path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", vec![]),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// A bare copy of a repository in a folder, as hosts without git serve it.
pub(crate) fn publish(repository: &caravan_tests::git::Repository, folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    repository.git(&["clone", "--quiet", "--bare", ".", &path.display().to_string()]);
    repository.git(&["--git-dir", &path.display().to_string(), "update-server-info"]);
    path
}
