//! Failure injection by name: where a test, or a run of the chaos tool, lets the service fail on purpose.
//!
//! Text form, as read from the environment: `point=fault`, several separated by commas; `point@3=fault` fires the third
//! time the point is passed. For example `journal_before_commit@40=abort`. A point may be named several times.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|known| known.as_str()).collect();
                    format!("'{text}' is not one of {}", known.join(", "))
                })
            }
        }
    };
}

named!(
    /// A place where the service can be made to fail.
    FailurePoint {
        /// The writer has taken a batch of appends and not begun its transaction.
        JournalBeforeBegin = "journal_before_begin",
        /// All rows of the batch are written, nothing is committed.
        JournalBeforeCommit = "journal_before_commit",
        /// Committed; nobody has been told.
        JournalAfterCommit = "journal_after_commit",
        /// Committed; the commit listener has not been called and nothing is acknowledged.
        JournalBeforePublish = "journal_before_publish",
        /// Another write than an append is done and not committed.
        WriteBeforeCommit = "write_before_commit",
        /// The supervisor has got a submission and not looked at it.
        SupervisorBeforeSubmit = "supervisor_before_submit",
        /// The hub has got what was committed and told nobody.
        HubBeforePublish = "hub_before_publish",
        /// Before a read takes a connection.
        BeforeRead = "before_read",
        /// An execution has taken its inputs and not stepped them.
        TurnBeforeStep = "turn_before_step",
        /// An execution has decided its next events; the writer does not have them.
        TurnBeforeAppend = "turn_before_append",
        /// The events are committed; nobody is answered and nothing is acted on.
        TurnAfterAppend = "turn_after_append",
        /// An effect is scheduled and not yet performed.
        EffectBeforeStart = "effect_before_start",
        /// An effect has been performed; its execution does not know.
        EffectAfterEnd = "effect_after_end",
        /// An execution is read back and its state not yet rebuilt.
        RebuildBeforeApply = "rebuild_before_apply",
    }
);

named!(
    /// What happens there.
    Fault {
        /// In the store as if the database had failed: a retryable error. After a commit it is the acknowledgement that is
        /// lost. Elsewhere the same as a panic.
        Error = "error",
        /// The thread panics.
        Panic = "panic",
        /// The process ends at once, as by `kill -9`.
        Abort = "abort",
    }
);

/// What is returned where a fault of the kind `error` was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("injected at {}", .0.as_str())]
pub struct Injected(FailurePoint);

/// The armed points of one service. Clones share them.
#[derive(Clone, Default)]
pub struct FailurePoints(Arc<Armed>);

#[derive(Default)]
struct Armed {
    any: AtomicBool,
    /// With the passes that are left before each fires.
    points: Mutex<Vec<(FailurePoint, u32, Fault)>>,
}

impl FailurePoints {
    /// Lets `point` fail once, the `pass`-th time from now that it is passed (1 is the next).
    pub fn arm(&self, point: FailurePoint, pass: u32, fault: Fault) {
        self.0.points.lock().unwrap_or_else(PoisonError::into_inner).push((point, pass.max(1), fault));
        self.0.any.store(true, Ordering::Release);
    }

    /// Fails if the time has come.
    ///
    /// # Errors
    /// For a fault of the kind `error`.
    ///
    /// # Panics
    /// For a fault of the kind `panic`.
    #[expect(clippy::panic, reason = "panicking is what was asked for")]
    pub fn hit(&self, point: FailurePoint) -> Result<(), Injected> {
        if !self.0.any.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.due(point) {
            None => Ok(()),
            Some(Fault::Error) => Err(Injected(point)),
            Some(Fault::Panic) => panic!("injected at {}", point.as_str()),
            Some(Fault::Abort) => std::process::abort(),
        }
    }

    /// Where an error has no meaning of its own: it is a panic as well.
    ///
    /// # Panics
    /// If the time has come.
    #[expect(clippy::panic, reason = "panicking is what was asked for")]
    pub fn pass(&self, point: FailurePoint) {
        if let Err(injected) = self.hit(point) {
            panic!("{injected}");
        }
    }

    fn due(&self, point: FailurePoint) -> Option<Fault> {
        let mut points = self.0.points.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = None;
        points.retain_mut(|(armed, passes, fault)| {
            if *armed != point {
                return true;
            }
            *passes -= 1;
            if *passes == 0 {
                due = Some(*fault);
            }
            *passes > 0
        });
        self.0.any.store(!points.is_empty(), Ordering::Release);
        due
    }
}

impl FromStr for FailurePoints {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let points = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (place, fault) =
                part.split_once('=').ok_or_else(|| format!("'{part}' is not of the form point=fault"))?;
            let (point, pass) = place.split_once('@').unwrap_or((place, "1"));
            let pass = pass.parse().map_err(|_| format!("'{pass}' is not a number of passes"))?;
            points.arm(point.parse()?, pass, fault.parse()?);
        }
        Ok(points)
    }
}

impl fmt::Debug for FailurePoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.points.lock().unwrap_or_else(PoisonError::into_inner).iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_fires_once_at_the_named_pass() {
        let points: FailurePoints = "journal_before_commit@2=error, before_read=error".parse().unwrap();
        assert!(points.hit(FailurePoint::JournalBeforeCommit).is_ok());
        assert!(points.hit(FailurePoint::BeforeRead).is_err());
        assert!(points.hit(FailurePoint::JournalBeforeCommit).is_err());
        assert!(points.hit(FailurePoint::JournalBeforeCommit).is_ok());
        assert!(points.hit(FailurePoint::BeforeRead).is_ok());
    }

    #[test]
    fn a_misspelled_point_is_refused_with_the_names_that_exist() {
        assert!("journal=abort".parse::<FailurePoints>().unwrap_err().contains("journal_after_commit"));
        assert!("before_read=explode".parse::<FailurePoints>().unwrap_err().contains("abort"));
    }
}
