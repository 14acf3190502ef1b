//! Points in time as profiles write them. No clock is read here.

use std::fmt;

use super::{name, nothing_hidden, refuse_if};
use crate::problem::{Reason, quote};

name! {
    /// A point of a snapshot archive, `YYYYMMDDThhmmssZ` in UTC
    /// (<https://snapshot.debian.org>, whose first one is of March 2005).
    SnapshotTime, snapshot, "^[0-9]{8}T[0-9]{6}Z$"
}

/// `SOURCE_DATE_EPOCH`: the one time that everything in the image is dated with.
///
/// From 1980, where FAT's dates begin (the EFI image is FAT), up to 2099.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceDate(i64);

const FIRST: i64 = 315_532_800;
const LAST: i64 = 4_102_444_799;

impl SourceDate {
    /// A regular expression for the schema.
    pub const PATTERN: &'static str = "^[0-9]+$|^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([Zz]|[+-][0-9]{2}:[0-9]{2}))?$";

    /// From seconds since 1970-01-01 00:00 UTC.
    ///
    /// # Errors
    /// The time is before 1980 or after 2099.
    pub fn from_seconds(seconds: i64) -> Result<Self, Reason> {
        refuse_if(
            !(FIRST..=LAST).contains(&seconds),
            || format!("the date {seconds} is not between the years 1980 and 2099"),
            "write seconds since 1970, or a date such as `\"2026-01-31\"`",
        )?;
        Ok(Self(seconds))
    }

    /// From seconds, `YYYY-MM-DD` (midnight in UTC) or RFC 3339
    /// (`YYYY-MM-DDThh:mm:ssZ` or with an offset).
    ///
    /// # Errors
    /// It is none of these, or out of range.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        nothing_hidden(text)?;
        let seconds = text.parse::<i64>().ok().or_else(|| rfc3339(text));
        let Some(seconds) = seconds else {
            return Err(Reason::new(
                format!("{} is not a date", quote(text)),
                "write `\"2026-01-31\"`, `\"2026-01-31T12:00:00Z\"` or seconds since 1970",
            ));
        };
        Self::from_seconds(seconds)
    }

    /// Seconds since 1970-01-01 00:00 UTC.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// `YYYYMMDD` in UTC, for file names.
    pub fn day(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(86_400));
        format!("{year:04}{month:02}{day:02}")
    }
}

impl fmt::Display for SourceDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn snapshot(text: &str) -> Result<(), Reason> {
    nothing_hidden(text)?;
    let fields = text
        .strip_suffix('Z')
        .and_then(|text| text.split_once('T'))
        .filter(|(date, time)| date.len() == 8 && time.len() == 6)
        .and_then(|(date, time)| {
            let day = days(
                number(date, 0, 4)?,
                number(date, 4, 2)?,
                number(date, 6, 2)?,
            )?;
            Some((
                day,
                clock(
                    number(time, 0, 2)?,
                    number(time, 2, 2)?,
                    number(time, 4, 2)?,
                )?,
            ))
        });
    let Some((day, _)) = fields else {
        return Err(Reason::new(
            format!("{} is not a time of a snapshot archive", quote(text)),
            "write it as YYYYMMDDThhmmssZ, such as `20260131T000000Z`",
        ));
    };
    refuse_if(
        day < days(2005, 3, 1).unwrap_or_default(),
        || format!("no snapshot is as old as {}", quote(text)),
        "choose a time after March 2005",
    )
}

fn number(text: &str, from: usize, length: usize) -> Option<i64> {
    text.get(from..from + length)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
}

fn rfc3339(text: &str) -> Option<i64> {
    let byte = |at: usize| text.as_bytes().get(at).copied();
    (byte(4) == Some(b'-') && byte(7) == Some(b'-')).then_some(())?;
    let midnight = 86_400
        * days(
            number(text, 0, 4)?,
            number(text, 5, 2)?,
            number(text, 8, 2)?,
        )?;
    let Some(separator) = byte(10) else {
        return Some(midnight);
    };
    (matches!(separator, b'T' | b't' | b' ') && byte(13) == Some(b':') && byte(16) == Some(b':'))
        .then_some(())?;
    let seconds = clock(
        number(text, 11, 2)?,
        number(text, 14, 2)?,
        number(text, 17, 2)?,
    )?;
    Some(midnight + seconds - offset(text.get(19..)?)?)
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'Z' | b'z' if text.len() == 1 => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    (text.len() == 6 && text.as_bytes()[3] == b':').then_some(())?;
    Some(sign * clock(number(text, 1, 2)?, number(text, 4, 2)?, 0)?)
}

fn clock(hour: i64, minute: i64, second: i64) -> Option<i64> {
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; `None` if there is no such day.
///
/// Years are counted from March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let shifted = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted.div_euclid(4) - shifted.div_euclid(100)
        + shifted.div_euclid(400)
        + day_of_year
        - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

/// The date that is `days` after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(146_097);
    let of_era = from_march_0000.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
