// Where the socket connects to, and with which credential: an address ends up in logs, so it carries a ticket that is good
// once and for seconds, never the token itself.
import type { TicketView } from "@/api/generated/schema";
import { randomId } from "@/api/random";
import { session } from "@/api/session";
import { viewing } from "@/api/viewing";

/** A service that has not answered by then is tried again. */
const PATIENCE_MS = 10_000;

function ask(): Promise<Response> {
  const headers = new Headers();
  session.sign(headers);
  return fetch("/api/v1/auth/ticket", { method: "POST", headers, signal: AbortSignal.timeout(PATIENCE_MS) });
}

async function ticket(): Promise<string | undefined> {
  // The service may have been away when the page was opened.
  if (!session.token && !(await session.renew())) return undefined;
  let answer = await ask();
  if (answer.status === 401 && (await session.renew())) answer = await ask();
  if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);
  return ((await answer.json()) as TicketView).ticket;
}

const clientId = randomId();

export async function address(after: number | undefined): Promise<string> {
  const url = new URL("/ws/executions", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("client_id", clientId);
  if (after !== undefined) url.searchParams.set("after", String(after));
  if (viewing.tenant) url.searchParams.set("tenant_id", viewing.tenant.id);
  const credential = await ticket();
  if (credential) url.searchParams.set("ticket", credential);
  return url.href;
}

/** A fresh token; none when there is none to be had just now. */
export async function token(): Promise<string | undefined> {
  return (await session.renew()) ? session.token : undefined;
}
