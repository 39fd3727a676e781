use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};
use std::{fmt, str::FromStr, sync::LazyLock};

const MINUTES: u16 = 24 * 60;
const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// The zones that are part of this program, each read once.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
/// Days that are looked ahead for a change: a week, and what a zone may move.
const AHEAD: i64 = 8;

/// Days and hours by the clock on the wall in one place. Which instants those are is looked up in the time zones that are
/// part of this program, so that all computers say the same.
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    zone: TimeZone,
    days: Option<Days>,
    hours: Option<Hours>,
}

/// Why it can't be known when something holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// No zone of that name in the data of this program.
    #[error("there is no time zone {0}")]
    NoZone(String),
    /// A list without a day: it would read as none, and elsewhere as all of them.
    #[error("days names none")]
    NoDay,
    /// A word that is no day.
    #[error("`{0}` is not a day like Mon")]
    NotADay(String),
    /// A text that is no stretch of a day.
    #[error("`{0}` is not a stretch of the day like 09:00-18:00")]
    NotHours(String),
    /// A zone without days and hours.
    #[error("a zone without days and hours says nothing")]
    Nothing,
}

/// Some days of the week; never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days([bool; 7]);

/// A stretch of the day, to the minute, its end not in it. One that ends before it begins goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: u16,
    to: u16,
}

impl When {
    /// These days and hours in the IANA zone of that name. Hours over midnight belong to the day on which they begin.
    ///
    /// # Errors
    /// [`WhenError`].
    pub fn new(zone: &str, days: Option<Days>, hours: Option<Hours>) -> Result<Self, WhenError> {
        if days.is_none() && hours.is_none() {
            return Err(WhenError::Nothing);
        }
        let found = ZONES.get(zone).ok().filter(|found| !found.is_unknown());
        let no_zone = || WhenError::NoZone(crate::clip(&crate::visible(zone), 64));
        Ok(Self { zone: found.ok_or_else(no_zone)?, days, hours })
    }

    /// Whether it holds at `now`, Unix seconds. A time that no calendar has is never in it.
    pub fn holds(&self, now: i64) -> bool {
        let Ok(at) = Timestamp::from_second(now) else { return false };
        let wall = self.zone.to_datetime(at);
        let minute = u16::from(wall.hour().unsigned_abs()) * 60 + u16::from(wall.minute().unsigned_abs());
        let on = |day: Weekday| self.days.is_none_or(|days| days.0[index(day)]);
        let (today, yesterday) = (wall.date().weekday(), wall.date().weekday().previous());
        match self.hours {
            None => on(today),
            Some(Hours { from, to }) if from < to => on(today) && (from..to).contains(&minute),
            Some(Hours { from, to }) => (on(today) && minute >= from) || (on(yesterday) && minute < to),
        }
    }

    /// The first instant after `now` at which [`When::holds`] says something else, Unix seconds; `None`: not within a week.
    pub fn changes_after(&self, now: i64) -> Option<i64> {
        let at = Timestamp::from_second(now).ok()?;
        let today = self.zone.to_datetime(at).date();
        let ends = self.hours.map_or([0, 0], |hours| [hours.from, hours.to % MINUTES]);
        let days = (-1..=AHEAD).filter_map(|days| today.checked_add(days.days()).ok());
        // The wall shows some minutes twice and some never; where it jumps is looked at for itself.
        let shown =
            days.flat_map(|day| [0, ends[0], ends[1]].map(|minute| self.instants(day, minute))).flatten();
        let jumps = self.zone.following(at).map(|jump| jump.timestamp().as_second());
        let last = now + AHEAD * 24 * 3600;
        let mut instants: Vec<i64> = shown.chain(jumps.take_while(|jump| *jump <= last)).collect();
        instants.sort_unstable();
        let is = self.holds(now);
        instants.into_iter().find(|instant| *instant > now && self.holds(*instant) != is)
    }

    /// The instants at which the wall shows that minute of a day.
    fn instants(&self, day: Date, minute: u16) -> impl Iterator<Item = i64> {
        let (hour, minute) = (i8::try_from(minute / 60), i8::try_from(minute % 60));
        let wall =
            hour.ok().zip(minute.ok()).and_then(|(hour, minute)| {
                Some(self.zone.to_ambiguous_timestamp(
                    day.to_datetime(jiff::civil::Time::new(hour, minute, 0, 0).ok()?),
                ))
            });
        let both = wall.map(|wall| [wall.earlier(), wall.later()]);
        both.into_iter().flatten().filter_map(|at| at.ok().map(Timestamp::as_second))
    }

    /// What the wall shows there at `now` (Unix seconds): `Sun 10:32`.
    pub fn wall(&self, now: i64) -> String {
        let shown = |at| {
            let wall = self.zone.to_datetime(at);
            format!("{} {:02}:{:02}", NAMES[index(wall.date().weekday())], wall.hour(), wall.minute())
        };
        Timestamp::from_second(now).map_or_else(|_| "a time that no calendar has".to_owned(), shown)
    }

    /// The zone's name.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }
}

fn index(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

impl Days {
    /// From the words of an object: `Mon`, `Tue`, …
    ///
    /// # Errors
    /// For an empty list, and for a word that is no day.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, WhenError> {
        let mut days = [false; 7];
        for word in words {
            let at = NAMES.iter().position(|name| *name == word);
            let not_a_day = || WhenError::NotADay(crate::clip(&crate::visible(word), 16));
            days[at.ok_or_else(not_a_day)?] = true;
        }
        if days == [false; 7] { Err(WhenError::NoDay) } else { Ok(Self(days)) }
    }
}

impl FromStr for Hours {
    type Err = WhenError;

    /// `09:00-18:00`; the end may be `24:00`, and comes before the beginning where it is on the next day.
    fn from_str(text: &str) -> Result<Self, WhenError> {
        let wrong = || WhenError::NotHours(crate::clip(&crate::visible(text), 24));
        let minute = |text: &str| {
            let two = |text: &str| {
                (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())
            };
            let (hours, minutes) = text.split_once(':')?;
            let (hours, minutes): (u16, u16) = (two(hours)??, two(minutes)??);
            (minutes < 60 && hours * 60 + minutes <= MINUTES).then_some(hours * 60 + minutes)
        };
        let (from, to) =
            text.split_once('-').and_then(|(a, b)| minute(a).zip(minute(b))).ok_or_else(wrong)?;
        if from == to || from == MINUTES || to == 0 { Err(wrong()) } else { Ok(Self { from, to }) }
    }
}

impl fmt::Display for Days {
    /// Days in a row as `Mon-Fri`, the others by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<(usize, usize)> = Vec::new();
        for day in (0..7).filter(|day| self.0[*day]) {
            match rows.last_mut() {
                Some((_, last)) if *last + 1 == day => *last = day,
                _ => rows.push((day, day)),
            }
        }
        let said = |(first, last): (usize, usize)| match last - first {
            0 => NAMES[first].to_owned(),
            1 => format!("{}, {}", NAMES[first], NAMES[last]),
            _ => format!("{}-{}", NAMES[first], NAMES[last]),
        };
        f.write_str(&rows.into_iter().map(said).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.days, &self.hours) {
            (Some(days), Some(hours)) => write!(f, "{days} {hours}")?,
            (Some(days), None) => write!(f, "{days}")?,
            (None, Some(hours)) => write!(f, "{hours}")?,
            (None, None) => {}
        }
        write!(f, " in {}", self.zone())
    }
}

#[cfg(test)]
mod tests;
