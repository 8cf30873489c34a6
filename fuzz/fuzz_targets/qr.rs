//! The fuzzer of `src/qr.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::qr::check(data));
