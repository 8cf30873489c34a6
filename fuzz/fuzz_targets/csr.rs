//! The fuzzer of `src/csr.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::csr::check(data));
