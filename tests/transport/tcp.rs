//! Raw TCP, over the loopback.

use releve::transport::{Address, Link, LinkError, open};
use releve::wire::Line;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(5);

fn bridge() -> (Box<dyn Link>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp { host: "127.0.0.1".into(), port: listener.local_addr().unwrap().port() };
    let link = open(&address, Line::eight_none(9600)).unwrap();
    (link, listener.accept().unwrap().0)
}

#[test]
fn bytes_go_both_ways_and_the_line_stays_as_it_is() {
    let (mut link, mut meter) = bridge();
    let all: Vec<u8> = (0..=255).collect();
    link.send(&all).unwrap();
    let mut sent = [0; 256];
    meter.read_exact(&mut sent).unwrap();
    assert_eq!(sent[..], all);
    meter.write_all(b"/ISK5\r\n").unwrap();
    let mut buffer = [0; 64];
    let mut bytes = Vec::new();
    while bytes.len() < 7 {
        let count = link.receive(&mut buffer, LONG).unwrap();
        assert_ne!(count, 0);
        bytes.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(bytes, b"/ISK5\r\n");
    assert_eq!(link.receive(&mut buffer, Duration::from_millis(20)).unwrap(), 0);
    assert!(matches!(link.set_line(Line::eight_even(2400)), Err(LinkError::FixedLine { .. })));
    assert_eq!(link.line(), None);
}

#[test]
fn a_closed_connection_gives_its_last_bytes_and_is_gone() {
    let (mut link, mut meter) = bridge();
    meter.write_all(b"!\r\n").unwrap();
    drop(meter);
    let mut buffer = [0; 64];
    assert_eq!(link.receive(&mut buffer, LONG).unwrap(), 3);
    assert!(matches!(link.receive(&mut buffer, LONG), Err(LinkError::Gone { .. })));
}

#[test]
fn an_address_where_nobody_listens_is_missing() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for host in ["127.0.0.1", "no-such-host.invalid"] {
        let error = open(&Address::Tcp { host: host.into(), port }, Line::eight_none(9600)).unwrap_err();
        assert!(matches!(&error, LinkError::Missing { name, .. } if name.contains(host)), "{error:?}");
    }
}
