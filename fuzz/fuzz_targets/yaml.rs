//! The fuzzer of `src/yaml.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::yaml::check(data));
