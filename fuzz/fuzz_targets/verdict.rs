//! The fuzzer of `src/verdict.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::verdict::check(data));
