//! The request that changes a space, by either API.

use super::form::Wire;
use super::{AGENTS, SPACES, aligned, carry, ids, read, write};
use crate::kinds::call::{changed_fields, merged, with_id};
use crate::kinds::overlay::without_removed;
use crate::kinds::{Calls, Change, Path, Refusal, Request, Value};
use crate::model::Map;

const UPDATE: Request = Request::bare("dashboards.genie.update_space");
const UPDATE_AGENT: Request = Request::bare("extra.genie_agents.update");

/// One request to the spaces API. With the serialised space goes the etag that was read, so that what somebody changed in the
/// meantime is not overwritten unseen (409).
pub(super) fn serialised(change: &Change<'_>) -> Calls {
    let mut fields = differing(change, Wire::Serialised)?;
    if fields.contains_key(write::packed(Wire::Serialised)) {
        fields.extend(etag(change).map(|etag| ("etag".to_owned(), etag)));
    }
    Ok(vec![with_id(&SPACES, &UPDATE, change, Value::Map(fields), "update")])
}

/// One request to the agents API, with a mask and, where the definition changes, the etag that was read.
pub(super) fn typed(change: &Change<'_>) -> Calls {
    let fields = differing(change, Wire::Typed)?;
    let mask: Vec<String> = fields.keys().cloned().collect();
    let guarded = fields.contains_key(write::packed(Wire::Typed));
    let mut call = with_id(&AGENTS, &UPDATE_AGENT, change, Value::Map(fields), "update");
    call.query.insert("update_mask".to_owned(), Value::Text(mask.join(",")));
    if guarded {
        call.query.extend(etag(change).map(|etag| ("etag".to_owned(), etag)));
    }
    Ok(vec![call])
}

fn etag(change: &Change<'_>) -> Option<Value> {
    change.live.and_then(|live| live.get("etag")).filter(|etag| !etag.is_zero()).cloned()
}

/// The plain fields that differ, and the whole of the space's knowledge where anything in it does.
fn differing(change: &Change<'_>, wire: Wire) -> Result<Map, Refusal> {
    // An item that is reworded stands under its new name, so that what nobody here manages of it comes along.
    let live = change.live.map(|live| ids::renamed(aligned(live, change.desired), change.desired));
    let change = Change { live: live.as_ref(), ..*change };
    let plain = |path: &Path| path.first_field().filter(|name| read::is_beside(name)).map(str::to_owned);
    let mut names: Vec<String> = change.paths.iter().filter_map(plain).collect();
    let everything = change.paths.iter().any(Path::is_root);
    if everything {
        names = write::beside(change.desired).map(str::to_owned).collect();
    }
    names.dedup();
    let fields = changed_fields(&SPACES, &change, &UPDATE, &names)?;
    let mut fields: Map = fields.into_iter().map(|(name, value)| (write::plain(&name, wire).to_owned(), value)).collect();
    if everything || change.paths.iter().any(|path| plain(path).is_none()) {
        if let Some(version) = change.live.and_then(read::later_version) {
            let reason = format!(
                "the workspace has its definition in version {version}, and this release knows 1 and 2: an update would lose what that has gained. \
                 A newer Brickform may know it"
            );
            return Err(Refusal { path: Path::root(), reason });
        }
        let mut whole = merged(&SPACES, &change);
        if wire == Wire::Typed {
            let beyond: Vec<Path> = carry::beyond(&whole, change.desired).into_iter().map(|(path, _)| path).collect();
            whole = without_removed(&whole, change.desired, &beyond);
        }
        fields.insert(write::packed(wire).to_owned(), write::definition(&ids::complete(change.address, whole), wire));
    }
    Ok(fields)
}

/// What is there of a space whose definition an update sends.
fn replaced<'v>(change: &Change<'v>) -> Option<&'v Value> {
    let is_sent = |path: &Path| path.first_field().is_none_or(|name| !read::is_beside(name));
    change.live.filter(|_| change.paths.iter().any(is_sent))
}

/// What no update can bring along: members of further texts that say something else than those of the first.
pub(super) fn lost(change: &Change<'_>) -> Vec<String> {
    let Some(Value::Map(mut live)) = replaced(change).cloned() else { return vec![] };
    let told = |name: String| {
        format!(
            "the space has several texts of instructions, of which the API takes one: they come together, with the first one's `{name}`"
        )
    };
    read::together(&mut live).into_iter().map(told).collect()
}

/// The same, and what an update by the agents API cannot bring along.
pub(super) fn left_out(change: &Change<'_>) -> Vec<String> {
    let Some(live) = replaced(change) else { return vec![] };
    let live = ids::renamed(aligned(live, change.desired), change.desired);
    let whole = merged(&SPACES, &Change { live: Some(&live), ..*change });
    let mut told = lost(change);
    told.extend(carry::beyond(&whole, change.desired).into_iter().map(|(_, said)| said));
    told
}
