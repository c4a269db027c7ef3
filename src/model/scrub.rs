//! What servers echo of secrets, taken out of their words: the value, what common encodings make of it, each of its lines, and
//! the beginnings and ends of all these.

use std::ops::Range;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// From how many bytes on a line of a secret is one itself.
pub(super) const LINE: usize = 8;
/// The fewest and the most bytes of a beginning or an end that tell too much; in between it is two thirds of the value.
const PART: (usize, usize) = (8, 12);
/// What stands in their place.
pub(super) const MASK: &str = "(sensitive)";

/// The forms in which secrets may come back, in small letters: servers fold the case of what they echo.
#[derive(Default)]
pub struct Scrubber {
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl Scrubber {
    /// Of these values.
    #[cfg(test)]
    pub fn of<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let mut scrubber = Self::default();
        values.into_iter().for_each(|value| scrubber.learn(value));
        scrubber
    }

    /// One more value.
    pub fn learn(&mut self, value: &str) {
        if value.is_empty() || self.forms.iter().any(|form| form.as_slice() == value.to_ascii_lowercase().as_bytes()) {
            return;
        }
        self.add(value);
        let trimmed = value.trim();
        if trimmed.len() >= LINE && trimmed.len() < value.len() {
            self.add(trimmed);
        }
        for line in value.lines().map(str::trim).filter(|line| line.len() >= LINE && line.len() < trimmed.len()) {
            self.add(line);
        }
    }

    fn add(&mut self, text: &str) {
        for form in forms(text) {
            let form = Zeroizing::new(form.to_ascii_lowercase().into_bytes());
            if !self.forms.contains(&form) {
                self.forms.push(form);
            }
        }
    }

    /// The text without any of it.
    #[must_use]
    pub fn scrub(&self, text: String) -> String {
        if self.forms.is_empty() || text.is_empty() {
            return text;
        }
        let folded = text.to_ascii_lowercase().into_bytes();
        let mut hidden = vec![false; folded.len()];
        for form in &self.forms {
            hide(&folded, form, &mut hidden);
        }
        if !hidden.contains(&true) {
            return text;
        }
        let mut out = String::with_capacity(text.len());
        let mut masking = false;
        for (at, c) in text.char_indices() {
            let hides = hidden[at..at + c.len_utf8()].contains(&true);
            match (hides, masking) {
                (true, false) => out.push_str(MASK),
                (true, true) => {}
                (false, _) => out.push(c),
            }
            masking = hides;
        }
        out
    }
}

/// What a text looks like as it is, and in the encodings that programs write it in; nothing empty, and none twice.
pub(super) fn forms(text: &str) -> Vec<Zeroizing<String>> {
    let json = in_json(text);
    let mut all = vec![Zeroizing::new(text.to_owned()), in_json(&json), in_inert_json(&json), in_inert_json(&in_json(&json))];
    all.extend(['\'', '"'].map(|quote| in_repr(text, quote)));
    all.push(Zeroizing::new(text.replace('\'', "''")));
    // Values stand in pages and comments as JSON has them.
    for shown in [text, json.as_str()] {
        let html = in_html(shown);
        all.extend(["&apos;", "&#x27;"].map(|other| Zeroizing::new(html.replace("&#39;", other))));
        all.extend([html, in_markdown(shown)]);
        // As annotations of a pipeline have it.
        all.push(Zeroizing::new(shown.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")));
    }
    if !text.is_ascii() {
        for ascii in [in_points(&json), in_short_points(&json)] {
            all.extend([in_json(&ascii), ascii]);
        }
        all.extend([in_bytes(text), in_latin(text)]);
    }
    for space in ["%20", "+"] {
        let url = in_url(text, space);
        // Some leave the strokes of a path, and those of names and passwords before a host.
        let path = Zeroizing::new(url.replace("%2f", "/"));
        all.extend([in_capitals(&url), in_capitals(&path), url, path]);
    }
    // As terminals are shown what would steer them, and as YAML has it.
    if text.contains(steers) {
        all.push(escaped(text, &|c| c.escape_unicode().to_string()));
        all.push(escaped(text, &|c| format!("\\u{:04x}", u32::from(c))));
    }
    // As the writers of JSON of some languages have it.
    all.push(Zeroizing::new(json.replace('/', "\\/")));
    let careful =
        json.replace('=', "\\u003d").replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e").replace('\'', "\\u0027");
    all.push(Zeroizing::new(careful));
    all.push(json);
    if text.len() >= LINE {
        let hex = in_hex(text);
        all.extend([Zeroizing::new(hex.to_uppercase()), hex]);
        // Where it begins in the middle of what is encoded (`user:password`), its letters are others.
        for before in 0..3 {
            all.push(in_base64(text, before, &STANDARD_NO_PAD));
            all.push(in_base64(text, before, &URL_SAFE_NO_PAD));
        }
    }
    let mut found: Vec<Zeroizing<String>> = Vec::with_capacity(all.len());
    for form in all {
        if !form.is_empty() && !found.contains(&form) {
            found.push(form);
        }
    }
    found
}

/// With what would steer a terminal written out.
fn escaped(text: &str, escape: &dyn Fn(char) -> String) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 2));
    for c in text.chars() {
        if steers(c) { out.push_str(&escape(c)) } else { out.push(c) }
    }
    out
}

