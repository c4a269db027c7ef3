//! Which runtimes and machines there are, for refusing the others.
//!
//! A real workspace has the machines of one cloud and the runtimes of its day. This one stands for any of them: it knows
//! the machines of all three clouds by family and size, and runtimes by release.

use crate::local::answer::Refusal;
use crate::local::services::cluster_lists::NODES;
use crate::model::{Map, Value};

/// Refuses a runtime or a machine that is nowhere.
///
/// # Errors
/// 400, in the words that were reported.
pub fn check(spec: &Map) -> Result<(), Refusal> {
    let text = |name: &str| spec.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(version) = text("spark_version").filter(|version| !is_runtime(version)) {
        return Err(Refusal::invalid(format!("Invalid spark version {version}.")));
    }
    let machines = ["node_type_id", "driver_node_type_id"].into_iter().filter_map(text);
    if let Some(node) = machines.into_iter().find(|node| !is_machine(node)) {
        let known: Vec<&str> = NODES.iter().map(|(id, ..)| *id).collect();
        return Err(Refusal::invalid(format!("Node type {node} is not supported. Supported node types: {}", known.join(", "))));
    }
    Ok(())
}

/// Releases: major, the highest minor, the Scala versions. What came after the last one is taken for known.
const RELEASES: [(u32, u32, &[&str]); 12] = [
    (7, 6, &["2.12"]),
    (8, 4, &["2.12"]),
    (9, 1, &["2.12"]),
    (10, 5, &["2.12"]),
    (11, 3, &["2.12"]),
    (12, 2, &["2.12"]),
    (13, 3, &["2.12"]),
    (14, 3, &["2.12"]),
    (15, 4, &["2.12"]),
    (16, 4, &["2.12", "2.13"]),
    (17, 3, &["2.13"]),
    (u32::MAX, u32::MAX, &["2.13"]),
];

/// `15.4.x-scala2.12`, `15.4.x-cpu-ml-scala2.12`, `15.4.x-aarch64-scala2.12`; an image of one's own.
fn is_runtime(version: &str) -> bool {
    if version.starts_with("custom:") {
        return true;
    }
    let Some((release, rest)) = version.split_once(".x-") else { return false };
    let Some((major, minor)) = release.split_once('.') else { return false };
    let (Ok(major), Ok(minor)) = (major.parse::<u32>(), minor.parse::<u32>()) else { return false };
    let Some((_, highest, scalas)) = RELEASES.iter().find(|(known, ..)| *known == major).or(RELEASES.last().filter(|_| major > 17)) else {
        return false;
    };
    let (variant, scala) = rest.rsplit_once("-scala").map_or(("", rest.strip_prefix("scala").unwrap_or_default()), |found| found);
    // Photon is a member of its own since 11.
    let is_photon = matches!(variant, "photon" | "aarch64-photon") && major < 11;
    let is_variant = is_photon || matches!(variant, "" | "cpu-ml" | "gpu-ml" | "aarch64");
    minor <= *highest && is_variant && scalas.contains(&scala)
}

const AWS: &[&str] = &[
    "c4",
    "c5",
    "c5a",
    "c5ad",
    "c5d",
    "c5n",
    "c6g",
    "c6gd",
    "c6i",
    "c6id",
    "c6in",
    "c7g",
    "c7gd",
    "c7i",
    "d3",
    "d3en",
    "g4dn",
    "g5",
    "g6",
    "i2",
    "i3",
    "i3en",
    "i4g",
    "i4i",
    "i7ie",
    "im4gn",
    "is4gen",
    "m4",
    "m5",
    "m5a",
    "m5ad",
    "m5d",
    "m5dn",
    "m5n",
    "m5zn",
    "m6g",
    "m6gd",
    "m6i",
    "m6id",
    "m6idn",
    "m6in",
    "m7g",
    "m7gd",
    "m7i",
    "p3",
    "p3dn",
    "p4d",
    "p4de",
    "p5",
    "r3",
    "r4",
    "r5",
    "r5a",
    "r5ad",
    "r5d",
    "r5dn",
    "r5n",
    "r6a",
    "r6g",
    "r6gd",
    "r6i",
    "r6id",
    "r6idn",
    "r6in",
    "r7g",
    "r7gd",
    "r7i",
    "r8g",
    "r8gd",
    "z1d",
    "c-fleet",
    "m-fleet",
    "md-fleet",
    "mg-fleet",
    "mgd-fleet",
    "r-fleet",
    "rd-fleet",
    "rg-fleet",
    "rgd-fleet",
];
const GCP: &[&str] = &["n1", "n2", "n2d", "n4", "e2", "c2", "c2d", "c3", "c3d", "c4", "t2d", "m1", "a2", "a3", "g2"];

