//! The fuzzer of `src/private_key.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::private_key::check(data));
