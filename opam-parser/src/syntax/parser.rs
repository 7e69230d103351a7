//! Tokens to tree: recursive descent over the grammar of `docs/semantics.md`, rules G1 to G7
//! (`opam-file-format`, `opamBaseParser.mly`), one token of look-ahead.
//!
//! ```text
//! file  := item*
//! item  := IDENT ':' value | IDENT STRING? '{' item* '}'
//! value := and ('|' and)*
//! and   := pfx ('&' pfx)*
//! pfx   := ('!' | '?') pfx | opt
//! opt   := prim ('{' value* '}')*
//! prim  := '(' value* ')' | '[' value* ']' | RELOP atom | atom ((RELOP | ENVOP) atom)?
//! ```
//!
//! An error in an item costs that item: the parser goes on at the next line that begins with a name.

use super::lexer::{Lexer, Token, TokenKind};
use super::tree::{ItemBody, ItemNode, NONE, Node, SyntaxTree, Tag, Text};
use crate::diagnostic::{Diagnostic, Span};

/// Deeper nesting than this is refused, so that no file can exhaust the stack of whoever walks the
/// tree. The deepest real file nests 15 levels.
pub const MAX_DEPTH: u32 = 200;

/// A syntax error was reported and the current item is lost.
#[derive(Debug, thiserror::Error)]
#[error("a syntax error was reported")]
struct Lost;

struct Parser<'s> {
    source: &'s [u8],
    lexer: Lexer<'s>,
    token: Token,
    /// A token that was read and put back ([`Parser::recover`]).
    put_back: Option<Token>,
    /// The token before the current one, and whether it was the first of its line.
    last: Option<(Token, bool)>,
    /// End of the token before the current one.
    last_end: u32,
    nodes: Vec<Node>,
    depth: u32,
}

/// Reads a whole file. The tree holds every item that could be read.
pub fn parse_file(source: &[u8]) -> (SyntaxTree<'_>, Vec<Diagnostic>) {
    if u32::try_from(source.len()).is_err() {
        let found = Diagnostic::error(Span::default(), "files over 4 GiB cannot be read");
        return (SyntaxTree { source: b"", decoded: vec![], nodes: vec![], items: vec![] }, vec![found]);
    }
    let mut parser = Parser::new(source);
    let items = parser.items(false);
    parser.finish(items)
}

/// Reads one value (and nothing after it). Without an error the tree's only item is a field with
/// an empty name that holds the value.
pub fn parse_value(source: &[u8]) -> (SyntaxTree<'_>, Vec<Diagnostic>) {
    let mut parser = Parser::new(source);
    let mut items = Vec::new();
    if let Ok(value) = parser.value() {
        if parser.token.kind == TokenKind::Eof {
            let span = parser.nodes[value as usize].span;
            items.push(ItemNode { name: Span::default(), span, body: ItemBody::Field(value) });
        } else {
            parser.unexpected("the end of the value");
        }
    }
    parser.finish(items)
}

impl<'s> Parser<'s> {
    fn new(source: &'s [u8]) -> Self {
        let mut lexer = Lexer::new(source);
        let token = lexer.next();
        // One node for some 12 bytes of text is what real files have.
        let nodes = Vec::with_capacity(source.len() / 12 + 8);
        Self { source, lexer, token, put_back: None, last: None, last_end: 0, nodes, depth: 0 }
    }

    fn finish(self, items: Vec<ItemNode>) -> (SyntaxTree<'s>, Vec<Diagnostic>) {
        let Lexer { decoded, mut diagnostics, .. } = self.lexer;
        diagnostics.sort_by_key(|d| d.span.map(|s| s.start));
        (SyntaxTree { source: self.source, decoded, nodes: self.nodes, items }, diagnostics)
    }

    fn advance(&mut self) -> Token {
        let token = self.token;
        self.last = Some((token, self.starts_line()));
        self.last_end = token.span.end;
        self.token = self.put_back.take().unwrap_or_else(|| self.lexer.next());
        token
    }

    fn unexpected(&mut self, wanted: &str) -> Lost {
        let Token { kind, span } = self.token;
        if kind == TokenKind::Error {
            return Lost;
        }
        let shown = match kind {
            TokenKind::Eof => "the end of the file".to_owned(),
            TokenKind::Str(_) => "a string".to_owned(),
            _ => format!("`{}`", String::from_utf8_lossy(span.slice(self.source))),
        };
        let mut found = Diagnostic::error(span, format!("expected {wanted}, found {shown}"));
        if kind == TokenKind::Colon {
            found =
                found.with_hint("a field's name is followed by `:`; before it, a bracket or an operand may be missing");
        } else if let (TokenKind::Ident, [.., b':']) = (kind, span.slice(self.source)) {
            found = found.with_hint("write a blank after `:`");
        }
        self.lexer.report(found);
        Lost
    }

