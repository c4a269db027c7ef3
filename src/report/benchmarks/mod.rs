//! Runs of the benchmarks of Genie spaces: what was asked, expected and answered, and what it is worth.
//!
//! Owns the score and whether it reaches the mark. Types and enums are those of the eval-runs API (the official SDK).

mod forms;
mod markdown;
mod read;
mod text;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::model::Value;

pub use forms::{csv, json, junit};
pub use markdown::markdown;
pub use read::{State, before, created, run, state};
pub use text::{progress, text};
pub use words::{REASONS, reason};

/// The format of the JSON; changes only when a reader of the old one would be misled.
pub const FORMAT: &str = "brickform.genie-bench/1";

/// What became of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is right.
    Good,
    /// Nobody knows: a person has to look.
    NeedsReview,
    /// The answer is wrong.
    Bad,
    /// There is no verdict: the run broke off, or is not there yet.
    None,
}

impl Verdict {
    /// The word in results for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::NeedsReview => "needs review",
            Self::Bad => "bad",
            Self::None => "no verdict",
        }
    }

    /// The word in JSON and CSV.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::NeedsReview => "needs_review",
            Self::Bad => "bad",
            Self::None => "none",
        }
    }

    fn of_code(code: &str) -> Self {
        [Self::Good, Self::NeedsReview, Self::Bad].into_iter().find(|verdict| verdict.code() == code).unwrap_or(Self::None)
    }

    /// How good it is beside others: a run is worse where this went down.
    fn rank(self) -> u8 {
        match self {
            Self::Good => 2,
            Self::NeedsReview => 1,
            Self::Bad | Self::None => 0,
        }
    }
}

/// What a question counts that needs review.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Review {
    /// It is not correct.
    #[default]
    Fail,
    /// It is correct.
    Pass,
    /// It is left out.
    Ignore,
}

impl Review {
    /// The word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Pass => "pass",
            Self::Ignore => "ignore",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        [Self::Fail, Self::Pass, Self::Ignore].into_iter().find(|review| review.word() == word)
    }
}

/// One question with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The benchmark's id.
    pub id: String,
    /// What is asked.
    pub question: String,
    /// The answer that is right: SQL or text; empty where there is none.
    pub expected: String,
    /// What Genie answered; empty where it did not.
    pub got: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, in the API's words: `RESULT_MISSING_ROWS`.
    pub reasons: Vec<String>,
    /// Whether a person gave the verdict.
    pub by_hand: bool,
    /// The API's word for where it is: `DONE`, `EVALUATION_TIMEOUT`.
    pub status: String,
}

impl Answer {
    /// Whether it answers the benchmark of this id, or one that asks the same.
    fn is_of(&self, id: &str, question: &str) -> bool {
        (!id.is_empty() && self.id == id) || self.question == question
    }
}

/// A run over the benchmarks of one space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchmarkRun {
    /// Its id.
    pub id: String,
    /// The API's word for where it is: `DONE`.
    pub status: String,
    /// When it was started, milliseconds since 1970.
    pub created: Option<i64>,
    /// How many questions it has.
    pub questions: usize,
    /// The questions that it tells of.
    pub answers: Vec<Answer>,
}

/// An earlier run that this one is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// Where it is from: a file, `the run of 2026-01-02`.
    pub from: String,
    /// How many questions it has.
    pub questions: usize,
    /// What counted a question that needs review where it was told of; its score is never taken from there, but counted as that of
    /// the run it is compared with.
    pub review: Option<Review>,
    /// The benchmark's id, what is asked, the verdict.
    pub verdicts: Vec<(String, String, Verdict)>,
}

impl Before {
    /// Its score, counted like this; none where it told of no run.
    #[must_use]
    pub fn score(&self, review: Review) -> Option<Score> {
        let any = self.questions > 0 || !self.verdicts.is_empty();
        any.then(|| counted(self.verdicts.iter().map(|(.., verdict)| *verdict), self.questions, review))
    }

