//! The fuzzer of `src/reply.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::reply::check(data));
