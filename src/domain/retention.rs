//! Retention: how long finished executions are kept, and how many of them.

use super::{Status, Timestamp};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// What is kept of the executions with one status. An execution that either part lets go is let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionRule {
    /// Days after its end; 0 keeps for ever.
    pub days: u32,
    /// How many of the newest; 0 keeps any number.
    pub count: u32,
}

/// What is kept of a tenant. Executions that have not ended are always kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    pub succeeded: RetentionRule,
    pub failed: RetentionRule,
    pub cancelled: RetentionRule,
    /// Days for which usage records outlive their execution, counted from the model call; 0 keeps them for ever.
    pub usage_days: u32,
}

/// What a tenant has decided about a rule; what is absent is left to the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionChoice {
    pub days: Option<u32>,
    pub count: Option<u32>,
}

/// What a tenant has decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    pub succeeded: RetentionChoice,
    pub failed: RetentionChoice,
    pub cancelled: RetentionChoice,
    pub usage_days: Option<u32>,
}

impl RetentionRule {
    /// Executions that ended before this instant are let go.
    pub fn finished_before(self, now: Timestamp) -> Option<Timestamp> {
        days_before(now, self.days)
    }
}

impl Retention {
    /// The rule for a status; open executions have none.
    pub const fn rule(&self, status: Status) -> Option<RetentionRule> {
        match status {
            Status::Succeeded => Some(self.succeeded),
            Status::Failed => Some(self.failed),
            Status::Cancelled => Some(self.cancelled),
            Status::Pending | Status::Running | Status::Waiting | Status::Paused => None,
        }
    }

    /// Usage records of deleted executions from before this instant are let go.
    pub fn usage_before(&self, now: Timestamp) -> Option<Timestamp> {
        days_before(now, self.usage_days)
    }
}

impl RetentionPolicy {
    /// The policy in force: the tenant's decisions, the defaults where there is none.
    pub fn over(&self, defaults: Retention) -> Retention {
        let rule = |choice: RetentionChoice, default: RetentionRule| RetentionRule {
            days: choice.days.unwrap_or(default.days),
            count: choice.count.unwrap_or(default.count),
        };
        Retention {
            succeeded: rule(self.succeeded, defaults.succeeded),
            failed: rule(self.failed, defaults.failed),
            cancelled: rule(self.cancelled, defaults.cancelled),
            usage_days: self.usage_days.unwrap_or(defaults.usage_days),
        }
    }
}

fn days_before(now: Timestamp, days: u32) -> Option<Timestamp> {
    (days > 0).then(|| now.plus_micros(-i64::from(days).saturating_mul(DAY_US)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_of_the_tenant_wins_also_when_it_is_to_keep_for_ever() {
        let rule = RetentionRule { days: 30, count: 100 };
        let defaults = Retention { succeeded: rule, failed: rule, cancelled: rule, usage_days: 400 };
        let failed = RetentionChoice { days: Some(0), count: None };
        let policy = RetentionPolicy { failed, ..RetentionPolicy::default() };
        let in_force = policy.over(defaults);
        assert_eq!(in_force.failed, RetentionRule { days: 0, count: 100 });
        assert_eq!(in_force.succeeded, rule);
        let now: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
        assert_eq!(in_force.failed.finished_before(now), None);
        assert_eq!(in_force.succeeded.finished_before(now), "2026-03-01T00:00:00Z".parse().ok());
        assert_eq!(in_force.rule(Status::Waiting), None);
    }
}
