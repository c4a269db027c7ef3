//! Why an answer is wrong, in plain words.

/// The API's words (`ScoreReason`) and ours.
pub const REASONS: &[(&str, &str)] = &[
    ("COLUMN_TYPE_DIFFERENCE", "a column has another type"),
    ("EMPTY_GOOD_SQL", "the expected SQL gives no rows"),
    ("EMPTY_RESULT", "nothing came back"),
    ("LLM_JUDGE_FORMATTING_ERROR", "it is formatted otherwise"),
    ("LLM_JUDGE_INCOMPLETE_OR_PARTIAL_OUTPUT", "it answers only a part"),
    ("LLM_JUDGE_INCORRECT_FUNCTION_USAGE", "it uses a function wrongly"),
    ("LLM_JUDGE_INCORRECT_METRIC_CALCULATION", "it calculates the figure wrongly"),
    ("LLM_JUDGE_INCORRECT_TABLE_OR_FIELD_USAGE", "it uses a wrong table or column"),
    ("LLM_JUDGE_INSTRUCTION_COMPLIANCE_OR_MISSING_BUSINESS_LOGIC", "it does not follow the instructions"),
    ("LLM_JUDGE_MISINTERPRETATION_OF_USER_REQUEST", "it misunderstands the question"),
    ("LLM_JUDGE_MISSING_JOIN", "it lacks a join"),
    ("LLM_JUDGE_MISSING_OR_INCORRECT_AGGREGATION", "it aggregates wrongly or not at all"),
    ("LLM_JUDGE_MISSING_OR_INCORRECT_FILTER", "it filters wrongly or not at all"),
    ("LLM_JUDGE_MISSING_OR_INCORRECT_JOIN", "it joins wrongly or not at all"),
    ("LLM_JUDGE_OTHER", "the judge gives no closer reason"),
    ("LLM_JUDGE_SEMANTIC_ERROR", "it means something else"),
    ("LLM_JUDGE_SYNTAX_ERROR", "it is no valid SQL"),
    ("LLM_JUDGE_WRONG_AGGREGATION", "it aggregates wrongly"),
    ("LLM_JUDGE_WRONG_COLUMNS", "it gives other columns"),
    ("LLM_JUDGE_WRONG_FILTER", "it filters other rows"),
    ("RESULT_EXTRA_COLUMNS", "it has columns too many"),
    ("RESULT_EXTRA_ROWS", "it has rows too many"),
    ("RESULT_MISSING_COLUMNS", "it lacks columns"),
    ("RESULT_MISSING_ROWS", "it lacks rows"),
    ("SINGLE_CELL_DIFFERENCE", "its one value differs"),
];

/// A reason in plain words; one that is not known is the API's own word, written plainly.
#[must_use]
pub fn reason(word: &str) -> String {
    let known = REASONS.iter().find(|(name, _)| *name == word).map(|(_, plain)| (*plain).to_owned());
    known.unwrap_or_else(|| word.trim_start_matches("LLM_JUDGE_").replace('_', " ").to_lowercase())
}
