//! What comes before everything else, whatever is wanted: unpack it, decrypt it, take it out of what it is
//! in, or ask for it once more.

use std::path::Path;

use super::names::{IsFree, gzipped, new_name, opened};
use super::{Want, quoted};
use crate::looks::{Damage, Look, Packing, Sealing};
use crate::shell::Command;
use crate::text;
use crate::text::Text;

impl Look {
    /// Sheets are zip archives or older documents.
    pub(super) fn saved_by_a_spreadsheet(self, want: Want) -> Option<Vec<Text>> {
        let is_sheet = matches!(self, Self::Packed(Packing::Zip) | Self::Document(_));
        (is_sheet && want == Want::Roster)
            .then(|| vec!["save it from the spreadsheet as CSV, in UTF-8".into()])
    }

    /// What is in it can be had with another program.
    pub(super) fn unpacked(self, file: &Path, is_free: IsFree<'_>) -> Option<Vec<Text>> {
        let command = |program| Command::new(program);
        let unpack = match self {
            Self::Packed(Packing::Gzip) => command("gunzip").operand(gzipped(file, is_free)),
            Self::Packed(Packing::Zip) => command("unzip").operand(file),
            Self::Packed(Packing::Tar) => command("tar").word("-xf").operand(file),
            Self::Packed(Packing::Bzip2) => command("bunzip2").operand(file),
            Self::Packed(Packing::Xz) => command("xz").word("-d").word("-k").operand(file),
            Self::Packed(Packing::Zstd) => command("zstd").word("-d").operand(file),
            Self::Packed(Packing::SevenZip) => command("7z").word("x").operand(file),
            Self::Sealed(Sealing::AgeForKey) => command("age")
                .word("--decrypt")
                .option("-i", "KEY")
                .option("-o", opened(file, is_free))
                .operand(file),
            Self::Sealed(Sealing::Age) => command("age")
                .word("--decrypt")
                .option("-o", opened(file, is_free))
                .operand(file),
            Self::Sealed(Sealing::Pgp) | Self::ClearSigned => command("gpg")
                .option("--output", opened(file, is_free))
                .option("--decrypt", file),
            Self::Sealed(Sealing::Ansible) => command("ansible-vault").word("view").operand(file),
            Self::Sealed(Sealing::Openssl) => {
                return Some(vec![
                    "decrypt it with openssl enc -d and the cipher and passphrase that it was \
                     encrypted with"
                        .into(),
                ]);
            }
            Self::Sealed(Sealing::Luks) => {
                return Some(vec![
                    "it is a whole volume: open it with cryptsetup, mount it, and name the file in it"
                        .into(),
                ]);
            }
            Self::Sealed(Sealing::Smime) => {
                return Some(vec![
                    "open it in the mail program that has the key for it, and save what is in it"
                        .into(),
                ]);
            }
            Self::Base64 => command("base64").word("-d").operand(file),
            Self::LfsPointer => command("git").word("lfs").word("pull"),
            Self::Signature(_) => {
                return Some(vec![
                    "name the file that was signed, not its signature".into(),
                ]);
            }
            Self::PgpPublicKey => {
                return Some(vec![
                    "it serves to check signatures and to encrypt for its owner, and is of no use here".into(),
                ]);
            }
            Self::Hex(dump) => {
                return Some(vec![
                    dump.undone(file, &new_name(file, "-new.der", is_free)),
                ]);
            }
            _ => return None,
        };
        let step = match self {
            Self::Packed(Packing::Gzip) if gzipped(file, is_free) != file => text!(
                "unpack it: mv {} {} && {}",
                quoted(file),
                quoted(gzipped(file, is_free)),
                unpack
            ),
            Self::Base64 => text!(
                "decode it: (umask 077; {} > {})",
                unpack,
                quoted(new_name(file, "-decoded.bin", is_free))
            ),
            Self::Packed(_) => text!("unpack it: {}", unpack),
            Self::ClearSigned => text!("check the signature, and take it off: {}", unpack),
            Self::LfsPointer => text!("fetch the file: {}", unpack),
            _ => text!("decrypt it: {}", unpack),
        };
        Some(vec![step])
    }

    /// It is damaged, or a picture of the thing.
    pub(super) fn once_more(self, want: Want) -> Option<Vec<Text>> {
        let own = matches!(want, Want::Key | Want::Configuration | Want::Csr);
        let again = if own {
            "take it from where it came once more, whole"
        } else {
            "ask for the file once more, whole"
        };
        let as_attachment = if own {
            "take it once more from where it came, in binary or as an attachment"
        } else {
            "ask for it once more, as an attachment and not as text"
        };
        let step = match self {
            Self::Damaged(Damage::OtherEnd(begin, end)) => {
                return Some(vec![
                    text!(
                        "if lines {} and {} are of one block, write behind END what stands behind BEGIN, in a \
                         copy",
                        begin,
                        end
                    ),
                    text!("else {}", again),
                ]);
            }
            Self::Damaged(
                Damage::Mangled | Damage::Indentation | Damage::Lines | Damage::Length(..),
            ) => as_attachment,
            _ if self.is_damaged() => again,
            Self::Document(_) | Self::Image | Self::Html | Self::Mail if own => {
                "find the file itself: not a text about it, nor a picture of it"
            }
            Self::Mail => {
                "if the file is attached to it, save the attachment and name that; else ask for the file itself, as an attachment"
            }
            Self::Document(_) | Self::Image | Self::Html => {
                "ask for the file itself, as an attachment"
            }
            Self::Companion => "take the file of the same name without ._ in front",
            Self::Url => "fetch what is there, and name the file that it was saved in",
            Self::Conflict(_) => "resolve the conflict in an editor, or take one side with git",
            Self::Template(_) if !own => {
                "the person whose template it is has to fill it in (or run what fills it in)"
            }
            Self::Utf16 | Self::Utf32 => "save it as UTF-8, without a byte order mark",
            Self::Parts => "remove what is not from a code: what is left starts with 1QRZ",
            _ => return None,
        };
        Some(vec![step.into()])
    }

    /// The PEM in JSON of another program.
    pub(super) fn out_of_json(
        self,
        want: Want,
        file: &Path,
        is_free: IsFree<'_>,
    ) -> Option<Vec<Text>> {
        let Self::PemInJson(fields) = self else {
            return None;
        };
        let (field, becomes, mask) = match want {
            Want::Key => (fields.key, "-new.key", "umask 077; "),
            Want::Request | Want::Csr if fields.key.is_some() => return None,
            Want::Request | Want::Csr => (fields.request, "-new.csr", ""),
            Want::Reply | Want::Certificate | Want::Person | Want::Credential => {
                (fields.certificate, "-new.crt", "")
            }
            _ => return None,
        };
        let take = Command::new("jq").word("-r").word(field?).operand(file);
        let new = new_name(file, becomes, is_free);
        let take = text!("{}{} > {}", mask, take, quoted(new));
        let take = if mask.is_empty() {
            take
        } else {
            text!("({})", take)
        };
        Some(vec!["take the PEM out of it:".into(), text!("  {}", take)])
    }
}
