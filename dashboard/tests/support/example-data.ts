// Something of everything: what the pages are looked at with, by the tests that visit all of them and in the pictures.
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Api, Person } from "./api";
import { servicePath } from "./program";
import { PASSWORD, type Service } from "./service";

const EXAMPLES = ["hello", "review-panel", "long-haul"];

const FAILING = `document:
  dsl: '1.0.3'
  namespace: shop
  name: settle-orders
  version: '1.2.0'
  title: Settles the orders of the day
input:
  schema:
    document:
      type: object
      required: [day]
      properties:
        day: { type: string, title: Day, description: 'Which day, such as 2025-03-14.' }
        limit: { type: integer, title: At most, minimum: 1, maximum: 500, default: 100 }
        dry_run: { type: boolean, title: Only try }
do:
  - collect:
      set: '\${ { orders: [range(3) | { id: ., total: (. + 1) * 20 }] } }'
  - check:
      for: { each: order, in: .orders }
      do:
        - verify: { set: '\${ . + { checked: ((.checked // 0) + 1) } }' }
  - pay:
      try:
        - charge:
            call: http
            with: { method: post, endpoint: 'http://127.0.0.1:1/charge' }
      catch:
        retry: { delay: { milliseconds: 20 }, limit: { attempt: { count: 2 } } }
  - book: { set: '\${ . + { booked: true } }' }
`;

const CLOSING = `
document: { dsl: '1.0.3', namespace: shop, name: close-the-day, version: '2.1.0', title: Closes the day }
do:
  - greet: { run: { workflow: { namespace: examples, name: hello, version: '1.0.0', input: { name: Shop } } } }
  - settle: { run: { workflow: { namespace: shop, name: settle-orders, version: '1.2.0', input: { day: '2025-03-13' } } } }
`;

const BUDGETED = `
document: { dsl: '1.0.3', namespace: shop, name: describe-products, version: '0.4.0', title: Describes the new products }
do:
  - describe: { call: agent, with: { agent: echo, prompt: A bench made of oak. } }
  - shorten: { call: agent, with: { agent: summarizer, prompt: '\${ . }' } }
`;

const TEXT =
  "Actors keep state. Actors talk by messages. The weather is fine. Messages are kept in a mailbox. Supervisors restart actors.";

export interface ExampleData {
  operator: Person;
  succeeded: string;
  failed: string;
  waiting: string;
  paused: string;
  /** Waits for more budget. */
  overBudget: string;
  cancelled: string;
  /** Failed with a child, and was retried. */
  retried: string;
  test: string;
  workflow: string;
  /** A later version of it. */
  newerWorkflow: string;
  /** A workflow that has never run. */
  neverRun: string;
  agent: string;
  /** A saved view of the executions. */
  view: string;
  /** Somebody who may only look. */
  viewer: Person;
}

export function fill(service: Service): Promise<ExampleData> {
  const known = filled.get(service) ?? fillOnce(service);
  filled.set(service, known);
  return known;
}

/** The tests of a file share a service. */
const filled = new WeakMap<Service, Promise<ExampleData>>();

/** A small report beside the service, of a real run. */
async function measure(service: Service): Promise<void> {
  const folder = join(service.folder, "reports");
  mkdirSync(folder);
  const words = ["bench", "latency", "--executions", "20", "--json", join(folder, "latency.json")];
  await promisify(execFile)(servicePath(), words);
}

async function fillOnce(service: Service): Promise<ExampleData> {
  const [data] = await Promise.all([runOnce(service), measure(service)]);
  return data;
}

async function runOnce(service: Service): Promise<ExampleData> {
  const operator = await service.operator();
  const { api } = operator;
  for (const name of EXAMPLES) await api.register(service.example(name));
  const neverRun = await api.register(service.example("endpoint-check"));
  const failing = await api.register(FAILING);
  const newer = await api.register(FAILING.replace("1.2.0", "1.3.0").replace("count: 2", "count: 3"));
  const closing = await api.register(CLOSING);
  const budgeted = await api.register(BUDGETED);
  const example = (name: string) => ({ workflow: { namespace: "examples", name } });

  const hello = await api.start({ ...example("hello"), input: { name: "Grace" }, labels: { team: "core" } });
  const panel = await api.start(example("review-panel"));
  const failed = await api.start({
    workflow_id: failing.id,
    input: { day: "2025-03-14" },
    labels: { team: "payments" },
  });
  const { id: retried } = await api.start({ workflow_id: closing.id });
  const overBudget = await api.start({ workflow_id: budgeted.id, budget: { max_model_calls: 1 } });
  const [waiting, paused, cancelled] = [await longHaul(api), await longHaul(api), await longHaul(api)];
  await api.steer(paused, "pause");
  await api.steer(cancelled, "cancel");
  await api.reached(retried, "failed");
  await api.reached((await api.retry(retried)).id, "failed");
  const viewer = await addPeople(api);
  const view = await api.saveView("Failed orders", { status: "failed", columns: "owner" });

  const agent = await api.createAgent({
    name: "Release notes",
    description: "Writes what has changed in the words of users.",
    adapter: "builtin",
    parameters: { skill: "summarize", sentences: 3 },
    capabilities: { writing: 0.9, summaries: 0.7 },
  });
  await api.reached(await api.testAgent(agent.id, TEXT), "succeeded");
  const test = await api.testAgent(agent.id, `${TEXT} Actors rest when nobody needs them.`);
  await Promise.all([
    api.reached(hello.id, "succeeded"),
    api.reached(panel.id, "succeeded"),
    api.reached(failed.id, "failed"),
    api.reached(overBudget.id, "paused"),
    api.reached(paused, "paused"),
    api.reached(cancelled, "cancelled"),
    api.reached(test, "succeeded"),
  ]);
  return {
    operator,
    succeeded: panel.id,
    failed: failed.id,
    waiting,
    paused,
    overBudget: overBudget.id,
    cancelled,
    retried,
    test,
    workflow: failing.id,
    newerWorkflow: newer.id,
    neverRun: neverRun.id,
    agent: agent.id,
    view,
    viewer,
  };
}

/** Starts the long journey; it rests at its first stop when this has come back. */
async function longHaul(api: Api): Promise<string> {
  const { id } = await api.start({ workflow: { namespace: "examples", name: "long-haul" }, input: { seconds: 3_600 } });
  await api.reached(id, "waiting");
  return id;
}

/** The one who may only look comes back. */
async function addPeople(api: Api): Promise<Person> {
  await api.addPerson("Grace", "admin", PASSWORD);
  await api.addPerson("Edsger", "member", PASSWORD);
  const viewer = await api.addPerson("Barbara", "viewer", PASSWORD);
  await api.addTenant("Northern branch", "north");
  await api.putSecret("payments_token", "not-a-real-token");
  await api.createKey("Nightly runs");
  return viewer;
}
