//! The fuzzer of `src/pem.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::pem::check(data));
