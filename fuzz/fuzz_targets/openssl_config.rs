//! The fuzzer of `src/openssl_config.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::openssl_config::check(data));
