//! Lifetimes mean the same typed and shown, and never overflow into another.

use kube_enroll::lifetime::{Lifetime, MIN_SECONDS, seconds};
use proptest::prelude::*;

use super::cases;

/// Numbers with their units, and what they come to.
fn any_parts() -> impl Strategy<Value = Vec<(u64, char)>> {
    let number =
        prop_oneof![4 => 0..1000_u64, 1 => any::<u64>(), 1 => Just(i64::MAX.unsigned_abs())];
    let unit = proptest::sample::select(vec!['y', 'w', 'd', 'h', 'm', 's']);
    proptest::collection::vec((number, unit), 1..5)
}

fn typed(parts: &[(u64, char)]) -> String {
    let parts = parts.iter().map(|(number, unit)| format!("{number}{unit}"));
    parts.collect::<Vec<_>>().concat()
}

fn sum(parts: &[(u64, char)]) -> i128 {
    let parts = parts.iter().map(|(number, unit)| {
        let factor = match unit {
            'y' => 365 * 86_400,
            'w' => 7 * 86_400,
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            _ => 1,
        };
        i128::from(*number) * factor
    });
    parts.sum()
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn a_lifetime_is_read_back_from_what_is_shown(length in MIN_SECONDS..=i32::MAX) {
        let lifetime = Lifetime::try_from(i64::from(length)).unwrap();
        prop_assert_eq!(lifetime.seconds(), length);
        prop_assert_eq!(lifetime.to_string().parse(), Ok(lifetime));
        prop_assert_eq!(length.to_string().parse(), Ok(lifetime));
    }

    #[test]
    fn no_other_lifetime_is_taken(
        length in prop_oneof![any::<i64>(), -1000..1200_i64, i64::from(i32::MAX) - 9..i64::from(i32::MAX) + 9],
    ) {
        let fits = (i64::from(MIN_SECONDS)..=i64::from(i32::MAX)).contains(&length);
        prop_assert_eq!(Lifetime::try_from(length).is_ok(), fits);
        prop_assert_eq!(length.to_string().parse::<Lifetime>().is_ok(), fits);
    }

    #[test]
    fn units_are_added_up_or_refused_where_the_sum_is_too_large(parts in any_parts()) {
        let typed = typed(&parts);
        prop_assert_eq!(seconds(&typed).ok(), i64::try_from(sum(&parts)).ok(), "{}", typed);
    }

    #[test]
    fn a_number_without_a_unit_among_units_is_refused(parts in any_parts(), number: u32) {
        let typed = typed(&parts) + &number.to_string();
        prop_assert!(seconds(&typed).is_err());
    }

    #[test]
    fn whatever_is_typed_is_read_or_refused(typed in prop_oneof![any::<String>(), "[0-9ywdhms +-]{0,24}"]) {
        if let Ok(lifetime) = typed.parse::<Lifetime>() {
            prop_assert!(lifetime.seconds() >= MIN_SECONDS);
            prop_assert_eq!(seconds(&typed), Ok(i64::from(lifetime.seconds())));
        }
    }
}
