//! Requests of the eval-runs API, for one space.
//!
//! They are below `/genie/spaces` only; ids of agents are the same as those of spaces.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::client::{ApiError, Client};
use crate::kinds::{Call, Repeat};
use crate::model::{Map, Value};
use crate::report::benchmarks::{self, Before, BenchmarkRun, State};

/// What is told while runs go on.
pub enum Event {
    /// A run was begun, or an earlier one was found: the space's name and the run's id.
    Found(String, String),
    /// The space's name, answered questions, all of them.
    Progress(String, usize, usize),
    /// The space's name, the run's id, a state that this release does not know.
    Odd(String, String, String),
}

/// Which run is meant.
#[derive(Clone)]
pub enum Which {
    /// A new one, of these benchmarks; none: of all.
    New(Vec<String>),
    /// The newest that there is.
    Newest,
}

/// What is done with one space.
#[derive(Clone)]
pub struct Task {
    /// The workspace.
    pub client: Client,
    /// The space's id.
    pub space: String,
    /// What messages call it.
    pub name: String,
    /// Which run.
    pub which: Which,
    /// Whether it is compared with the run before.
    pub compare: bool,
    /// How long the end is waited for.
    pub timeout: Duration,
    /// Questions by the ids of their benchmarks.
    pub asked: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Default)]
pub struct Came {
    /// The run.
    pub run: Option<BenchmarkRun>,
    /// The run before.
    pub before: Option<Before>,
    /// Why there is no result, or only a part of one.
    pub problem: Option<String>,
}

/// A request that failed, and what it was for.
pub struct Broken {
    /// What was being done.
    pub doing: String,
    /// What the workspace answered.
    pub error: Box<ApiError>,
    /// The run that goes on all the same.
    pub run: Option<String>,
}

fn word(of: &Value, name: &str) -> String {
    of.get(name).map(Value::key_text).unwrap_or_default()
}

impl Task {
    async fn call(&self, op: &'static str, more: &[(&str, &str)], body: Option<Value>, repeat: Repeat) -> Result<Value, ApiError> {
        let path: Map =
            std::iter::once(("space_id", self.space.as_str())).chain(more.iter().copied()).map(|(k, v)| (k.to_owned(), v.into())).collect();
        let call = Call { op, path, query: Map::new(), body, why: "benchmarks", repeat };
        // A list comes in pages; anything else has one.
        Ok(self.client.read_pages(&call, "page_token", "").await?.body)
    }

    async fn read(&self, op: &'static str, more: &[(&str, &str)]) -> Result<Value, ApiError> {
        self.call(op, more, None, Repeat::Safe).await
    }

    /// Starts or finds the run, waits for its end, reads its answers.
    pub async fn carried_out(&self, told: &UnboundedSender<Event>) -> Result<Came, Broken> {
        let broken = |doing: &str, run: Option<&str>| {
            let (doing, run) = (format!("{}: {doing}", self.name), run.map(str::to_owned));
            move |error: ApiError| Broken { doing, error: Box::new(error), run }
        };
        let needs_others = self.compare || matches!(self.which, Which::Newest);
        let others = if needs_others { self.newest_first().await.map_err(broken("earlier runs cannot be read", None))? } else { vec![] };
        let begun = match &self.which {
            Which::New(ids) => {
                let ids = Value::List(ids.iter().map(Value::text).collect());
                let members = Some(("benchmark_question_ids", ids)).filter(|(_, ids)| !ids.is_zero());
                let body = Some(Value::map(members));
                let begun = self.call("dashboards.genie.genie_create_eval_run", &[], body, Repeat::AfterLookup).await;
                begun.map_err(broken("the run could not be started", None))?
            }
            Which::Newest => match others.first() {
                Some(run) => run.clone(),
                None => return Ok(Came { problem: Some("its benchmarks have never been run".to_owned()), ..Came::default() }),
            },
        };
        let id = word(&begun, "eval_run_id");
        let _ = told.send(Event::Found(self.name.clone(), id.clone()));
        let ended = self.end_of(begun, told).await.map_err(broken("the run cannot be watched", Some(&id)))?;
        let mut run = self.results(&ended).await.map_err(broken("the answers cannot be read", Some(&id)))?;
        if matches!(self.which, Which::New(_)) && !self.asked.is_empty() {
            run.started_for(&self.asked);
        }
        let before = match others.iter().find(|other| word(other, "eval_run_id") != id && is_done(other)) {
            Some(other) if self.compare => {
                Some(self.before(other).await.map_err(broken("the answers of the run before cannot be read", Some(&id)))?)
            }
            _ => None,
        };
        Ok(Came { problem: self.problem(&run), run: Some(run), before })
    }

