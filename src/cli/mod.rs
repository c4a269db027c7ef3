//! One file a command: arguments in, one call down, result out. The only place that prints, prompts and wires things
//! together.
