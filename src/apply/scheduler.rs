//! Which step is next: a pure state machine over the plan's graph.
