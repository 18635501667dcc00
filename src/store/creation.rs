//! The creation of an execution as its column holds it.

use crate::domain::Creation;
use serde_json::Value;

/// The creation as its column holds it: the input has one of its own. Written out, so that the input is not copied.
pub(super) fn without_input(creation: &Creation) -> Creation {
    Creation {
        execution_type: creation.execution_type,
        definition: creation.definition.clone(),
        interpreter_revision: creation.interpreter_revision,
        input: Value::Null,
        trigger: creation.trigger,
        priority: creation.priority,
        labels: creation.labels.clone(),
        created_by: creation.created_by.clone(),
        authority: creation.authority.clone(),
        agent_id: creation.agent_id,
        test_input: creation.test_input.clone(),
        idempotency_key: creation.idempotency_key.clone(),
        parent: creation.parent.clone(),
        forked_from: creation.forked_from.clone(),
        start_at: creation.start_at,
        traceparent: creation.traceparent.clone(),
        budget: creation.budget,
    }
}
