//! A DNS server of a few lines for scenarios: UDP and TCP on one port of 127.0.0.1, answers from a function.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, rdata};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

/// How a question came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Udp,
    Tcp,
}

/// What the server does with a question: the datagrams (or the one framed message) to send, as octets.
type Script = dyn Fn(&Message, By) -> Vec<Vec<u8>> + Send + Sync;

pub struct ScriptedDns {
    pub address: SocketAddr,
    questions: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<()>,
}

impl ScriptedDns {
    /// Answers as `script` says.
    pub async fn raw(script: impl Fn(&Message, By) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(script)).await
    }

    /// Answers with the message that `script` fills in; none is silence.
    pub async fn new(script: impl Fn(&Message, Message, By) -> Option<Message> + Send + Sync + 'static) -> Self {
        Self::raw(move |asked, by| {
            let answer = script(asked, response_to(asked), by);
            answer.iter().map(|answer| answer.to_vec().unwrap()).collect()
        })
        .await
    }

    async fn start(script: Arc<Script>) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let questions = Arc::new(AtomicU32::new(0));
        let counted = questions.clone();
        let task = tokio::spawn(async move {
            let mut datagram = [0; 4096];
            loop {
                tokio::select! {
                    Ok((length, from)) = udp.recv_from(&mut datagram) => {
                        counted.fetch_add(1, Ordering::SeqCst);
                        let asked = Message::from_vec(&datagram[..length]).unwrap();
                        for answer in script(&asked, By::Udp) {
                            udp.send_to(&answer, from).await.unwrap();
                        }
                    }
                    Ok((mut stream, _)) = tcp.accept() => {
                        counted.fetch_add(1, Ordering::SeqCst);
                        let length = stream.read_u16().await.unwrap();
                        let mut octets = vec![0; length.into()];
                        stream.read_exact(&mut octets).await.unwrap();
                        for answer in script(&Message::from_vec(&octets).unwrap(), By::Tcp) {
                            stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                            stream.write_all(&answer).await.unwrap();
                        }
                    }
                }
            }
        });
        Self { address, questions, task }
    }

    /// How many questions came, over UDP and TCP.
    pub fn questions(&self) -> u32 {
        self.questions.load(Ordering::SeqCst)
    }
}

impl Drop for ScriptedDns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An empty answer to a question: no error, not authoritative.
pub fn response_to(asked: &Message) -> Message {
    let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
    answer.metadata.recursion_desired = asked.metadata.recursion_desired;
    answer.queries.clone_from(&asked.queries);
    answer
}

/// The same with a code.
pub fn with_code(mut answer: Message, code: ResponseCode) -> Message {
    answer.metadata.response_code = code;
    answer
}

/// The same with a record at the name asked for.
pub fn with(mut answer: Message, data: RData) -> Message {
    let name = answer.queries[0].name.clone();
    answer.add_answer(Record::from_rdata(name, 300, data));
    answer
}

pub fn a(text: &str) -> RData {
    RData::A(rdata::A(text.parse().unwrap()))
}

pub fn txt(strings: &[&[u8]]) -> RData {
    RData::TXT(rdata::TXT::from_bytes(strings.to_vec()))
}

pub fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

pub fn soa(serial: u32) -> RData {
    RData::SOA(rdata::SOA::new(name("ns1.example.org."), name("root.example.org."), serial, 3600, 600, 86_400, 60))
}

/// Octets of a type that the library does not know.
pub fn unknown(code: u16, octets: &[u8]) -> RData {
    RData::Unknown { code: RecordType::from(code), rdata: rdata::NULL::with(octets.to_vec()) }
}

/// The record `data` of `owner` for any section.
pub fn record(owner: &str, data: RData) -> Record {
    let mut record = Record::from_rdata(name(owner), 120, data);
    record.dns_class = DNSClass::IN;
    record
}