/// What is written out rather than sent to a terminal.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A text without what programs put between its letters when they write it down: backslashes and quotes, doubled or not, the
/// second of two `$`, all but one of several blanks, the ends of lines that are wrapped, colours; entities of HTML and escaped
/// signs of escapes as what they stand for. However these stand around one another, two texts that are alike without them say the same.
pub(super) struct Bare {
    /// What is left.
    pub text: Zeroizing<String>,
    /// Where each byte of it stood.
    from: Vec<Range<usize>>,
}

/// Names of entities, and the letters that they stand for.
const ENTITIES: [(&str, char); 8] =
    [("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("#34;", '"'), ("#x22;", '"'), ("apos;", '\''), ("#39;", '\''), ("#x27;", '\'')];

/// The letter that a text begins with, written down once or several times over, and how many bytes that takes.
fn letter(text: &str) -> Option<(char, usize)> {
    let (c, mut length) = match text.chars().next()? {
        '\\' if text.starts_with("\\u0026") => ('&', "\\u0026".len()),
        c => (c, c.len_utf8()),
    };
    let again = match c {
        '&' => "amp;",
        '%' => "25",
        _ => return Some((c, length)),
    };
    while text[length..].starts_with(again) {
        length += again.len();
    }
    let entity = ENTITIES.iter().filter(|_| c == '&').find_map(|(name, meant)| Some((*meant, length + length_of(name, &text[length..])?)));
    Some(entity.unwrap_or((c, length)))
}

/// How many bytes a name takes that a text begins with, signs that nobody sees among its letters.
fn length_of(name: &str, text: &str) -> Option<usize> {
    let mut length = 0;
    for wanted in name.chars() {
        let rest = text[length..].trim_start_matches('\u{200b}');
        length = text.len() - rest.len();
        rest.starts_with(wanted).then_some(())?;
        length += wanted.len_utf8();
    }
    Some(length)
}

/// Where the lines of a text are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// Where a blank was.
    AtBlanks,
    /// In the middle of a word that is longer than a line.
    InWords,
}

impl Bare {
    /// Of a text whose lines are wrapped so.
    pub fn of(text: &str, lines: Lines) -> Self {
        let mut bare = Self { text: Zeroizing::new(String::with_capacity(text.len())), from: Vec::with_capacity(text.len()) };
        let (mut steers, mut last, mut at) = (false, ' ', 0);
        let mut blank: Option<Range<usize>> = None;
        while let Some((c, length)) = letter(&text[at..]) {
            let is_put = matches!(c, '\u{1b}' | '\\' | '\'' | '"' | '\u{200b}') || (c == '$' && last == '$');
            if c.is_whitespace() && !steers {
                let from = blank.as_ref().map_or(at, |blank| blank.start);
                blank = Some(from..at + length);
            } else if !steers && !is_put {
                // A line may be wrapped at a blank, or inside of a word.
                if let Some(blank) = blank.take().filter(|blank| lines == Lines::AtBlanks || !text[blank.clone()].contains('\n')) {
                    bare.text.push(' ');
                    bare.from.push(blank);
                }
                bare.text.push(c);
                bare.from.resize(bare.text.len(), at..at + length);
            }
            // `ESC [ 1 m`.
            steers = if steers { c == '[' || c == ';' || c.is_ascii_digit() } else { c == '\u{1b}' };
            (last, at) = (c, at + length);
        }
        bare
    }

    /// Where it stands in the text that this is of: from its first letter to behind its last.
    pub fn places<'f>(&'f self, form: &'f str) -> impl Iterator<Item = Range<usize>> + 'f {
        self.text.match_indices(form).map(|(at, found)| self.from[at].start..self.from[at + found.len() - 1].end)
    }
}

/// Marks the places of a form, and of beginnings and ends that tell too much of it.
fn hide(text: &[u8], form: &[u8], hidden: &mut [bool]) {
    let least = (form.len() * 2 / 3).clamp(PART.0, PART.1).min(form.len());
    let (first, last) = (&form[..least], &form[form.len() - least..]);
    for at in 0..text.len().saturating_sub(least - 1) {
        let window = &text[at..at + least];
        if window == first {
            let more = text[at + least..].iter().zip(&form[least..]).take_while(|(a, b)| a == b).count();
            hidden[at..at + least + more].fill(true);
        }
        if window == last {
            let before = text[..at].iter().rev().zip(form[..form.len() - least].iter().rev()).take_while(|(a, b)| a == b).count();
            hidden[at - before..at + least].fill(true);
        }
    }
}

/// As JSON writes it inside quotes.
fn in_json(text: &str) -> Zeroizing<String> {
    let quoted = Zeroizing::new(serde_json::to_string(text).unwrap_or_default());
    Zeroizing::new(quoted[1..quoted.len().saturating_sub(1).max(1)].to_owned())
}

/// As JSON writes it where only ASCII may stand (Python's `json.dumps`).
fn in_points(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    for c in text.chars() {
        if c.is_ascii() { out.push(c) } else { c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| push_escape(&mut out, "\\u", *unit)) }
    }
    out
}