/// A machine of a cloud, by the form of its name: `Standard_D4ds_v5`, `i3.xlarge`, `n2-highmem-4`.
fn is_machine(id: &str) -> bool {
    if let Some(rest) = id.strip_prefix("Standard_") {
        return is_azure(rest);
    }
    if let Some((family, size)) = id.split_once('.') {
        let large = size.strip_suffix("xlarge").is_some_and(|times| times.bytes().all(|b| b.is_ascii_digit()));
        return AWS.contains(&family) && (size == "large" || large);
    }
    let parts: Vec<&str> = id.split('-').collect();
    let sizes = ["standard", "highmem", "highcpu", "highgpu", "megagpu", "ultragpu", "megamem", "ultramem"];
    match parts.as_slice() {
        [family, size, count, ..] => {
            let count = count.strip_suffix('g').unwrap_or(count);
            GCP.contains(family) && sizes.contains(size) && !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

/// What follows `Standard_`: one of the older sizes, or a family, a number, letters and a generation.
fn is_azure(rest: &str) -> bool {
    let mut parts = rest.split('_');
    let size = parts.next().unwrap_or_default();
    let family = size.find(|c: char| c.is_ascii_digit()).unwrap_or(size.len());
    let (family, number) = size.split_at(family);
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    let (digits, letters) = number.split_at(digits);
    let known =
        matches!(family, "D" | "DS" | "DC" | "E" | "EC" | "F" | "FX" | "G" | "GS" | "L" | "M" | "NC" | "ND" | "NV" | "H" | "HB" | "HC");
    let rest: Vec<&str> = parts.collect();
    let generation = rest.last().and_then(|last| last.strip_prefix('v')).is_some_and(|v| (2..=7).any(|n| v == n.to_string()));
    let older = rest.is_empty() && matches!((family, digits), ("F", _)) && letters == "s";
    known && !digits.is_empty() && letters.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && (generation || older)
}

#[cfg(test)]
mod tests {
    use super::{is_machine, is_runtime};

    #[test]
    fn runtimes() {
        for good in [
            "15.4.x-scala2.12",
            "15.4.x-cpu-ml-scala2.12",
            "14.1.x-gpu-ml-scala2.12",
            "13.3.x-aarch64-scala2.12",
            "10.4.x-photon-scala2.12",
            "16.4.x-scala2.13",
            "17.3.x-scala2.13",
            "18.1.x-scala2.13",
            "custom:mine",
        ] {
            assert!(is_runtime(good), "{good}");
        }
        for bad in [
            "",
            "2",
            "text",
            "15.4",
            "13.0.x-scala2.11",
            "11.3.x-photon-scala2.12",
            "15.9.x-scala2.12",
            "17.3.x-scala2.12",
            "15.4.x-mad-scala2.12",
            "15.4.x-",
        ] {
            assert!(!is_runtime(bad), "{bad}");
        }
    }

    #[test]
    fn machines() {
        for good in [
            "Standard_DS3_v2",
            "Standard_D4ds_v5",
            "Standard_E8ds_v5",
            "Standard_L8s_v3",
            "Standard_NC4as_T4_v3",
            "Standard_F4s",
            "Standard_E4-2ds_v5",
        ] {
            assert!(is_machine(good), "{good}");
        }
        for good in ["i3.xlarge", "m5.large", "r6id.24xlarge", "rd-fleet.2xlarge", "n2-highmem-4", "a2-highgpu-1g", "n1-standard-16"] {
            assert!(is_machine(good), "{good}");
        }
        for bad in [
            "",
            "n",
            "text",
            "small",
            "Standard_DS3",
            "Standard_v2",
            "Standard_D4ds_v9",
            "i3.huge",
            "q9.xlarge",
            "n2-highmem",
            "n2-highmem-x",
            "é.xlarge",
        ] {
            assert!(!is_machine(bad), "{bad}");
        }
    }
}