    /// Items up to the end of the file, or of the section.
    fn items(&mut self, in_section: bool) -> Vec<ItemNode> {
        let mut items = Vec::new();
        loop {
            match self.token.kind {
                TokenKind::Eof => return items,
                TokenKind::RBrace if in_section => return items,
                _ => match self.item() {
                    Ok(item) => items.push(item),
                    Err(Lost) => self.recover(in_section),
                },
            }
        }
    }

    /// Skips to something that looks like the start of an item.
    fn recover(&mut self, in_section: bool) {
        self.depth = 0;
        let mut braces = 0;
        // A value that was not closed has swallowed the next item's name; its colon tells.
        if let (TokenKind::Colon, Some((name @ Token { kind: TokenKind::Ident, .. }, true))) =
            (self.token.kind, self.last)
        {
            self.put_back = Some(std::mem::replace(&mut self.token, name));
            return;
        }
        loop {
            match self.token.kind {
                TokenKind::Eof => return,
                TokenKind::Ident if self.starts_line() => return,
                TokenKind::LBrace => braces += 1,
                TokenKind::RBrace if braces == 0 && in_section => return,
                TokenKind::RBrace => braces -= 1,
                _ => {}
            }
            self.advance();
        }
    }

    fn starts_line(&self) -> bool {
        let start = self.token.span.start as usize;
        start == 0 || self.source[start - 1] == b'\n'
    }

    fn item(&mut self) -> Result<ItemNode, Lost> {
        if self.token.kind != TokenKind::Ident {
            return Err(self.unexpected("a field or section name"));
        }
        let name = self.advance().span;
        let body = match self.token.kind {
            TokenKind::Colon => {
                self.advance();
                ItemBody::Field(self.value()?)
            }
            TokenKind::Str(title) => {
                self.advance();
                self.section(Some(title))?
            }
            TokenKind::LBrace => self.section(None)?,
            _ => {
                // `flags:conf` is one identifier (rule L6), the commonest way to get here.
                let swallowed = name.slice(self.source).contains(&b':');
                let lost = self.unexpected("`:` or `{` after the name");
                if swallowed && let Some(found) = self.lexer.diagnostics.last_mut() {
                    found.span = Some(name);
                    found.hint = Some("write a blank after `:`, or the name and the value are read as one word".into());
                }
                return Err(lost);
            }
        };
        Ok(ItemNode { name, span: Span::new(name.start, self.last_end), body })
    }

