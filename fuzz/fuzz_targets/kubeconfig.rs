//! The fuzzer of `src/kubeconfig.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kube_enroll_fuzz::kubeconfig::check(data));
