//! The fuzzer of `src/report.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::report::check(data));
