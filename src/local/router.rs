//! From a request to an operation to a service.
use std::path::Path;

use super::{LocalError, LocalOptions};
use crate::client::{Request, Response, TransportError};

pub struct Inner {}

impl Inner {
    pub fn workspace_id(&self) -> u64 {
        todo!()
    }
    pub fn reset(&self) -> Result<(), LocalError> {
        todo!()
    }
    pub fn with(&self, options: LocalOptions) -> Result<Self, LocalError> {
        let _ = options;
        todo!()
    }
    pub fn dump(&self) -> std::collections::BTreeMap<String, crate::model::Value> {
        todo!()
    }
    pub fn requests(&self) -> u64 {
        todo!()
    }
}

pub fn open(file: Option<&Path>, options: LocalOptions) -> Result<Inner, LocalError> {
    let _ = (file, options);
    todo!()
}

pub async fn handle(inner: &Inner, request: Request) -> Result<Response, TransportError> {
    let _ = (inner, request);
    todo!()
}

pub fn coverage() -> Vec<(&'static str, String, String)> {
    todo!()
}
