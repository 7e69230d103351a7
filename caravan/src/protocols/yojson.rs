//! JSON as the OCaml services read it, with the library Yojson: it may have comments, unquoted member names and control
//! characters in strings, and strings are bytes. Of a member that is given twice the last one counts; that is for those
//! who look members up.

use std::fmt;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// `null`, a boolean, a number: what no request of a CI service has but `true` and `false`.
    Other,
    /// `true` or `false`
    Bool(bool),
    /// A string, which need not be UTF-8.
    String(Vec<u8>),
    /// A list.
    List(Vec<Json>),
    /// An object, in the order of its text.
    Object(Vec<(Vec<u8>, Json)>),
}

/// The text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotJson {
    /// Where, in bytes from the beginning.
    offset: usize,
    expected: &'static str,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} of the request: expected {}", self.offset, self.expected)
    }
}

/// Deeper nesting is refused, so that no request exhausts the stack.
const MAX_DEPTH: usize = 128;

/// Reads a text; also says whether every reader of JSON reads it so.
pub(crate) fn read(text: &[u8]) -> Result<(Json, bool), NotJson> {
    let mut reader = Reader { text, at: 0, is_plain: true };
    let value = reader.value(0)?;
    reader.skip_blanks()?;
    match reader.peek() {
        None => Ok((value, reader.is_plain)),
        Some(_) => Err(reader.expected("the end")),
    }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    is_plain: bool,
}

