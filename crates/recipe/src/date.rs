//! Dates as Release files write them.

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads `Sat, 15 Nov 2025 09:12:34 UTC` (RFC 5322 with a named zone, as apt wants it) as
/// seconds since 1970. Only UTC, under either of its names, is taken.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (_weekday, rest) = text.trim().split_once(", ")?;
    let mut parts = rest.split_whitespace();
    let day: i64 = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as i64 + 1;
    let year: i64 = parts.next()?.parse().ok()?;
    let mut clock = parts
        .next()?
        .split(':')
        .map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !matches!(parts.next()?, "UTC" | "GMT" | "+0000") {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `YYYYMMDDhhmmss00`, as ISO 9660 and xorriso write a time.
pub(crate) fn iso9660(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let clock = seconds.rem_euclid(86_400);
    format!(
        "{year:04}{month:02}{day:02}{:02}{:02}{:02}00",
        clock / 3600,
        clock / 60 % 60,
        clock % 60
    )
}

/// `YYYY-MM-DD hh:mm:ss`.
pub(crate) fn clock(seconds: i64) -> String {
    let clock = seconds.rem_euclid(86_400);
    format!(
        "{} {:02}:{:02}:{:02}",
        day(seconds),
        clock / 3600,
        clock / 60 % 60,
        clock % 60
    )
}

/// `YYYY-MM-DD`.
pub(crate) fn day(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `Thu, 01 Jan 1970 00:00:00 UTC`, as [`parse`] reads it.
pub(crate) fn rfc5322(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let days = seconds.div_euclid(86_400);
    let (year, month, day) = civil(days);
    let name = |names: &[&'static str], number: i64| {
        let number = usize::try_from(number).unwrap_or_default();
        names.get(number).copied().unwrap_or_default()
    };
    let clock = seconds.rem_euclid(86_400);
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} UTC",
        name(&DAYS, days.rem_euclid(7)),
        name(&MONTHS, month - 1),
        clock / 3600,
        clock / 60 % 60,
        clock % 60
    )
}

/// The inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_dates_become_seconds_and_back() {
        for (text, seconds, iso) in [
            ("Thu, 01 Jan 1970 00:00:00 UTC", 0, "1970010100000000"),
            (
                "Sat, 15 Nov 2025 09:12:34 UTC",
                1_763_197_954,
                "2025111509123400",
            ),
            (
                "Thu, 29 Feb 2024 23:59:59 GMT",
                1_709_251_199,
                "2024022923595900",
            ),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(iso9660(seconds), iso, "{text}");
            assert_eq!(rfc5322(seconds), text.replace("GMT", "UTC"));
        }
        assert_eq!(day(1_763_197_954), "2025-11-15");
    }

    #[test]
    fn other_zones_and_rubbish_are_refused() {
        for text in [
            "Sat, 15 Nov 2025 09:12:34 CET",
            "yesterday",
            "",
            "Sat, 15 Foo 2025 09:12:34 UTC",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
