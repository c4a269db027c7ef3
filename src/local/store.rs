//! Objects in an embedded database (redb).