impl Reader<'_> {
    fn expected(&self, expected: &'static str) -> NotJson {
        NotJson { offset: self.at, expected }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) -> Result<(), NotJson> {
        loop {
            let blanks = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
            self.at += blanks;
            let rest = self.rest();
            if rest.starts_with(b"//") {
                self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                let end = rest[2..].windows(2).position(|pair| pair == b"*/");
                self.at += end.ok_or_else(|| self.expected("`*/` after this"))? + 4;
            } else {
                return Ok(());
            }
            self.is_plain = false;
        }
    }

    /// Skips a byte if it comes next.
    fn skip(&mut self, byte: u8) -> Result<bool, NotJson> {
        self.skip_blanks()?;
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        Ok(found)
    }

    fn value(&mut self, depth: usize) -> Result<Json, NotJson> {
        self.skip_blanks()?;
        if depth > MAX_DEPTH {
            return Err(self.expected("less deep nesting"));
        }
        match self.peek() {
            Some(b'"') => self.string().map(Json::String),
            Some(b'[') => {
                self.at += 1;
                self.list(depth)
            }
            Some(b'{') => {
                self.at += 1;
                self.object(depth)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, NotJson> {
        let mut values = Vec::new();
        if self.skip(b']')? {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.skip(b']')? {
                return Ok(Json::List(values));
            }
            if !self.skip(b',')? {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, NotJson> {
        let mut members = Vec::new();
        if self.skip(b'}')? {
            return Ok(Json::Object(members));
        }
        loop {
            let name = self.member_name()?;
            if !self.skip(b':')? {
                return Err(self.expected("`:`"));
            }
            let value = self.value(depth + 1)?;
            self.is_plain &= members.iter().all(|(known, _)| *known != name);
            members.push((name, value));
            if self.skip(b'}')? {
                return Ok(Json::Object(members));
            }
            if !self.skip(b',')? {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn member_name(&mut self) -> Result<Vec<u8>, NotJson> {
        self.skip_blanks()?;
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = self.rest().iter().take_while(is_word).count();
        let name = self.rest()[..length].to_vec();
        if name.first().is_none_or(u8::is_ascii_digit) {
            return Err(self.expected("the name of a member"));
        }
        self.is_plain = false;
        self.at += length;
        Ok(name)
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        let is_part = |byte: &&u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
        let length = self.rest().iter().take_while(is_part).count();
        if self.rest().starts_with(b"-Infinity") {
            self.is_plain = false;
            self.at += "-Infinity".len();
            return Ok(Json::Other);
        }
        let text = &self.rest()[..length];
        serde_json::from_slice::<serde_json::Number>(text).map_err(|_| self.expected("a number"))?;
        self.at += length;
        Ok(Json::Other)
    }

    fn word(&mut self) -> Result<Json, NotJson> {
        let words = [
            ("true", Json::Bool(true), true),
            ("false", Json::Bool(false), true),
            ("null", Json::Other, true),
            ("NaN", Json::Other, false),
            ("Infinity", Json::Other, false),
        ];
        for (word, value, is_plain) in words {
            if self.rest().starts_with(word.as_bytes()) {
                self.at += word.len();
                self.is_plain &= is_plain;
                return Ok(value);
            }
        }
        Err(self.expected("a value"))
    }

    fn string(&mut self) -> Result<Vec<u8>, NotJson> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let rest = self.rest();
            let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
            bytes.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(bytes);
                }
                Some(b'\\') => self.escape(&mut bytes)?,
                Some(control) => {
                    self.is_plain = false;
                    bytes.push(control);
                    self.at += 1;
                }
                None => return Err(self.expected("`\"` at the end of a string")),
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), NotJson> {
        let byte = match self.rest().get(1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 2;
                return self.code_point(bytes);
            }
            _ => return Err(self.expected("an escape")),
        };
        bytes.push(byte);
        self.at += 2;
        Ok(())
    }

    /// The digits of a `\u`, and for the first half of a pair those of the second.
    fn code_point(&mut self, bytes: &mut Vec<u8>) -> Result<(), NotJson> {
        let first = self.digits()?;
        let code = match first {
            0xd800..0xdc00 => {
                let is_escape = self.rest().starts_with(b"\\u");
                self.at += if is_escape { 2 } else { 0 };
                match is_escape.then(|| self.digits()).transpose()? {
                    Some(second @ 0xdc00..0xe000) => 0x10000 + ((first - 0xd800) << 10 | (second - 0xdc00)),
                    _ => return Err(self.expected("the second half of a surrogate pair")),
                }
            }
            code => code,
        };
        match char::from_u32(code) {
            Some(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            // A second half alone: Yojson writes it as if it were a character.
            None => {
                self.is_plain = false;
                bytes.extend([0xe0 | code >> 12, 0x80 | code >> 6 & 0x3f, 0x80 | code & 0x3f].map(|byte| byte as u8));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<u32, NotJson> {
        let digits = self.rest().get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 4;
        Ok(code)
    }
}

/// Appends a string as JSON. Bytes that are no UTF-8 stay as they are.
pub(crate) fn write_string(bytes: &[u8], text: &mut Vec<u8>) {
    text.push(b'"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', *byte]),
            0..0x20 => text.extend(format!("\\u{byte:04x}").bytes()),
            _ => text.push(*byte),
        }
    }
    text.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{Json, read, write_string};

    fn string(text: &[u8]) -> Option<Vec<u8>> {
        match read(text) {
            Ok((Json::String(bytes), _)) => Some(bytes),
            _ => None,
        }
    }

    #[test]
    fn what_yojson_reads_and_others_do_not() {
        for (text, is_plain) in [
            (&br#"{"a": [1, -2.5e3, true, null, "x\n\u00e9"]}"#[..], true),
            (b" /* one */ {\"a\": 1 // two\n }", false),
            (b"{a: 1}", false),
            (b"{\"a\": 1, \"a\": 2}", false),
            (b"[NaN, -Infinity, Infinity]", false),
            (b"\"a\nb\"", false),
        ] {
            assert_eq!(read(text).map(|(_, plain)| plain), Ok(is_plain), "{}", text.escape_ascii());
        }
        for text in
            ["", " ", "[1,]", "{\"a\"}", "[1] 2", "01", "\"\\ud800\"", "\"\\ud800x\"", "\"", "/*", "tru", "\"\\x\""]
        {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn strings_are_bytes() {
        assert_eq!(string(br#""\ud83d\ude00\u00e9\/""#), Some("\u{1f600}\u{e9}/".into()));
        assert_eq!(string(br#""\udc00""#), Some(b"\xed\xb0\x80".to_vec()));
        for bytes in [&b"a\"\\\n\x01"[..], b"\xff\x80", "\u{e9}".as_bytes()] {
            let mut text = Vec::new();
            write_string(bytes, &mut text);
            assert_eq!(string(&text).as_deref(), Some(bytes));
        }
    }
}
