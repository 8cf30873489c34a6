//! The fuzzer of `src/policy.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::policy::check(data));
