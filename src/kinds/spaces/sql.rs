//! The words of a piece of SQL, as far as rules about spaces need them: parameters and names of columns. No grammar: what is
//! not understood is passed over.

/// A part of SQL that is neither space, nor comment, nor text in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// In backticks.
    Quoted(String),
    Parameter(String),
    Sign(char),
}

/// The parameters, `:name`, in their order, each once. The colon of a path into JSON (`raw:owner`) and of a cast (`a::int`)
/// begin none.
pub(super) fn parameters(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens(sql) {
        if let Token::Parameter(name) = token
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    found
}

/// Words of SQL, of its types and of intervals that are no columns.
const WORDS: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "at",
    "between",
    "bigint",
    "binary",
    "boolean",
    "both",
    "by",
    "case",
    "cast",
    "char",
    "current_date",
    "current_timestamp",
    "current_user",
    "date",
    "day",
    "days",
    "decimal",
    "desc",
    "distinct",
    "div",
    "double",
    "else",
    "end",
    "escape",
    "exists",
    "false",
    "filter",
    "first",
    "float",
    "following",
    "hour",
    "hours",
    "ignore",
    "ilike",
    "in",
    "int",
    "integer",
    "interval",
    "is",
    "last",
    "leading",
    "like",
    "long",
    "map",
    "minute",
    "minutes",
    "month",
    "months",
    "not",
    "null",
    "nulls",
    "or",
    "order",
    "over",
    "partition",
    "preceding",
    "range",
    "real",
    "regexp",
    "respect",
    "rlike",
    "row",
    "rows",
    "second",
    "seconds",
    "smallint",
    "some",
    "string",
    "struct",
    "then",
    "time",
    "timestamp",
    "timestamp_ntz",
    "tinyint",
    "to",
    "trailing",
    "true",
    "unbounded",
    "varchar",
    "week",
    "weeks",
    "when",
    "where",
    "within",
    "group",
    "year",
    "years",
    "zone",
    "quarter",
    "quarters",
];

/// The dotted names of columns: each as its parts. None where the SQL holds more than an expression (a query of its own, a
/// function of its own): what a name stands for cannot be told there.
pub(super) fn columns(sql: &str) -> Option<Vec<Vec<String>>> {
    let tokens = tokens(sql);
    let is = |at: usize, sign: char| tokens.get(at) == Some(&Token::Sign(sign));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (mut parts, plain) = match &tokens[at] {
            Token::Word(word) => (vec![word.clone()], true),
            Token::Quoted(word) => (vec![word.clone()], false),
            Token::Sign('-') if is(at + 1, '>') => return None,
            Token::Sign(_) | Token::Parameter(_) => {
                at += 1;
                continue;
            }
        };
        let lower = parts[0].to_lowercase();
        if plain && matches!(lower.as_str(), "select" | "with" | "from") {
            return None;
        }
        while is(at + 1, '.') {
            let Some(Token::Word(next) | Token::Quoted(next)) = tokens.get(at + 2) else { break };
            parts.push(next.clone());
            at += 2;
        }
        at += 1;
        // A function, a word of SQL, a path into JSON.
        let called = is(at, '(');
        let known = plain && parts.len() == 1 && WORDS.contains(&lower.as_str());
        if !called && !known {
            found.push(parts);
        }
        while is(at, ':') && matches!(tokens.get(at + 1), Some(Token::Word(_) | Token::Quoted(_))) {
            at += 2;
            while is(at, '.') && matches!(tokens.get(at + 1), Some(Token::Word(_) | Token::Quoted(_))) {
                at += 2;
            }
        }
    }
    Some(found)
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(sql: &str) -> Vec<Token> {
    let chars: Vec<char> = sql.chars().collect();
    let text = |from: usize, to: usize| chars[from.min(chars.len())..to.min(chars.len())].iter().collect::<String>();
    let until = |from: usize, ends: &dyn Fn(char) -> bool| (from..chars.len()).find(|i| ends(chars[*i])).unwrap_or(chars.len());
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let next = chars.get(at + 1).copied();
        let before = at.checked_sub(1).and_then(|i| chars.get(i)).copied();
        at = match (c, next) {
            (c, _) if c.is_whitespace() => at + 1,
            ('-', Some('-')) => until(at, &|c| c == '\n'),
            ('/', Some('*')) => {
                (at + 2..chars.len()).find(|i| chars[*i] == '*' && chars.get(i + 1) == Some(&'/')).map_or(chars.len(), |i| i + 2)
            }
            ('\'' | '"', _) => {
                let mut end = at + 1;
                while end < chars.len() && chars[end] != c {
                    end += if chars[end] == '\\' { 2 } else { 1 };
                }
                end + 1
            }
            ('`', _) => {
                let end = until(at + 1, &|c| c == '`');
                found.push(Token::Quoted(text(at + 1, end)));
                end + 1
            }
            (':', Some(':')) => {
                // The type of a cast is no column.
                let start = until(at + 2, &|c| !c.is_whitespace());
                until(start, &|c| !is_letter(c))
            }
            (':', Some(n))
                if (n.is_alphabetic() || n == '_') && !before.is_some_and(|b| is_letter(b) || matches!(b, ')' | ']' | '`' | ':')) =>
            {
                let end = until(at + 1, &|c| !is_letter(c));
                found.push(Token::Parameter(text(at + 1, end)));
                end
            }
            (c, _) if c.is_ascii_digit() => until(at, &|c| !is_letter(c) && c != '.'),
            (c, _) if is_letter(c) => {
                let end = until(at, &|c| !is_letter(c));
                found.push(Token::Word(text(at, end)));
                end
            }
            (c, _) => {
                found.push(Token::Sign(c));
                at + 1
            }
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_told_from_paths_casts_texts_and_comments() {
        for (sql, wanted) in [
            ("SELECT * FROM t WHERE day = :day AND r = :region AND x = :day", vec!["day", "region"]),
            ("SELECT raw:owner.name, a::int, `b`:c FROM t", vec![]),
            ("SELECT ':no', \":no\" -- :no\n, /* :no */ :yes", vec!["yes"]),
            ("SELECT 'it''s :no', 'a\\':no' , (:yes)", vec!["yes"]),
            ("WHERE x BETWEEN :from_day AND:to_day", vec!["from_day"]),
            ("'never closed :no", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(parameters(sql), wanted, "{sql}");
        }
    }

    #[test]
    fn columns_are_told_from_words_and_functions() {
        let told = |sql: &str| columns(sql).map(|all| all.iter().map(|parts| parts.join(".")).collect::<Vec<_>>());
        let some = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        for (sql, wanted) in [
            ("sum(orders.total)", some(&["orders.total"])),
            ("count(*)", some(&[])),
            ("CASE WHEN orders.state IN ('a', 'b') THEN 1.5e3 ELSE NULL END", some(&["orders.state"])),
            ("orders.day >= current_date() - INTERVAL 7 DAYS AND total > 1", some(&["orders.day", "total"])),
            ("cast(o.`two words` AS decimal(18, 2)) / o.n::double", some(&["o.two words", "o.n"])),
            ("o.raw:owner.name = 'x'", some(&["o.raw"])),
            ("o.id IN (SELECT id FROM other)", None),
            ("filter(o.list, x -> x > 1)", None),
            ("o.a = :p", some(&["o.a"])),
        ] {
            assert_eq!(told(sql), wanted, "{sql}");
        }
    }
}