    /// Runs of the space, the newest first. The API does not say in which order it lists them.
    async fn newest_first(&self) -> Result<Vec<Value>, ApiError> {
        let mut body = self.read("dashboards.genie.genie_list_eval_runs", &[]).await?;
        let Some(Value::List(mut runs)) = body.as_map_mut().and_then(|map| map.shift_remove("eval_runs")) else { return Ok(vec![]) };
        runs.sort_by_key(|run| std::cmp::Reverse(benchmarks::created(run)));
        Ok(runs)
    }

    /// Looks again, less and less often, until the run has ended or the time is over; then it is given as it stood last. A
    /// state that is not known is told once and waited out like one that goes on, until there is nothing left to answer.
    async fn end_of(&self, begun: Value, told: &UnboundedSender<Event>) -> Result<Value, ApiError> {
        let id = word(&begun, "eval_run_id");
        let mut last = begun;
        let watch = async {
            let (mut pause, mut seen, mut odd) = (Duration::from_millis(250), usize::MAX, String::new());
            loop {
                let status = word(&last, "eval_run_status");
                let number = |name: &str| last.get(name).and_then(Value::as_i64).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
                let (done, of) = (number("num_done"), number("num_questions"));
                match benchmarks::state(&status) {
                    State::Done | State::Broken => break,
                    State::Unknown if of > 0 && done >= of => break,
                    State::Unknown if status != odd => {
                        let _ = told.send(Event::Odd(self.name.clone(), id.clone(), status.clone()));
                        odd = status;
                    }
                    State::Running | State::Unknown => {}
                }
                if done != seen {
                    let _ = told.send(Event::Progress(self.name.clone(), done, of));
                    seen = done;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 3 / 2).min(Duration::from_secs(10));
                last = self.read("dashboards.genie.genie_get_eval_run", &[("eval_run_id", &id)]).await?;
            }
            Ok(())
        };
        // Whether the time was over shows in the run's state.
        tokio::time::timeout(self.timeout, watch).await.unwrap_or(Ok(()))?;
        Ok(last)
    }

    async fn results(&self, run: &Value) -> Result<BenchmarkRun, ApiError> {
        let id = word(run, "eval_run_id");
        let body = self.read("dashboards.genie.genie_list_eval_results", &[("eval_run_id", &id)]).await?;
        let rows = body.get("eval_results").and_then(Value::as_list).unwrap_or_default();
        let mut tasks = JoinSet::new();
        for result in rows.iter().map(|row| word(row, "result_id")) {
            let (task, id) = (self.clone(), id.clone());
            tasks.spawn(async move {
                let path = [("eval_run_id", id.as_str()), ("result_id", &result)];
                let details = task.read("dashboards.genie.genie_get_eval_result_details", &path).await;
                details.map(|details| (result.clone(), details))
            });
        }
        let details: BTreeMap<String, Value> = tasks.join_all().await.into_iter().collect::<Result<_, ApiError>>()?;
        Ok(benchmarks::run(run, rows, &details, &self.asked))
    }

    async fn before(&self, run: &Value) -> Result<Before, ApiError> {
        let run = self.results(run).await?;
        let verdicts = run.answers.iter().map(|answer| (answer.id.clone(), answer.question.clone(), answer.verdict)).collect();
        Ok(Before { from: format!("run {}", run.id), questions: run.questions, review: None, verdicts })
    }

    fn problem(&self, run: &BenchmarkRun) -> Option<String> {
        match benchmarks::state(&run.status) {
            State::Done => None,
            State::Broken => Some(format!("run {} ended as {}", run.id, run.status)),
            state @ (State::Running | State::Unknown) => {
                let answered = run.answers.iter().filter(|answer| benchmarks::state(&answer.status) == State::Done).count();
                let odd = if state == State::Unknown { format!(", and {}", odd(&run.status)) } else { String::new() };
                if state == State::Unknown && answered >= run.questions {
                    return Some(format!("run {} has answered all{odd}: whether its verdicts are final cannot be told", run.id));
                }
                let waited = self.timeout.as_secs();
                let waited = if waited == 0 { "has not ended".to_owned() } else { format!("has not ended after {waited} s") };
                Some(format!(
                    "run {} {waited} ({answered} of {} answered){odd}; it goes on in the workspace, `brickform genie bench {} --last` shows it",
                    run.id, run.questions, self.name
                ))
            }
        }
    }
}

/// What is said of a state that is not known.
pub fn odd(status: &str) -> String {
    let status: String = status.chars().filter(|c| !c.is_control()).take(60).collect();
    format!("its state is `{status}`, which this Brickform does not know")
}

fn is_done(run: &Value) -> bool {
    benchmarks::state(&word(run, "eval_run_status")) == State::Done
}
