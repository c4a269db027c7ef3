//! Reading: whatever the bytes are, a plan or a sentence that says what is wrong and where.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map as JsonMap, Value as Json};

use super::{Bound, Envelope, FORMAT, Saved, encode, write};
use crate::catalogue;
use crate::diff::{FieldChange, Uncompared};
use crate::kinds::{Call, Op, Repeat, Until};
use crate::model::{Address, Fingerprint, Map, Path, Value};
use crate::plan::{Action, Block, GUARDS, Halves, Options, Plan, Step};
use crate::state::WorkspaceIdentity;

/// Why bytes are no plan that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not JSON, or cut short.
    #[error("it is not whole JSON: {0}")]
    NotJson(String),
    /// JSON of another sort.
    #[error("it is {0}, not a plan that `plan --out` wrote")]
    Foreign(String),
    /// A newer Brickform wrote it.
    #[error("it has the format `{found}`, and this Brickform reads `{FORMAT}`")]
    Newer {
        /// The format that it has.
        found: String,
    },
    /// Its digest is another one.
    #[error("it was changed after it was written: what it holds no longer has the digest that it carries")]
    Edited {
        /// What the file says.
        said: String,
        /// The digest of what it holds.
        found: String,
    },
    /// Something in it cannot be.
    #[error("`{place}` {why}")]
    Broken {
        /// The member: `plan.steps[3].calls[0].op`.
        place: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads a file.
///
/// # Errors
/// [`Fault`].
pub fn read(bytes: &[u8]) -> Result<Envelope, Fault> {
    let json: Json = serde_json::from_slice(bytes).map_err(|e| Fault::NotJson(e.to_string()))?;
    if !json.is_object() {
        return Err(Fault::Foreign(sort(&json).to_owned()));
    }
    let top = At { place: String::new(), json: &json };
    match json.get("format").and_then(Json::as_str) {
        Some(FORMAT) => {}
        Some(found) if version(found).is_some_and(|n| n > 1) => return Err(Fault::Newer { found: short(found) }),
        Some(found) => return Err(Fault::Foreign(format!("of the format `{}`", short(found)))),
        None => return Err(Fault::Foreign("JSON without a `format`".to_owned())),
    }
    let said: String = top.read("digest")?;
    let found = Fingerprint::of(top.member("plan")?.json.to_string().as_bytes());
    if said != found.0 {
        return Err(Fault::Edited { said: short(&said), found: found.short().to_owned() });
    }
    let around = ["format", "created", "expires", "commit", "digest", "verdicts"];
    let members = around.iter().map(|name| Ok((*name, top.member(name)?.json.clone()))).collect::<Result<Vec<_>, Fault>>()?;
    let (said, found): (String, Fingerprint) = (top.read("seal")?, write::seal(&members));
    if said != found.0 {
        return Err(Fault::Edited { said: short(&said), found: found.short().to_owned() });
    }
    Ok(Envelope {
        created: top.time("created")?,
        expires: top.time("expires")?,
        commit: top.read("commit")?,
        verdicts: top.each("verdicts", block)?,
        saved: saved(&top.member("plan")?)?,
    })
}

fn version(format: &str) -> Option<u64> {
    format.strip_prefix("brickform.saved-plan/")?.parse().ok()
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn sort(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}

/// A member with its place.
struct At<'a> {
    place: String,
    json: &'a Json,
}

impl<'a> At<'a> {
    fn broken<T>(&self, why: impl Into<String>) -> Result<T, Fault> {
        Err(Fault::Broken { place: self.place.clone(), why: why.into() })
    }

    fn member(&self, name: &str) -> Result<At<'a>, Fault> {
        let place = if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) };
        match self.json.get(name) {
            Some(json) => Ok(At { place, json }),
            None => Err(Fault::Broken { place, why: "is missing".to_owned() }),
        }
    }

    fn maybe(&self, name: &str) -> Option<At<'a>> {
        self.member(name).ok()
    }

    fn own<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        T::deserialize(self.json).or_else(|error| self.broken(format!("cannot be used: {error}")))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, Fault> {
        self.member(name)?.own()
    }

    fn items(&self) -> Result<Vec<At<'a>>, Fault> {
        let Json::Array(items) = self.json else { return self.broken(format!("is {}, not a list", sort(self.json))) };
        Ok(items.iter().enumerate().map(|(i, json)| At { place: format!("{}[{i}]", self.place), json }).collect())
    }

    fn map(&self) -> Result<&'a JsonMap<String, Json>, Fault> {
        match self.json {
            Json::Object(map) => Ok(map),
            other => self.broken(format!("is {}, not a map", sort(other))),
        }
    }

    fn each<T>(&self, name: &str, one: impl Fn(&At<'a>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        self.member(name)?.items()?.iter().map(one).collect()
    }

    /// The same, where the member may be missing.
    fn each_maybe<T>(&self, name: &str, one: impl Fn(&At<'a>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        if self.maybe(name).is_some() { self.each(name, one) } else { Ok(vec![]) }
    }

    fn time(&self, name: &str) -> Result<Timestamp, Fault> {
        let member = self.member(name)?;
        let text: String = member.own()?;
        text.parse().or_else(|_| member.broken(format!("is `{}`, no time", short(&text))))
    }

    fn value(&self) -> Result<Value, Fault> {
        encode::read(self.json).or_else(|why| self.broken(why))
    }
}

fn saved(at: &At<'_>) -> Result<Saved, Fault> {
    let bound = at.member("bound")?;
    Ok(Saved {
        plan: plan(at)?,
        program: at.read("program")?,
        choices: choices(&at.member("choices")?)?,
        given: at.read("given")?,
        bound: Bound {
            configuration: bound.read("configuration")?,
            environment: bound.read("environment")?,
            files: bound.read("files")?,
            lookups: bound.read("lookups")?,
            secrets: bound.read("secrets")?,
            kinds: bound.read("kinds")?,
        },
    })
}

fn plan(at: &At<'_>) -> Result<Plan, Fault> {
    let (workspace, state) = (at.member("workspace")?, at.member("state")?);
    let mut steps = at.each("steps", step)?;
    let quiet = at.member("quiet")?;
    for (address, json) in quiet.map()? {
        let of = At { place: format!("{}.{address}", quiet.place), json };
        let address: Address = address.parse().or_else(|error| of.broken(format!("is no address: {error}")))?;
        let unmanaged: u32 = of.read("unmanaged")?;
        if unmanaged > 100_000 {
            return of.broken("has more unmanaged fields than an object can have");
        }
        let mut step = nothing(address, of.read("kind")?);
        step.unmanaged = (0..unmanaged).map(|_| (Path::root(), Value::Null)).collect();
        step.uncompared = of.each_maybe("uncompared", uncompared)?;
        steps.push(step);
    }
    steps.sort_by(|a, b| a.address.cmp(&b.address));
    if let Some(twice) = steps.windows(2).find(|w| w[0].address == w[1].address) {
        return at.broken(format!("has {} twice", twice[0].address));
    }
    Ok(Plan {
        environment: at.read("environment")?,
        project: at.read("project")?,
        workspace: WorkspaceIdentity { host: workspace.read("host")?, id: workspace.read("id")? },
        lineage: state.read("lineage")?,
        serial: state.read("serial")?,
        state_place: state.read("place")?,
        destroy: at.read("destroy")?,
        steps,
        blocks: at.each("blocks", block)?,
        warnings: at.each("warnings", block)?,
        requests: 0,
        looked_ahead: None,
        refreshed: at.read("refreshed")?,
        left_out: at.read("left_out")?,
        lifted: std::collections::BTreeSet::new(),
        pinning: crate::plan::Pinning::Stays,
    })
}

fn nothing(address: Address, kind: String) -> Step {
    let name = address.key.clone();
    Step { kind, name, ..Step::bare(address, Action::None) }
}

fn choices(at: &At<'_>) -> Result<Options, Fault> {
    Ok(Options {
        destroy: at.read("destroy")?,
        include_adopted: at.read("include_adopted")?,
        targets: at.read("targets")?,
        excludes: at.read("excludes")?,
        replace: at.read("replace")?,
        adopt: at.read("adopt")?,
        no_refresh: at.read("no_refresh")?,
        drift_only: at.read("drift_only")?,
        allow_delete: at.read("allow_delete")?,
        accept_conflicts: at.read("accept_conflicts")?,
        provenance: crate::plan::Provenance::default(),
        // Plans that were written before there was such a look know nothing of it.
        preflight: at.json.get("preflight").is_some_and(|given| given == &Json::Bool(true)),
        keep_seen: false,
        overrides: at.read("overrides")?,
        allow_policies: at.read("allow_policies")?,
        only: None,
        // Only where something is taken over: who does.
        takers: crate::plan::Takers {
            caller: at.json.get("taker").and_then(Json::as_str).map(str::to_owned),
            ..crate::plan::Takers::default()
        },
    })
}

fn step(at: &At<'_>) -> Result<Step, Fault> {
    let unmanaged: Vec<Path> = at.read("unmanaged")?;
    let desired = at.member("desired")?;
    Ok(Step {
        address: at.read("address")?,
        kind: at.read("kind")?,
        action: at.read("action")?,
        because: at.read("because")?,
        id: at.read("id")?,
        name: at.read("name")?,
        link: at.read("link")?,
        moved_from: at.read("moved_from")?,
        changes: at.each("changes", change)?,
        kept: at.each_maybe("kept", change)?,
        forces: at.read("forces")?,
        loses: at.read("loses")?,
        unmanaged: unmanaged.into_iter().map(|path| (path, Value::Null)).collect(),
        uncompared: at.each_maybe("uncompared", uncompared)?,
        calls: at.each("calls", call)?,
        delete_calls: at.each("delete_calls", call)?,
        after: at.read("after")?,
        delete_after: at.maybe("delete_after").map_or(Ok(vec![]), |at| at.own())?,
        halves: at.maybe("halves").map_or(Ok(Halves::Together), |at| at.own())?,
        blocks: at.each("blocks", block)?,
        templated: at.each_maybe("templated", At::own)?,
        notes: at.read("notes")?,
        takes: at.maybe("takes").map_or(Ok(vec![]), |at| at.own())?,
        goes: at.maybe("goes").map_or_else(|| Ok(std::collections::BTreeMap::new()), |at| at.own())?,
        entry: None,
        desired: if desired.json.is_null() { None } else { Some(desired.value()?) },
        live: None,
        wait: at.read("wait")?,
        seen: None,
    })
}

fn uncompared(at: &At<'_>) -> Result<Uncompared, Fault> {
    Ok(Uncompared { path: at.read("path")?, why: at.read("why")? })
}

fn change(at: &At<'_>) -> Result<FieldChange, Fault> {
    let side = |name: &str| at.maybe(name).map(|side| side.value()).transpose();
    Ok(FieldChange { path: at.read("path")?, old: side("old")?, new: side("new")?, applied: side("applied")?, reason: at.read("reason")? })
}

fn call(at: &At<'_>) -> Result<Call, Fault> {
    let members = |name: &str| -> Result<Map, Fault> {
        let map = at.member(name)?;
        let all = map.map()?;
        all.iter().map(|(key, json)| Ok((key.clone(), At { place: format!("{}.{key}", map.place), json }.value()?))).collect()
    };
    let (op, why) = (at.member("op")?, at.member("why")?);
    let repeat: String = at.read("repeat")?;
    let op = operation(&op)?;
    Ok(Call {
        op,
        path: members("path")?,
        query: members("query")?,
        body: at.maybe("body").map(|body| body.value()).transpose()?,
        why: crate::model::word(&why.own::<String>()?).map_or_else(|| why.broken("is longer than a few words"), Ok)?,
        repeat: match (repeat.as_str(), Until::of(op)) {
            ("after_lookup", _) => Repeat::AfterLookup,
            ("until", Some(until)) => Repeat::Until(until),
            _ => Repeat::Safe,
        },
    })
}

fn operation(at: &At<'_>) -> Result<Op, Fault> {
    let name: String = at.own()?;
    match catalogue::operation(&name) {
        Some(operation) => Ok(operation.name),
        None => at.broken(format!("is `{}`, an operation that this Brickform does not know", short(&name))),
    }
}

fn block(at: &At<'_>) -> Result<Block, Fault> {
    let guard: String = at.read("guard")?;
    let Some(guard) = GUARDS.iter().copied().find(|known| *known == guard) else {
        return at.broken(format!("has the guard `{}`, which this Brickform does not know", short(&guard)));
    };
    Ok(Block { guard, reason: at.read("reason")?, remedy: at.read("remedy")?, place: None })
}
