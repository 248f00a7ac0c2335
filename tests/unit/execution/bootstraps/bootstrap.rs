// A runtime in Rust on the standard library alone: takes events, answers {"language": "Rust", "event": …}.
use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;

fn exchange(api: &str, head: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(api).expect("the address");
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_string(), body.to_string())
}

fn main() {
    let api = env::var("AWS_LAMBDA_RUNTIME_API").expect("AWS_LAMBDA_RUNTIME_API");
    loop {
        let (head, event) = exchange(&api, "GET /2018-06-01/runtime/invocation/next", "");
        let id = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("lambda-runtime-aws-request-id"))
            .map(|(_, value)| value.to_string())
            .expect("a request id");
        let reply = format!("{{\"language\": \"Rust\", \"event\": {event}}}");
        let (head, _) = exchange(&api, &format!("POST /2018-06-01/runtime/invocation/{id}/response"), &reply);
        assert!(head.contains(" 202 "), "{head}");
    }
}