    /// What became of a question then.
    #[must_use]
    pub fn of(&self, answer: &Answer) -> Option<Verdict> {
        let by_id = self.verdicts.iter().find(|(id, ..)| *id == answer.id && !id.is_empty());
        by_id.or_else(|| self.verdicts.iter().find(|(_, question, _)| *question == answer.question)).map(|(.., verdict)| *verdict)
    }
}

/// One space.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// Its address; none where it is named by its id and not managed here.
    pub address: Option<String>,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its page.
    pub link: Option<String>,
    /// What to know of it: `differs from YAML`.
    pub notes: Vec<String>,
    /// The run, as far as it is known.
    pub run: Option<BenchmarkRun>,
    /// Benchmarks that the space has now and the run did not ask: a run that somebody else picked the questions of.
    pub unasked: Vec<String>,
    /// What it is compared with.
    pub before: Option<Before>,
    /// Why there is no result, or only a part of one.
    pub problem: Option<String>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Correct.
    pub good: usize,
    /// Of these.
    pub of: usize,
}

impl Score {
    /// In percent; none where nothing counts.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a space has at most some hundred benchmarks")]
    pub fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| (self.good * 100) as f64 / self.of as f64)
    }
}

/// Percent as it is shown: one decimal at most, never rounded up to a mark that is not reached.
#[must_use]
pub fn percent(value: f64) -> String {
    let text = format!("{:.1}", (value * 10.0 + 1e-6).floor() / 10.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// How a space stands beside the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is a score, and no mark.
    Open,
    /// The mark is reached.
    Reached,
    /// It is not.
    Under,
    /// The run failed or did not end.
    Broken,
}

/// Everything that a command ran or looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The environment, where there is one.
    pub environment: Option<String>,
    /// The workspace.
    pub host: String,
    /// The least percentage of correct answers of each space.
    pub mark: Option<f64>,
    /// What counts a question that needs review.
    pub review: Review,
    /// The spaces, by address.
    pub spaces: Vec<Space>,
}

impl Report {
    /// A space's score; none without a run.
    #[must_use]
    pub fn score(&self, space: &Space) -> Option<Score> {
        space.run.as_ref().map(|run| score(run, self.review))
    }

    /// Where a space stands. What has no verdict is not correct; where nothing counts, or not all was asked, no mark is reached.
    #[must_use]
    pub fn standing(&self, space: &Space) -> Standing {
        let percent = self.score(space).and_then(Score::percent);
        match (&space.problem, self.mark, percent) {
            (Some(_), ..) => Standing::Broken,
            (None, None, _) => Standing::Open,
            (None, Some(mark), Some(percent)) if percent >= mark && space.unasked.is_empty() => Standing::Reached,
            (None, Some(_), _) => Standing::Under,
        }
    }

    /// How many spaces stand so.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.spaces.iter().filter(|space| self.standing(space) == standing).count()
    }

    /// What all came to, in a few words.
    #[must_use]
    pub fn summary(&self) -> String {
        let all = super::text::plural(self.spaces.len() as u64, "space", "spaces");
        let mark = self.mark.map(percent).unwrap_or_default();
        let parts = [
            (Standing::Broken, "without a result".to_owned()),
            (Standing::Under, format!("under the mark of {mark}")),
            (Standing::Reached, format!("at {mark} or above")),
            (Standing::Open, "without a mark".to_owned()),
        ];
        let told = parts.into_iter().filter(|(standing, _)| self.count(*standing) > 0);
        let told: Vec<String> = told.map(|(standing, words)| format!("{} {words}", self.count(standing))).collect();
        if let ([only], true) = (self.spaces.as_slice(), self.mark.is_none())
            && let Some(percent) = self.score(only).and_then(Score::percent).filter(|_| only.problem.is_none())
        {
            return format!("{all}: {}", self::percent(percent));
        }
        format!("{all}: {}", told.join(", "))
    }
}

