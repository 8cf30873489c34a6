//! The fuzzer of `src/manifest.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::manifest::check(data));