    fn section(&mut self, title: Option<Text>) -> Result<ItemBody, Lost> {
        if self.token.kind != TokenKind::LBrace {
            return Err(self.unexpected("`{`"));
        }
        self.deeper()?;
        self.advance();
        let items = self.items(true);
        if self.token.kind != TokenKind::RBrace {
            self.unexpected("`}` to close the section");
        } else {
            self.advance();
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(ItemBody::Section { title, items })
    }

    fn deeper(&mut self) -> Result<(), Lost> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("this nests more than {MAX_DEPTH} levels deep");
            self.lexer.report(Diagnostic::error(self.token.span, message));
            return Err(Lost);
        }
        Ok(())
    }

    fn push(&mut self, tag: Tag, span: Span, child: u32) -> u32 {
        self.nodes.push(Node { tag, span, child, next: NONE });
        (self.nodes.len() - 1) as u32
    }

    fn start_of(&self, id: u32) -> u32 {
        self.nodes[id as usize].span.start
    }

    fn value(&mut self) -> Result<u32, Lost> {
        self.chain(TokenKind::Or, Tag::Or, |parser| parser.chain(TokenKind::And, Tag::And, Self::prefixed))
    }

    /// `operand (OPERATOR operand)*`, as one node for the whole chain.
    fn chain(
        &mut self,
        operator: TokenKind,
        tag: Tag,
        operand: impl Fn(&mut Self) -> Result<u32, Lost>,
    ) -> Result<u32, Lost> {
        let first = operand(self)?;
        if self.token.kind != operator {
            return Ok(first);
        }
        let mut last = first;
        while self.token.kind == operator {
            self.advance();
            let next = operand(self)?;
            self.nodes[last as usize].next = next;
            last = next;
        }
        let span = Span::new(self.start_of(first), self.last_end);
        Ok(self.push(tag, span, first))
    }

    fn prefixed(&mut self) -> Result<u32, Lost> {
        let tag = match self.token.kind {
            TokenKind::Not => Tag::Not,
            TokenKind::Defined => Tag::Defined,
            _ => return self.braced(),
        };
        let start = self.advance().span.start;
        self.deeper()?;
        let operand = self.prefixed()?;
        self.depth -= 1;
        Ok(self.push(tag, Span::new(start, self.last_end), operand))
    }

    fn braced(&mut self) -> Result<u32, Lost> {
        let mut value = self.primary()?;
        let mut levels = 0;
        while self.token.kind == TokenKind::LBrace {
            // Each further pair of braces wraps the value once more.
            self.deeper()?;
            levels += 1;
            self.advance();
            let options = self.sequence(TokenKind::RBrace, "`}`")?;
            self.nodes[value as usize].next = options;
            let span = Span::new(self.start_of(value), self.last_end);
            value = self.push(Tag::Braced, span, value);
        }
        self.depth -= levels;
        Ok(value)
    }

    /// `value* close`; gives the first value.
    fn sequence(&mut self, close: TokenKind, wanted: &str) -> Result<u32, Lost> {
        self.deeper()?;
        let open = self.last_end.saturating_sub(1);
        let (mut first, mut last) = (NONE, NONE);
        while self.token.kind != close {
            if !self.starts_value() {
                return Err(self.unclosed(open, wanted));
            }
            let value = self.value()?;
            match last {
                NONE => first = value,
                last => self.nodes[last as usize].next = value,
            }
            last = value;
        }
        self.advance();
        self.depth -= 1;
        Ok(first)
    }

    /// Something that cannot stand between brackets: most likely the closing one is missing.
    fn unclosed(&mut self, open: u32, wanted: &str) -> Lost {
        let reported = self.lexer.diagnostics.len();
        let lost = self.unexpected(&format!("a value or {wanted}"));
        let line = memchr::memchr_iter(b'\n', &self.source[..open as usize]).count() + 1;
        let bracket = char::from(self.source[open as usize]);
        if let Some(found) = self.lexer.diagnostics.get_mut(reported) {
            found.hint = Some(format!("the `{bracket}` on line {line} is not closed before this"));
        }
        lost
    }

    fn starts_value(&self) -> bool {
        use TokenKind as T;
        !matches!(
            self.token.kind,
            T::Eof | T::Colon | T::And | T::Or | T::RBrace | T::RBracket | T::RParen | T::LBrace | T::EnvOp(_)
        )
    }

    fn primary(&mut self) -> Result<u32, Lost> {
        let start = self.token.span.start;
        let (tag, close, wanted) = match self.token.kind {
            TokenKind::LParen => (Tag::Group, TokenKind::RParen, "`)`"),
            TokenKind::LBracket => (Tag::List, TokenKind::RBracket, "`]`"),
            TokenKind::RelOp(op) => {
                self.advance();
                let operand = self.atom()?;
                let span = Span::new(start, self.last_end);
                return Ok(self.push(Tag::PrefixRelOp(op), span, operand));
            }
            _ => return self.relation(),
        };
        self.advance();
        let first = self.sequence(close, wanted)?;
        Ok(self.push(tag, Span::new(start, self.last_end), first))
    }

    fn relation(&mut self) -> Result<u32, Lost> {
        let left = self.atom()?;
        let tag = match self.token.kind {
            TokenKind::RelOp(op) => Tag::RelOp(op),
            TokenKind::EnvOp(op) => Tag::EnvOp(op),
            _ => return Ok(left),
        };
        self.advance();
        let right = self.atom()?;
        self.nodes[left as usize].next = right;
        Ok(self.push(tag, Span::new(self.start_of(left), self.last_end), left))
    }

    fn atom(&mut self) -> Result<u32, Lost> {
        let tag = match self.token.kind {
            TokenKind::Bool(b) => Tag::Bool(b),
            TokenKind::Int(i) => Tag::Int(i),
            TokenKind::Str(text) => Tag::Str(text),
            TokenKind::Ident => Tag::Ident,
            _ => return Err(self.unexpected("a value")),
        };
        let span = self.advance().span;
        Ok(self.push(tag, span, NONE))
    }
}