/// The score of a run.
#[must_use]
pub fn score(run: &BenchmarkRun, review: Review) -> Score {
    counted(run.answers.iter().map(|answer| answer.verdict), run.questions, review)
}

fn counted(verdicts: impl Iterator<Item = Verdict>, questions: usize, review: Review) -> Score {
    let verdicts: Vec<Verdict> = verdicts.collect();
    let count = |wanted: Verdict| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    let all = questions.max(verdicts.len());
    let open = count(Verdict::NeedsReview);
    match review {
        Review::Fail => Score { good: count(Verdict::Good), of: all },
        Review::Pass => Score { good: count(Verdict::Good) + open, of: all },
        Review::Ignore => Score { good: count(Verdict::Good), of: all - open },
    }
}

impl BenchmarkRun {
    /// Of a run that was started for these questions (by id): all of them count, answered or not, and no other.
    pub fn started_for(&mut self, asked: &BTreeMap<String, String>) {
        self.answers.retain(|answer| asked.contains_key(&answer.id) || asked.values().any(|question| *question == answer.question));
        self.questions = asked.len();
    }

    /// Which of these (questions by id) it did not ask; none where what it asked and does not tell of may be just these.
    #[must_use]
    pub fn unasked(&self, all: &BTreeMap<String, String>) -> Vec<String> {
        let told = |id: &str, question: &str| self.answers.iter().any(|answer| answer.is_of(id, question));
        let missing: Vec<String> = all.iter().filter(|(id, question)| !told(id, question)).map(|(_, question)| question.clone()).collect();
        let untold = self.questions.saturating_sub(self.answers.len());
        if missing.len() > untold { missing } else { vec![] }
    }

    /// Every text of it by this function.
    pub fn reworded(&mut self, text: &dyn Fn(String) -> String) {
        for answer in &mut self.answers {
            let texts = [&mut answer.question, &mut answer.expected, &mut answer.got, &mut answer.status];
            for one in texts.into_iter().chain(&mut answer.reasons) {
                *one = text(std::mem::take(one));
            }
        }
    }
}

impl Space {
    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.id)
    }

    /// Questions whose verdict went up or down since the earlier run, with both verdicts.
    #[must_use]
    pub fn moved(&self) -> Vec<(&Answer, Verdict)> {
        let (Some(before), Some(run)) = (&self.before, &self.run) else { return vec![] };
        let then = |answer| Some((answer, before.of(answer)?));
        run.answers.iter().filter_map(then).filter(|(answer, then)| answer.verdict.rank() != then.rank()).collect()
    }

    /// Questions that only one of the two runs asked: those that are new, and those that only the earlier one asked. None where
    /// one of them tells of no question.
    #[must_use]
    pub fn differently_asked(&self) -> (Vec<&str>, Vec<&str>) {
        let (Some(before), Some(run)) = (&self.before, &self.run) else { return Default::default() };
        if before.verdicts.is_empty() || run.answers.is_empty() {
            return Default::default();
        }
        let new = run.answers.iter().filter(|answer| before.of(answer).is_none()).map(|answer| answer.question.as_str());
        let here = |(id, question, _): &&(String, String, Verdict)| run.answers.iter().any(|answer| answer.is_of(id, question));
        let left_out = before.verdicts.iter().filter(|then| !here(then)).map(|(_, question, _)| question.as_str());
        (new.collect(), left_out.collect())
    }

    /// Questions whose verdict got worse.
    #[must_use]
    pub fn worse(&self) -> Vec<(&Answer, Verdict)> {
        self.moved().into_iter().filter(|(answer, then)| answer.verdict.rank() < then.rank()).collect()
    }
}

fn word(of: &Value, name: &str) -> String {
    of.get(name).map(printable).unwrap_or_default()
}

/// A text of the workspace without what would steer a terminal.
fn printable(value: &Value) -> String {
    let shown = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c };
    value.key_text().chars().map(shown).collect()
}
