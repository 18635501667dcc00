// Under load: hundreds of executions and thousands of events go by, and the page is never frozen nor wrong in the end.
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Api } from "./support/api";
import { countMessages, percentile, processorClock, record, recorded, type Smoothness } from "./support/smoothness";
import { worldOfFile } from "./support/world";

const world = worldOfFile({ settings: { "rate_limits.per_principal": "0" } });

/** Its events come faster than anybody reads them, once something has been written to the pipe. */
const BURST = `
document: { dsl: '1.0.3', namespace: test, name: burst, version: '1.0.0' }
do:
  - ready: { run: { shell: { command: cat go-on } }, output: { as: '{}' } }
  - count:
      for: { each: number, in: '[range(1500)]' }
      do:
        - add: { set: '\${ { sum: ((.sum // 0) + $number) } }' }
`;
const SMALL = `
document: { dsl: '1.0.3', namespace: test, name: small, version: '1.0.0' }
do:
  - first: { set: { step: 1 } }
  - second: { set: { step: 2 } }
`;
const EXECUTIONS = 300;
/** Milliseconds of processor time that a message may cost a page, with all that is drawn because of it. */
const MAX_COST = { list: 8, journal: 0.8 };

test("the list and a journal stay usable while everything changes", async () => {
  const ada = await world.service.operator();
  const small = await ada.api.register(SMALL);
  const pipe = join(world.service.folder, "go-on");
  execFileSync("mkfifo", [pipe]);
  const burst = await ada.api.start({ definition: BURST });
  const [list, journal] = [await world.open(ada), await world.open(ada)];
  await Promise.all([countMessages(list), countMessages(journal)]);
  await list.goto("/executions");
  await journal.goto(`/executions/${burst.id}?tab=events`);
  await list.getByText(burst.id.slice(-8)).waitFor();
  await journal.getByRole("button", { name: "execution_created" }).waitFor();
  await Promise.all([record(list), record(journal)]);
  const clocks = { list: await processorClock(list), journal: await processorClock(journal) };

  const load = startMany(ada.api, small.id);
  await writeFile(pipe, "go on");
  // Meanwhile one works with the pages.
  await list.getByRole("button", { name: "Failed", exact: true }).click();
  await list.getByText("No execution matches").waitFor();
  await list.getByRole("button", { name: "Failed", exact: true }).click();
  await list.getByRole("link", { name: "test/small" }).first().waitFor();
  const newest = await load;
  const last = await ada.api.reached(burst.id, "succeeded");
  await journal.getByRole("main").getByText("Succeeded", { exact: true }).first().waitFor();
  await journal
    .getByText(`${last.last_seq.toLocaleString("en-GB")} events`)
    .or(journal.getByText(`${last.last_seq} events`))
    .waitFor();
  await list.getByText(newest.slice(-8)).waitFor();

  for (const [name, page] of [["list", list] as const, ["journal", journal] as const]) {
    const felt = await recorded(page);
    const seconds = await clocks[name]();
    const each = (seconds * 1_000) / felt.messages.reduce((sum, count) => sum + count, 0);
    console.log(`${name}: ${summary(felt)}; ${seconds.toFixed(2)} s of processor, ${each.toFixed(2)} ms a message`);
    expect(each, `milliseconds of processor for each message, ${name}`).toBeLessThan(MAX_COST[name]);
  }
  const { client } = ada.api;
  const answer = await client.GET("/api/v1/executions", { params: { query: { limit: 12 } } });
  const wanted = answer.data?.items.map(({ id, status }) => `${id.slice(-8)} ${status}`);
  const shown = () =>
    list.locator("[role=row]:has(a)").evaluateAll((rows) =>
      rows.slice(0, 12).map((row) => {
        const [status, name] = row.querySelectorAll("[role=cell]:not(:first-child)");
        return `${name?.querySelector(".font-mono")?.textContent} ${status?.textContent?.toLowerCase()}`;
      }),
    );
  await expect.poll(shown).toEqual(wanted);
});

/** Starts many executions, a few at a time; the id of the newest one. */
async function startMany(api: Api, workflow: string): Promise<string> {
  let left = EXECUTIONS;
  const ids: string[] = [];
  const clients = Array.from({ length: 8 }, async () => {
    for (; left > 0; left -= 1) ids.push((await api.start({ workflow_id: workflow })).id);
  });
  await Promise.all(clients);
  return ids.sort().at(-1) ?? "";
}

function summary({ gaps, longTasks, messages }: Smoothness): string {
  const total = messages.reduce((sum, count) => sum + count, 0);
  const busiest = Math.max(0, ...messages);
  const longest = Math.round(Math.max(0, ...longTasks));
  const [p95, worst] = [percentile(gaps, 0.95), Math.max(...gaps)].map(Math.round);
  return `${total} messages, up to ${busiest} a second; frames p95 ${p95} ms, worst ${worst} ms; longest task ${longest} ms`;
}