/// As Python's `ascii()` writes it: the shortest escape that holds the letter.
fn in_short_points(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    for c in text.chars() {
        let point = u32::from(c);
        match (u8::try_from(point), u16::try_from(point)) {
            (Ok(ascii), _) if ascii.is_ascii() => out.push(c),
            (Ok(latin), _) => push_byte(&mut out, latin),
            (_, Ok(unit)) => push_escape(&mut out, "\\u", unit),
            _ => {
                out.push_str("\\U");
                point.to_be_bytes().into_iter().for_each(|byte| push_hex(&mut out, byte));
            }
        }
    }
    out
}

/// The bytes of its UTF-8 as Python writes them (`b'Z\xc3\xbc'`).
fn in_bytes(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        if byte.is_ascii() { out.push(char::from(byte)) } else { push_byte(&mut out, byte) }
    }
    out
}

/// Its UTF-8 read as Latin-1.
fn in_latin(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.bytes().map(char::from).collect())
}

fn push_byte(out: &mut String, byte: u8) {
    out.push_str("\\x");
    push_hex(out, byte);
}

fn push_escape(out: &mut String, before: &str, unit: u16) {
    out.push_str(before);
    unit.to_be_bytes().into_iter().for_each(|byte| push_hex(out, byte));
}

/// As JSON inside a page writes it: nothing in it is taken for HTML.
fn in_inert_json(json: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(json.len()));
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            c => out.push(c),
        }
    }
    out
}

