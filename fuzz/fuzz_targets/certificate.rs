//! The fuzzer of `src/certificate.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::certificate::check(data));
