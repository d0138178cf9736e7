//! Ignoring `Connection: Upgrade` and `Upgrade: websocket` (RFC 9110, section 7.8).
//!
//! actix-http repeats the option in its answer and closes the connection without `close`; with `Upgrade:
//! websocket` it reads everything that follows as the body. Neither can be turned off, so the first letter
//! of both options is replaced in the bytes before actix-http reads them. Only bytes of a request's head are
//! changed: after a body whose length `Content-Length` does not give, the connection is left as it is.

/// A filter over the bytes that a client sends on one connection.
#[derive(Debug)]
pub(crate) struct IgnoreUpgrade {
    place: Place,
    line: Line,
    /// How many bytes of a line's name were compared.
    at: usize,
    /// Whether the line is empty so far.
    is_empty: bool,
    /// Whether all lines so far were empty: empty lines before a request are ignored.
    is_before: bool,
    /// The value of `Content-Length`.
    length: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a head.
    Head,
    /// In a body, with the number of bytes to come.
    Body(u64),
    /// In a message whose end is not known here.
    Unknown,
}

/// What is known of the line that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Its name may still be one of [`NAMES`]: those with a set bit.
    Name(u8),
    /// The value of `Connection` or `Upgrade`; whether an option begins here.
    Options(bool),
    /// The value of `Content-Length`: its digits so far, and whether blanks followed them.
    Length(Option<u64>, bool),
    /// Any other one.
    Other,
    /// `Transfer-Encoding`: only actix-http knows where such a body ends.
    Encoding,
}

const NAMES: [&[u8]; 4] = [b"connection", b"upgrade", b"content-length", b"transfer-encoding"];

impl Default for IgnoreUpgrade {
    fn default() -> Self {
        Self {
            place: Place::Head,
            line: Line::Name(0b1111),
            at: 0,
            is_empty: true,
            is_before: true,
            length: None,
        }
    }
}

impl IgnoreUpgrade {
    /// Replaces the options in the next bytes of the connection.
    pub(crate) fn filter(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                Place::Unknown => return,
                Place::Body(left) => {
                    let rest = bytes.len() - at;
                    let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(rest);
                    at += skipped;
                    match left - skipped as u64 {
                        0 => *self = Self::default(),
                        left => self.place = Place::Body(left),
                    }
                }
                Place::Head if self.line == Line::Other && bytes[at] != b'\n' => {
                    let end = bytes[at..].iter().position(|byte| *byte == b'\n');
                    at = end.map_or(bytes.len(), |end| at + end);
                }
                Place::Head => {
                    self.next(&mut bytes[at]);
                    at += 1;
                }
            }
        }
    }

    /// Takes the next byte of a head.
    fn next(&mut self, byte: &mut u8) {
        match *byte {
            b'\n' => return self.end_line(),
            b'\r' => return,
            _ => self.is_empty = false,
        }
        match &mut self.line {
            Line::Other => {}
            Line::Encoding => self.place = Place::Unknown,
            Line::Options(begins) => match *byte {
                b',' | b' ' | b'\t' => *begins = true,
                b'u' | b'U' | b'w' | b'W' if *begins => {
                    *byte = b'x';
                    *begins = false;
                }
                _ => *begins = false,
            },
            Line::Length(digits, is_over) => match *byte {
                b' ' | b'\t' => *is_over = digits.is_some(),
                b'0'..=b'9' if !*is_over => {
                    let digit = u64::from(*byte - b'0');
                    let longer = digits.unwrap_or_default().checked_mul(10);
                    match longer.and_then(|longer| longer.checked_add(digit)) {
                        Some(longer) => *digits = Some(longer),
                        None => self.place = Place::Unknown,
                    }
                }
                _ => self.place = Place::Unknown,
            },
            Line::Name(possible) => self.line = name(*possible, self.at, *byte),
        }
        self.at += 1;
    }

    fn end_line(&mut self) {
        if let Line::Length(digits, _) = self.line {
            if digits.is_none() || self.length.is_some() {
                self.place = Place::Unknown;
                return;
            }
            self.length = digits;
        }
        if self.is_empty && !self.is_before {
            self.place = Place::Body(self.length.unwrap_or_default());
            if self.place == Place::Body(0) {
                *self = Self::default();
            }
            return;
        }
        self.is_before &= self.is_empty;
        (self.line, self.at, self.is_empty) = (Line::Name(0b1111), 0, true);
    }
}

/// What a line is after one more byte of its name.
fn name(possible: u8, at: usize, byte: u8) -> Line {
    if byte == b':' {
        let whole = (0..NAMES.len()).find(|&n| possible & 1 << n != 0 && NAMES[n].len() == at);
        return match whole {
            Some(0 | 1) => Line::Options(true),
            Some(2) => Line::Length(None, false),
            Some(_) => Line::Encoding,
            None => Line::Other,
        };
    }
    let (byte, mut fitting) = (byte.to_ascii_lowercase(), 0);
    for (n, name) in NAMES.iter().enumerate() {
        fitting |= u8::from(name.get(at) == Some(&byte)) << n;
    }
    match possible & fitting {
        0 => Line::Other,
        bits => Line::Name(bits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of the bytes, in one piece and cut at every place.
    #[track_caller]
    fn filtered(sent: &str) -> String {
        let mut whole = sent.as_bytes().to_vec();
        IgnoreUpgrade::default().filter(&mut whole);
        for at in 0..sent.len() {
            let mut bytes = sent.as_bytes().to_vec();
            let mut filter = IgnoreUpgrade::default();
            let (first, second) = bytes.split_at_mut(at);
            filter.filter(first);
            filter.filter(second);
            assert_eq!(bytes, whole, "cut at {at}");
        }
        String::from_utf8(whole).unwrap()
    }

    #[test]
    fn the_option_is_replaced_in_every_head() {
        let head = |connection: &str, length: usize| {
            format!(
                "POST /a HTTP/1.1\r\nHost: x\r\n{connection}\r\nContent-Length: {length}\r\n\r\n"
            )
        };
        let upgrade = "CONNECTION: keep-alive, Upgrade, HTTP2-Settings\r\nupgrade: h2c";
        let ignored = "CONNECTION: keep-alive, xpgrade, HTTP2-Settings\r\nupgrade: h2c";
        let body = "\r\nConnection: Upgrade\r\n\r\n";
        let sent = [&head(upgrade, body.len()), body, &head(upgrade, 0), "\r\n", &head(upgrade, 0)];
        let kept = [&head(ignored, body.len()), body, &head(ignored, 0), "\r\n", &head(ignored, 0)];
        assert_eq!(
            filtered(&sent.map(|part| part.to_string()).concat()),
            kept.map(|part| part.to_string()).concat()
        );
        assert_eq!(filtered(&head("Upgrade: websocket", 0)), head("Upgrade: xebsocket", 0));
        for other in
            ["Connection: close", "X-Connection: Upgrade", "Connections: Upgrade", "X: Upgrade"]
        {
            assert_eq!(filtered(&head(other, 0)), head(other, 0));
        }
    }

    #[test]
    fn nothing_is_touched_after_a_body_of_unknown_length() {
        for fields in [
            "Transfer-Encoding: chunked",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: +1",
            "Content-Length:",
            "Content-Length: 1 2",
            "Content-Length: 99999999999999999999999999",
        ] {
            let sent =
                format!("GET / HTTP/1.1\r\n{fields}\r\n\r\nx\r\n\r\nConnection: Upgrade\r\n\r\n");
            assert_eq!(filtered(&sent), sent, "{fields}");
        }
    }
}
