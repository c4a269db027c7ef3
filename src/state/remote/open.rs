//! From a place to the store that keeps it.

use std::sync::Arc;

use super::objects::{ObjectError, Objects};
use super::place::{Bucket, Place};
use crate::model::Outside;

/// Opens a store of a cloud for one environment; asks nothing yet. Files of this machine and of a workspace are opened by
/// those who know the project and how to connect.
///
/// # Errors
/// Credentials that cannot be read, settings that make no sense, a cloud that this build leaves out.
pub fn open(place: &Place, environment: &str, outside: &Outside) -> Result<Option<Arc<dyn Objects>>, ObjectError> {
    Ok(match place {
        Place::File(_) | Place::Workspace(_) | Place::Volume(_) => None,
        Place::S3(bucket) => Some(s3(bucket, environment, outside)?),
        Place::Azure(bucket) => Some(azure(bucket, environment, outside)?),
        Place::Gcs(bucket) => Some(gcs(bucket, environment, outside)?),
    })
}

#[cfg(feature = "s3")]
fn s3(bucket: &Bucket, environment: &str, outside: &Outside) -> Result<Arc<dyn Objects>, ObjectError> {
    Ok(Arc::new(super::s3::open(bucket, environment, outside)?))
}

#[cfg(not(feature = "s3"))]
fn s3(_: &Bucket, _: &str, _: &Outside) -> Result<Arc<dyn Objects>, ObjectError> {
    Err(left_out("s3"))
}

#[cfg(feature = "azure")]
fn azure(bucket: &Bucket, environment: &str, outside: &Outside) -> Result<Arc<dyn Objects>, ObjectError> {
    Ok(Arc::new(super::azure::open(bucket, environment, outside)?))
}

#[cfg(not(feature = "azure"))]
fn azure(_: &Bucket, _: &str, _: &Outside) -> Result<Arc<dyn Objects>, ObjectError> {
    Err(left_out("azure"))
}

#[cfg(feature = "gcs")]
fn gcs(bucket: &Bucket, environment: &str, outside: &Outside) -> Result<Arc<dyn Objects>, ObjectError> {
    Ok(Arc::new(super::gcs::open(bucket, environment, outside)?))
}

#[cfg(not(feature = "gcs"))]
fn gcs(_: &Bucket, _: &str, _: &Outside) -> Result<Arc<dyn Objects>, ObjectError> {
    Err(left_out("gcs"))
}

#[cfg(not(all(feature = "s3", feature = "azure", feature = "gcs")))]
fn left_out(feature: &str) -> ObjectError {
    ObjectError {
        why: format!("this Brickform was built without `{feature}`"),
        help: vec![format!("build it with `--features {feature}`")],
        ..Default::default()
    }
}
