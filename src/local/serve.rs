//! The workspace over HTTP on loopback.
use super::{LocalError, LocalWorkspace};
use crate::client::BoxFuture;

pub async fn serve(
    workspace: &LocalWorkspace,
    address: &str,
    ready: Box<dyn FnOnce(std::net::SocketAddr) + Send>,
    stop: BoxFuture<'static, ()>,
) -> Result<(), LocalError> {
    let _ = (workspace, address, ready, stop);
    todo!()
}
