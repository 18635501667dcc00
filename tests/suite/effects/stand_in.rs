//! A small HTTP/1.1 server whose every answer a test decides, the broken ones included.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The fields of a form body.
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// What the server does about a request.
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// The pieces, then the connection is closed: with `complete` properly, otherwise in the middle of the body.
    Chunks {
        content_type: &'static str,
        pieces: Vec<String>,
        complete: bool,
    },
    /// Nothing, ever.
    Silence,
    /// The connection is closed without an answer.
    HangUp,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn body(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status: 200, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    pub fn json(value: &serde_json::Value) -> Self {
        Self::body("application/json", value.to_string())
    }

    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::Answer { status, headers: vec![("location", location.into())], body: Vec::new() }
    }

    pub fn with_status(mut self, new: u16) -> Self {
        if let Self::Answer { status, .. } = &mut self {
            *status = new;
        }
        self
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

/// Listens on a port of loopback until it is dropped.
pub struct StandIn {
    pub url: String,
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    listening: JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl StandIn {
    pub async fn start(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (log, handler): (_, Arc<Handler>) = (received.clone(), Arc::new(handler));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, handler.clone(), log.clone()));
            }
        });
        Self { url: format!("http://127.0.0.1:{port}"), port, received, listening }
    }

    /// Everything that arrived so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn last(&self) -> Received {
        self.received().pop().expect("nothing arrived")
    }
}

async fn serve(stream: TcpStream, handler: Arc<Handler>, log: Arc<Mutex<Vec<Received>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        log.lock().unwrap().push(request.clone());
        match handler(&request) {
            Reply::Answer { status, headers, body } => {
                let mut head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                head += "\r\n";
                let body = if request.method == "HEAD" { Vec::new() } else { body };
                if stream.write_all(&[head.into_bytes(), body].concat()).await.is_err() {
                    return;
                }
            }
            Reply::Chunks { content_type, pieces, complete } => {
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n");
                let mut text = head;
                for piece in pieces {
                    text += &format!("{:x}\r\n{piece}\r\n", piece.len());
                    if stream.write_all(std::mem::take(&mut text).as_bytes()).await.is_err() {
                        return;
                    }
                    stream.flush().await.unwrap();
                }
                if !complete {
                    return;
                }
                let _gone = stream.write_all(b"0\r\n\r\n").await;
            }
            Reply::Silence => std::future::pending().await,
            Reply::HangUp => return,
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|count| *count > 0)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut request = Received { method, target, headers, body: String::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}
