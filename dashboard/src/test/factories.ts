import type { Row } from "@/api/executions";
import type { EventView, ExecutionUpdate, ServerFrame } from "@/api/generated/schema";

export function update(fields: Partial<ExecutionUpdate> & { id: string }): ExecutionUpdate {
  return {
    execution_type: "workflow",
    status: "running",
    workflow: { namespace: "examples", name: "hello" },
    progress: { completed_tasks: 0, known_tasks: 1, fraction: 0, eta_seconds: null },
    last_seq: 2,
    created_at: "2026-03-01T09:00:00Z",
    updated_at: "2026-03-01T09:00:01Z",
    ...fields,
  };
}

export function row(fields: Partial<Row> & { id: string }): Row {
  return { ...update(fields), ...fields };
}

export function updateFrame(fields: Partial<ExecutionUpdate> & { id: string }, position = 1): ServerFrame {
  return { type: "execution_update", position, data: update(fields) };
}

export function event(seq: number, fields: Partial<EventView> = {}): EventView {
  return {
    execution_id: "e1",
    seq,
    at: new Date(Date.UTC(2026, 2, 1, 9, 0, seq)).toISOString(),
    type: "task_started",
    data: {},
    ...fields,
  };
}

export function eventFrame(one: EventView): ServerFrame {
  return { type: "execution_event", seq: one.seq, position: 100 + one.seq, data: one };
}
