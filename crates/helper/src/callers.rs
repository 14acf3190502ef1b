//! Who is on the bus and has called, and how often they may.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Calls that one person may make in a second, and at once after a pause.
const PER_SECOND: f64 = 20.0;

/// Calls of one connection that may be at work at the same time.
const AT_ONCE: usize = 16;

/// Calls of all connections that may be at work at the same time; a limit on threads.
const AT_ONCE_ALL: usize = 512;

#[derive(Debug, Default)]
struct Known {
    /// Once looked up.
    uid: Option<u32>,
    at_work: usize,
}

/// Calls that a person still may make.
#[derive(Debug)]
struct Allowance {
    left: f64,
    counted: Instant,
}

impl Allowance {
    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.left = (self.left + passed * PER_SECOND).min(PER_SECOND);
        self.counted = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }

    /// Whether forgetting it would change nothing.
    fn is_full(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.counted) > Duration::from_secs(2)
    }
}

#[derive(Debug, Default)]
struct Inner {
    connections: HashMap<String, Known>,
    allowances: HashMap<u32, Allowance>,
    at_work: usize,
}

/// Every connection that has called and is still there.
#[derive(Debug, Default)]
pub struct Callers(Mutex<Inner>);

impl Callers {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call of `name` begins. Says whether it may; if so, [`Callers::leaves`] must follow.
    pub fn enters(&self, name: &str) -> bool {
        let mut inner = self.inner();
        if inner.at_work >= AT_ONCE_ALL {
            return false;
        }
        let known = inner.connections.entry(name.to_owned()).or_default();
        if known.at_work >= AT_ONCE {
            return false;
        }
        known.at_work += 1;
        inner.at_work += 1;
        true
    }

    /// A call of `name` is over.
    pub fn leaves(&self, name: &str) {
        let mut inner = self.inner();
        inner.at_work = inner.at_work.saturating_sub(1);
        if let Some(known) = inner.connections.get_mut(name) {
            known.at_work = known.at_work.saturating_sub(1);
        }
    }

    /// Whether calls are at work.
    pub fn busy(&self) -> bool {
        self.inner().at_work > 0
    }

    /// `name` has left the bus; unique names are never given twice.
    pub fn gone(&self, name: &str) {
        self.inner().connections.remove(name);
    }

    /// Whether `name` has called and is still there.
    pub fn is_here(&self, name: &str) -> bool {
        self.inner().connections.contains_key(name)
    }

    /// Whose connection it is, if that was looked up.
    pub fn uid(&self, name: &str) -> Option<u32> {
        self.inner().connections.get(name)?.uid
    }

    /// Remembers whose connection it is.
    pub fn learn(&self, name: &str, uid: u32) {
        if let Some(known) = self.inner().connections.get_mut(name) {
            known.uid = Some(uid);
        }
    }

    /// Counts a call of `uid`; whether it may.
    pub fn count(&self, uid: u32, now: Instant) -> bool {
        let mut inner = self.inner();
        inner
            .allowances
            .retain(|_, allowance| !allowance.is_full(now));
        let fresh = Allowance {
            left: PER_SECOND,
            counted: now,
        };
        inner.allowances.entry(uid).or_insert(fresh).take(now)
    }

    /// Every connection of `uid` that has called.
    pub fn of(&self, uid: u32) -> Vec<String> {
        let inner = self.inner();
        let of_uid = |known: &Known| known.uid == Some(uid);
        inner
            .connections
            .iter()
            .filter(|(_, known)| of_uid(known))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_calls_a_second_and_no_more() {
        let callers = Callers::default();
        let start = Instant::now();
        let allowed = |uid, at| (0..100).filter(|_| callers.count(uid, at)).count();
        assert_eq!(allowed(1000, start), 20);
        assert_eq!(allowed(1001, start), 20, "somebody else is not held back");
        assert_eq!(allowed(1000, start + Duration::from_millis(500)), 10);
        assert_eq!(allowed(1000, start + Duration::from_secs(3600)), 20);
    }

    #[test]
    fn a_connection_has_a_bounded_number_of_calls_at_work() {
        let callers = Callers::default();
        let entered = (0..100).filter(|_| callers.enters(":1.1")).count();
        assert_eq!(entered, AT_ONCE);
        assert!(callers.enters(":1.2"));
        callers.leaves(":1.1");
        assert!(callers.enters(":1.1"));
        assert!(callers.busy());
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let callers = Callers::default();
        assert!(callers.enters(":1.1"));
        callers.learn(":1.1", 1000);
        assert_eq!(callers.of(1000), [":1.1"]);
        callers.gone(":1.1");
        assert!(!callers.is_here(":1.1"));
        // An answer that comes late brings nobody back.
        callers.learn(":1.1", 1000);
        assert_eq!(callers.uid(":1.1"), None);
        callers.leaves(":1.1");
        assert!(!callers.busy());
    }
}
