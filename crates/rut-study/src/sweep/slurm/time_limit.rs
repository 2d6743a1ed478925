//! A time limit in the forms that `sbatch` takes. For its use, see `slurm`.

/// Seconds of a time limit in one of `sbatch`'s forms; `None` if it is in none of them.
pub(super) fn time_limit(text: &str) -> Option<u64> {
    if ["UNLIMITED", "INFINITE"].contains(&text.to_ascii_uppercase().as_str()) {
        return Some(u64::MAX);
    }
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(days.parse::<u32>().ok()?), rest),
        None => (None, text),
    };
    let parts = rest.split(':').map(|part| part.parse::<u32>().ok());
    let parts: Vec<u64> = parts
        .map(|part| part.map(u64::from))
        .collect::<Option<_>>()?;
    // After days, hours come first; else the last of three are seconds, the last of two too, and one alone is minutes.
    let (hours, minutes, seconds) = match (days.is_some(), parts.as_slice()) {
        (_, &[hours, minutes, seconds]) => (hours, minutes, seconds),
        (true, &[hours, minutes]) => (hours, minutes, 0),
        (true, &[hours]) => (hours, 0, 0),
        (false, &[minutes, seconds]) => (0, minutes, seconds),
        (false, &[minutes]) => (0, minutes, 0),
        _ => return None,
    };
    Some(((u64::from(days.unwrap_or(0)) * 24 + hours) * 60 + minutes) * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (text, seconds) in [
            ("90", 5400),
            ("2:30", 150),
            ("01:00:00", 3600),
            ("1-2", 93_600),
            ("1-02:03", 93_780),
            ("1-02:03:04", 93_784),
            ("unlimited", u64::MAX),
        ] {
            assert_eq!(time_limit(text), Some(seconds), "{text}");
        }
        for text in ["1:2:3:4", "an hour", "1-", "-1", "4h", ""] {
            assert_eq!(time_limit(text), None, "{text}");
        }
    }
}
