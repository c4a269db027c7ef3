#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| brickform_fuzz::targets::splice(bytes));
