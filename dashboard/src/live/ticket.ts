// Where the socket connects to, and with which credential: an address ends up in logs, so it carries a ticket that is good
// once and for seconds, never the token itself.
import type { TicketView } from "@/api/generated/schema";
import { randomId } from "@/api/random";
import { session } from "@/api/session";
import { viewing } from "@/api/viewing";

async function ticket(): Promise<string | undefined> {
  if (!session.token) return undefined;
  const headers = new Headers();
  session.sign(headers);
  const answer = await fetch("/api/v1/auth/ticket", { method: "POST", headers });
  if (answer.status === 401 && (await session.renew())) return ticket();
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

export async function token(): Promise<string | undefined> {
  await session.renew();
  return session.token;
}
