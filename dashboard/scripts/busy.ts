// A service that has its hands full: something runs, an agent answers, and more waits in the queue. For the gallery.
import type { Person } from "../tests/support/api";
import type { Place } from "../tests/support/places";
import { Service } from "../tests/support/service";

const SLOTS = 2;

const WORKING = `
document: { dsl: '1.0.3', namespace: shop, name: print-labels, version: '2.0.0', title: Prints the labels of the day }
do:
  - collect: { set: '\${ { labels: [range(12)] } }' }
  - print:
      for: { each: label, in: .labels }
      do:
        - sheet: { run: { shell: { command: 'test "$1" -lt 5 || sleep 3600', arguments: ['\${ $label }'] } } }
`;

export interface Busy {
  service: Service;
  operator: Person;
  places: Place[];
}

export async function startBusy(): Promise<Busy> {
  const service = await Service.start({ settings: { "engine.max_running": String(SLOTS) } });
  const operator = await service.operator();
  const { api } = operator;
  const working = await api.register(WORKING);
  const writer = await api.createAgent({
    name: "Slow writer",
    description: "Thinks before each sentence.",
    adapter: "command",
    parameters: {
      program: "sh",
      arguments: ["-c", 'echo "Actors keep state."; echo "They talk by messages."; sleep 3600'],
    },
  });
  const running = (await api.start({ workflow_id: working.id })).id;
  const test = await api.testAgent(writer.id, "What is an actor?");
  await Promise.all([api.reached(running, "running"), api.reached(test, "running")]);
  const [pending] = await Promise.all([3, 5, 5, 9].map((priority) => api.start({ workflow_id: working.id, priority })));
  return {
    service,
    operator,
    places: [
      { name: "dashboard", path: "/" },
      { name: "executions", path: "/executions" },
      { name: "execution", path: `/executions/${running}` },
      { name: "execution-timeline", path: `/executions/${running}?tab=timeline` },
      { name: "execution-pending", path: `/executions/${pending?.id}` },
      { name: "execution-output", path: `/executions/${test}` },
      { name: "agent", path: `/agents/${writer.id}?test=${test}` },
      { name: "workflows", path: "/workflows" },
      { name: "queue", path: "/queue" },
      { name: "monitor", path: "/agents", open: (page) => page.locator("#monitor").click() },
      { name: "admin-limits", path: "/admin/limits" },
    ],
  };
}
