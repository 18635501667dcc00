//! `switch`: the first case whose condition holds says where to go on; the default case only when none does, wherever it stands;
//! without one the task's own `then`.

use super::decide::{Completion, Decision, Task};
use super::program::Case;
use std::sync::Arc;

pub(super) fn decide(task: &Task<'_>, cases: &[Case]) -> Decision {
    let view = task.view();
    for case in cases {
        let Some(when) = &case.when else { continue };
        match task.scope.is_true(when, &task.frame.input, Some(&view)) {
            Ok(true) => return go(task, Some(case)),
            Ok(false) => {}
            Err(failure) => return task.fail(failure),
        }
    }
    go(task, cases.iter().find(|case| case.when.is_none()))
}

fn go(task: &Task<'_>, case: Option<&Case>) -> Decision {
    let then = case.map(|case| &case.then);
    task.complete(Arc::clone(&task.frame.input), Completion { then, ..Completion::default() })
}
