//! `kube_enroll::pem`: what is found can be cut out and found again, and what is written is read by
//! a reader that follows RFC 7468 to the letter.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kube_enroll::pem::{self, Block};

/// Takes any bytes for a file with PEM in it, and for contents.
pub fn check(data: &[u8]) {
    let mut end = 0;
    for block in pem::blocks(data) {
        assert!(end <= block.span.start && block.span.end <= data.len());
        end = block.span.end;
        let again = pem::first(&data[block.span.clone()]).expect("the same block");
        assert_eq!(parts(&again), parts(&block));
    }
    is_read_by_a_strict_reader("CERTIFICATE REQUEST", data);
    is_decoded_as_it_is_encoded(data);
}

fn parts(block: &Block) -> (&str, &[(String, String)], &[u8]) {
    (&block.label, &block.headers, &block.contents)
}

fn is_read_by_a_strict_reader(label: &str, contents: &[u8]) {
    let text = pem::encode(label, contents);
    assert_eq!(*pem::encode_secret(label, contents), text);
    let read = der::pem::decode_vec(text.as_bytes());
    // RFC 7468 has no empty blocks.
    if !contents.is_empty() {
        assert_eq!(read, Ok((label, contents.to_vec())));
    }
}

/// Up to the line breaks, and to the bits that the last digit before the padding has to spare.
fn is_decoded_as_it_is_encoded(data: &[u8]) {
    let Ok(decoded) = pem::decode_base64(data) else {
        return;
    };
    let packed: Vec<u8> = data
        .iter()
        .copied()
        .filter(|c| !b"\r\n".contains(c))
        .collect();
    let encoded = BASE64_STANDARD.encode(&*decoded).into_bytes();
    assert_eq!(encoded.len(), packed.len());
    let exact = decoded.len() / 3 * 4;
    assert_eq!(encoded[..exact], packed[..exact]);
}
