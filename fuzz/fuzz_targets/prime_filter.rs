//! The fuzzer of `src/prime_filter.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::prime_filter::check(data));
