//! Retry and throttle as a pure state machine: `next(outcome, now)`.