/// As Markdown writes text that is only text.
fn in_markdown(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' | '#' => out.extend([c, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// As Python, Java or Rust would write it between these quotes.
fn in_repr(text: &str, quote: char) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn in_html(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Percent escapes; `space` is how a blank is written.
fn in_url(text: &str, space: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b' ' => out.push_str(space),
            byte => {
                out.push('%');
                push_hex(&mut out, byte);
            }
        }
    }
    out
}

/// The same with the digits of its escapes in capitals, as the standard has them.
fn in_capitals(url: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(url.len()));
    let mut digits = 0;
    for c in url.chars() {
        out.push(if digits > 0 { c.to_ascii_uppercase() } else { c });
        digits = if c == '%' { 2 } else { digits - i32::from(digits > 0) };
    }
    out
}

fn in_hex(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 2));
    text.bytes().for_each(|byte| push_hex(&mut out, byte));
    out
}

fn push_hex(out: &mut String, byte: u8) {
    for half in [byte >> 4, byte & 15] {
        out.extend(char::from_digit(u32::from(half), 16));
    }
}

/// The letters of base64 that depend on the text alone where so many bytes stand before it.
fn in_base64(text: &str, before: usize, engine: &impl base64::Engine) -> Zeroizing<String> {
    let bytes = Zeroizing::new([&[0_u8; 2][..before], text.as_bytes()].concat());
    let all = Zeroizing::new(engine.encode(bytes.as_slice()));
    // Six bits a letter: the first letters hold bits of what stands before, the last one may hold bits of what follows.
    let first = [0, 2, 3][before];
    let whole = bytes.len() * 8 / 6;
    Zeroizing::new(all.get(first..whole.max(first)).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_servers_echo_of_secrets_is_cut_out() {
        const KEY: &str = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n";
        for (value, echoed, want) in [
            ("s3cret", "no s3cret, s3cret", "no (sensitive), (sensitive)"),
            ("s3cret", "PRIVILEGE 'S3CRET' is not valid", "PRIVILEGE '(sensitive)' is not valid"),
            ("S3creT\"x", "é {\"a\":\"s3cret\\\"X\"} é", "é {\"a\":\"(sensitive)\"} é"),
            ("s3cret", "nothing", "nothing"),
            ("", "nothing", "nothing"),
            ("a1-b2-c3-d4-e5-f6", "a1-b2-c3-d...", "a1-b2-c3-d..."),
            ("a1-b2-c3-d4-e5-f6", "a1-b2-c3-d4-...", "(sensitive)..."),
            ("a1-b2-c3-d4-e5-f6", "token ...-d4-e5-f6", "token ...-d4-e5-f6"),
            ("a1-b2-c3-d4-e5-f6", "token ...2-c3-d4-e5-f6", "token ...(sensitive)"),
            ("0123456789ab", "bad: 01234567", "bad: (sensitive)"),
            ("0123456789ab", "bad: 0123456", "bad: 0123456"),
            ("p@ss word/1+2", "POST ?p=p%40ss%20word%2F1%2B2&x", "POST ?p=(sensitive)&x"),
            ("p@ss word/1+2", "POST ?p=p%40ss+word%2f1%2b2", "POST ?p=(sensitive)"),
            ("it's a \\ secret", "got 'it\\'s a \\\\ secret'", "got '(sensitive)'"),
            ("<a>&\"b\"&<c>", "<p>&lt;a&gt;&amp;&quot;b&quot;&amp;&lt;c&gt;</p>", "<p>(sensitive)</p>"),
            ("hunter2hunter2", "Basic YW5hOmh1bnRlcjJodW50ZXIy", "Basic YW5hOm(sensitive)"),
            ("hunter2hunter2", "hex 68756e74657232 68756e74657232", "hex (sensitive) (sensitive)"),
            (KEY, "line 2 is bad: MIIEvQIBADANBgkq", "line 2 is bad: (sensitive)"),
            (KEY, r#"{"k":"-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"}"#, r#"{"k":"(sensitive)"}"#),
            (KEY, r#"{"k":"{\"j\":\"hkiG9w0BAQEFAASC\\n-----END KEY-----\\n\"}"}"#, r#"{"k":"{\"j\":\"(sensitive)\"}"}"#),
            ("grüße-aus-köln", "nein: grüße-aus-köln!", "nein: (sensitive)!"),
            ("grüße-aus-köln", r#"{"k":"gr\u00fc\u00dfe-aus-k\u00f6ln"}"#, r#"{"k":"(sensitive)"}"#),
            ("grüße-aus-köln", r#"{"k":"{\"j\":\"gr\\u00FC\\u00DFe-aus-k\\u00F6ln\"}"}"#, r#"{"k":"{\"j\":\"(sensitive)\"}"}"#),
            ("grüße-aus-köln", r"'gr\xfc\xdfe-aus-k\xf6ln'", "'(sensitive)'"),
            ("grüße-aus-köln", r"b'gr\xc3\xbc\xc3\x9fe-aus-k\xc3\xb6ln'", "b'(sensitive)'"),
            ("grüße-aus-köln", "gr\u{c3}\u{bc}\u{c3}\u{9f}e-aus-k\u{c3}\u{b6}ln", "(sensitive)"),
            ("schlüssel-\u{1f511}-an", r#""schl\u00fcssel-\ud83d\udd11-an""#, r#""(sensitive)""#),
            ("schlüssel-\u{1f511}-an", r"'schl\xfcssel-\U0001f511-an'", "'(sensitive)'"),
        ] {
            assert_eq!(Scrubber::of([value]).scrub(echoed.to_owned()), want, "{value}");
        }
    }

    #[test]
    fn one_secret_inside_another_leaves_nothing() {
        let scrubber = Scrubber::of(["abcdefgh", "xx-abcdefgh-yy"]);
        assert_eq!(scrubber.scrub("it is xx-abcdefgh-yy".to_owned()), "it is (sensitive)");
    }

    proptest! {
        /// However a server writes a secret down, and whatever stands around it, no eight letters of it in a row come through.
        #[test]
        fn nothing_of_a_secret_comes_through(
            value in "[A-Za-z0-9 /+=@:'\"\\\\&<>%\n-]{12,60}",
            before in "[a-z ]{0,20}",
            after in "[a-z ]{0,20}",
            form in 0_usize..10,
            user in "[a-z]{1,6}",
        ) {
            let value = value.trim().to_owned();
            prop_assume!(value.len() >= 12);
            let encoded = match form {
                0 => value.clone(),
                1 => serde_json::to_string(&value).unwrap(),
                2 => serde_json::to_string(&serde_json::to_string(&value).unwrap()).unwrap(),
                3 => in_url(&value, "%20").to_string(),
                4 => in_url(&value, "+").to_string(),
                5 => base64::engine::general_purpose::STANDARD.encode(&value),
                6 => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{user}:{value}")),
                7 => in_repr(&value, '\'').to_string(),
                8 => in_html(&value).to_string(),
                _ => value.to_uppercase(),
            };
            let echoed = format!("{before}[{encoded}]{after}");
            let scrubbed = Scrubber::of([value.as_str()]).scrub(echoed.clone());
            prop_assert!(scrubbed.contains(MASK), "{echoed:?} -> {scrubbed:?}");
            // Of base64 the letters at its ends hold bits of what is around: at most three of each may stay.
            let kept = scrubbed.len().saturating_sub(before.len() + after.len() + 2);
            let around = if form == 6 { user.len() * 4 / 3 + 6 } else { 12 };
            prop_assert!(kept <= MASK.len() * 2 + around, "{echoed:?} -> {scrubbed:?}");
        }
    }
}
