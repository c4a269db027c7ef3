//! What others do to the workspace between two commits: they edit and delete what the platform owns, through the API.

use std::collections::BTreeSet;

use super::random::Random;
use crate::world::{World, request};

/// What may be done to an object of a collection; `{id}` is its id.
const DEEDS: &[(&str, &[&str])] = &[
    (
        "jobs",
        &[
            r#"POST /api/2.2/jobs/update {"job_id":{id},"new_settings":{"max_concurrent_runs":9}}"#,
            r#"POST /api/2.2/jobs/delete {"job_id":{id}}"#,
        ],
    ),
    (
        "warehouses",
        &[
            "DELETE /api/2.0/sql/warehouses/{id}",
            r#"POST /api/2.0/sql/warehouses/{id}/edit {"cluster_size":"X-Large"}"#,
            "POST /api/2.0/sql/warehouses/{id}/stop {}",
        ],
    ),
    (
        "catalogs",
        &[r#"PATCH /api/2.1/unity-catalog/catalogs/{id} {"comment":"drifted"}"#, "DELETE /api/2.1/unity-catalog/catalogs/{id}?force=true"],
    ),
    ("schemas", &["DELETE /api/2.1/unity-catalog/schemas/{id}?force=true"]),
    ("volumes", &[r#"PATCH /api/2.1/unity-catalog/volumes/{id} {"comment":"drifted"}"#, "DELETE /api/2.1/unity-catalog/volumes/{id}"]),
    ("queries", &["DELETE /api/2.0/sql/queries/{id}"]),
    ("alerts", &["DELETE /api/2.0/alerts/{id}"]),
    (
        "clusters",
        &[
            r#"POST /api/2.1/clusters/permanent-delete {"cluster_id":"{id}"}"#,
            r#"POST /api/2.1/clusters/delete {"cluster_id":"{id}"}"#,
            r#"POST /api/2.1/clusters/pin {"cluster_id":"{id}"}"#,
        ],
    ),
    ("cluster_policies", &[r#"POST /api/2.0/policies/clusters/delete {"policy_id":"{id}"}"#]),
    ("instance_pools", &[r#"POST /api/2.0/instance-pools/delete {"instance_pool_id":"{id}"}"#]),
    ("genie_spaces", &[r#"PATCH /api/2.0/genie/spaces/{id} {"description":"drifted"}"#, "DELETE /api/2.0/genie/spaces/{id}"]),
    (
        "groups",
        &[
            "DELETE /api/2.0/preview/scim/v2/Groups/{id}",
            r#"PATCH /api/2.0/preview/scim/v2/Groups/{id} {"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"2000000000003"}]}]}"#,
        ],
    ),
    ("users", &["DELETE /api/2.0/preview/scim/v2/Users/{id}"]),
    ("service_principals", &["DELETE /api/2.0/preview/scim/v2/ServicePrincipals/{id}"]),
    ("serving_endpoints", &["DELETE /api/2.0/serving-endpoints/{id}"]),
    (
        "secret_scopes",
        &[
            r#"POST /api/2.0/secrets/scopes/delete {"scope":"{id}"}"#,
            r#"POST /api/2.0/secrets/acls/put {"scope":"{id}","principal":"data-engineers","permission":"READ"}"#,
        ],
    ),
    ("workspace_tree", &[r#"POST /api/2.0/workspace/delete {"path":"{id}","recursive":true}"#]),
];

/// Does some of it; how much of it took effect.
pub async fn happens(world: &World, others: &BTreeSet<String>, random: &mut Random) -> u64 {
    let mut done = 0;
    // A schema that came with its catalog is not the platform's.
    for place in world.workspace.dump().into_keys().filter(|place| !others.contains(place) && !place.ends_with(".default")) {
        let Some((collection, id)) = place.split_once('/') else { continue };
        let Some((_, deeds)) = DEEDS.iter().find(|(c, _)| *c == collection) else { continue };
        if random.chance(80) {
            done += u64::from(sent(world, &random.one(deeds).replace("{id}", id)).await);
        }
    }
    // Reads that lag behind have caught up.
    for _ in 0..4 {
        sent(world, "POST /api/2.0/workspace/mkdirs {\"path\":\"/Shared\"}").await;
    }
    done
}

async fn sent(world: &World, line: &str) -> bool {
    world.workspace.handle(request(line)).await.is_ok_and(|answer| answer.status < 300)
}
