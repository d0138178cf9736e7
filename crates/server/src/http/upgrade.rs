//! Ignores `Connection: Upgrade` and `Upgrade: websocket` (RFC 9110, section 7.8).
//!
//! actix-http repeats the option in its response and closes the connection without `close`; with `Upgrade:
//! websocket` it reads everything that follows as the body. Neither can be disabled, so the first character
//! of both options is replaced in the input of actix-http. Only request heads are changed: after a body
//! without `Content-Length`, the connection is left alone.

/// Filter for the bytes received on a connection.
#[derive(Debug)]
pub(crate) struct UpgradeFilter {
    section: Section,
    line: Line,
    /// Position in the name of the header.
    at: usize,
    /// True if the line is empty so far.
    is_empty: bool,
    /// True if all lines so far were empty; empty lines before a request are ignored.
    is_before: bool,
    /// Value of `Content-Length`.
    length: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// In a request head.
    Head,
    /// In a body, with the number of remaining bytes.
    Body(u64),
    /// In a message of unknown length.
    Unknown,
}

/// State of the parser within a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// In a name that may be one of [`NAMES`]: a bit for each.
    Name(u8),
    /// In the value of `Connection` or `Upgrade`; true at the start of an option.
    Options(bool),
    /// In the value of `Content-Length`: its digits so far, and whether trailing blanks follow.
    Length(Option<u64>, bool),
    /// In any other header.
    Other,
    /// In `Transfer-Encoding`, a body of unknown length.
    Encoding,
}

const NAMES: [&[u8]; 4] = [b"connection", b"upgrade", b"content-length", b"transfer-encoding"];

impl Default for UpgradeFilter {
    fn default() -> Self {
        Self {
            section: Section::Head,
            line: Line::Name(0b1111),
            at: 0,
            is_empty: true,
            is_before: true,
            length: None,
        }
    }
}

impl UpgradeFilter {
    /// Replaces the options in a chunk of received bytes.
    pub(crate) fn filter(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            match self.section {
                Section::Unknown => return,
                Section::Body(left) => {
                    let rest = bytes.len() - at;
                    let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(rest);
                    at += skipped;
                    match left - skipped as u64 {
                        0 => *self = Self::default(),
                        left => self.section = Section::Body(left),
                    }
                }
                Section::Head if self.line == Line::Other && bytes[at] != b'\n' => {
                    let end = bytes[at..].iter().position(|byte| *byte == b'\n');
                    at = end.map_or(bytes.len(), |end| at + end);
                }
                Section::Head => {
                    self.next(&mut bytes[at]);
                    at += 1;
                }
            }
        }
    }

    /// Processes one byte of a head.
    fn next(&mut self, byte: &mut u8) {
        match *byte {
            b'\n' => return self.end_line(),
            b'\r' => return,
            _ => self.is_empty = false,
        }
        match &mut self.line {
            Line::Other => {}
            Line::Encoding => self.section = Section::Unknown,
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
                        None => self.section = Section::Unknown,
                    }
                }
                _ => self.section = Section::Unknown,
            },
            Line::Name(possible) => self.line = name(*possible, self.at, *byte),
        }
        self.at += 1;
    }

    fn end_line(&mut self) {
        if let Line::Length(digits, _) = self.line {
            if digits.is_none() || self.length.is_some() {
                self.section = Section::Unknown;
                return;
            }
            self.length = digits;
        }
        if self.is_empty && !self.is_before {
            self.section = Section::Body(self.length.unwrap_or_default());
            if self.section == Section::Body(0) {
                *self = Self::default();
            }
            return;
        }
        self.is_before &= self.is_empty;
        (self.line, self.at, self.is_empty) = (Line::Name(0b1111), 0, true);
    }
}

/// Returns the state after one more byte of a header name.
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

    /// Returns the filtered bytes; checks that all splits into two chunks give the same result.
    #[track_caller]
    fn filtered(input: &str) -> String {
        let mut output = input.as_bytes().to_vec();
        UpgradeFilter::default().filter(&mut output);
        for split in 0..input.len() {
            let mut bytes = input.as_bytes().to_vec();
            let mut filter = UpgradeFilter::default();
            let (first, second) = bytes.split_at_mut(split);
            filter.filter(first);
            filter.filter(second);
            assert_eq!(bytes, output, "split at byte {split}");
        }
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn upgrade_option_is_replaced_in_every_request_head() {
        let head = |connection: &str, length: usize| {
            format!(
                "POST /a HTTP/1.1\r\nHost: x\r\n{connection}\r\nContent-Length: {length}\r\n\r\n"
            )
        };
        let upgrade = "CONNECTION: keep-alive, Upgrade, HTTP2-Settings\r\nupgrade: h2c";
        let ignored = "CONNECTION: keep-alive, xpgrade, HTTP2-Settings\r\nupgrade: h2c";
        let body = "\r\nConnection: Upgrade\r\n\r\n";
        let input =
            [&head(upgrade, body.len()), body, &head(upgrade, 0), "\r\n", &head(upgrade, 0)];
        let expected =
            [&head(ignored, body.len()), body, &head(ignored, 0), "\r\n", &head(ignored, 0)];
        assert_eq!(
            filtered(&input.map(|part| part.to_string()).concat()),
            expected.map(|part| part.to_string()).concat()
        );
        assert_eq!(filtered(&head("Upgrade: websocket", 0)), head("Upgrade: xebsocket", 0));
        for other in
            ["Connection: close", "X-Connection: Upgrade", "Connections: Upgrade", "X: Upgrade"]
        {
            assert_eq!(filtered(&head(other, 0)), head(other, 0));
        }
    }

    #[test]
    fn bytes_after_body_of_unknown_length_are_unchanged() {
        for fields in [
            "Transfer-Encoding: chunked",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: +1",
            "Content-Length:",
            "Content-Length: 1 2",
            "Content-Length: 99999999999999999999999999",
        ] {
            let input =
                format!("GET / HTTP/1.1\r\n{fields}\r\n\r\nx\r\n\r\nConnection: Upgrade\r\n\r\n");
            assert_eq!(filtered(&input), input, "{fields}");
        }
    }
}
