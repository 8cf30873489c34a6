//! Values that say how they are shown. What is not listed here or beside its type cannot be printed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Text, visible};

/// A value that may stand in a [`Text`]: literals, numbers, labels, file names, and the types of this
/// crate that are made of them. Not `String`, borrowed `str`, bytes, JSON, secrets, nor the errors of
/// libraries.
pub trait Show {
    /// The value for people.
    fn show(&self) -> Text;
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self) -> Text {
        (**self).show()
    }
}

impl Show for &'static str {
    fn show(&self) -> Text {
        Text::from(*self)
    }
}

impl Show for Text {
    fn show(&self) -> Text {
        self.clone()
    }
}

/// A file name as it is, escaped where it would not be plainly visible; bytes that are no UTF-8 as
/// `\xff`.
impl Show for Path {
    fn show(&self) -> Text {
        let mut shown = String::new();
        for chunk in self.as_os_str().as_encoded_bytes().utf8_chunks() {
            shown.push_str(&visible(chunk.valid()).to_string());
            for byte in chunk.invalid() {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\x{byte:02x}");
            }
        }
        Text(shown.into())
    }
}

impl Show for PathBuf {
    fn show(&self) -> Text {
        self.as_path().show()
    }
}

macro_rules! show_numbers {
    ($($number:ty)*) => {$(
        impl Show for $number {
            fn show(&self) -> Text {
                Text(self.to_string().into())
            }
        }
    )*};
}

show_numbers!(u8 u16 u32 u64 usize i32 i64);

/// For a type whose `Display` writes our words around names that are raw.
macro_rules! show_raw {
    ($($shown:ty),*) => {$(
        impl $crate::text::Show for $shown {
            fn show(&self) -> $crate::text::Text {
                $crate::text::Text::of_raw(self)
            }
        }
    )*};
}
pub(crate) use show_raw;

/// For a type whose `Display` writes our words around names that it escapes.
macro_rules! show_escaped {
    ($($shown:ty),*) => {$(
        impl $crate::text::Show for $shown {
            fn show(&self) -> $crate::text::Text {
                $crate::text::Text::of_escaped(&$crate::text::bounded(self.to_string()))
            }
        }
    )*};
}
pub(crate) use show_escaped;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_shown_as_they_are_or_escaped() {
        for (path, shown) in [
            ("a b/Zoë.key", "a b/Zoë.key"),
            ("a\u{1b}[2J", r"a\u{1b}[2J"),
            ("a\nb", r"a\u{a}b"),
            ("", ""),
        ] {
            assert_eq!(Path::new(path).show().as_str(), shown);
        }
    }

    #[cfg(unix)]
    #[test]
    fn file_names_need_not_be_utf_8() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"a\xff.key"));
        assert_eq!(path.show().as_str(), r"a\xff.key");
    }
}
