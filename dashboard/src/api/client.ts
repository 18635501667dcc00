// The one way to the service: typed by its description, signed in by a bearer token that lives in memory only.
import createClient, { type Middleware } from "openapi-fetch";
import { setByAnswer } from "./clock";
import type { Problem, paths } from "./generated/schema";
import { randomId } from "./random";
import { session } from "./session";
import { viewing } from "./viewing";

/** An answer that is not a success, or no answer at all (`problem.status` 0). */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
  }
}

/** What is shown when the service could not be reached, or something else than the service has answered. */
export function unreachable(detail: string, status = 0): Problem {
  return {
    type: "about:blank",
    title: "",
    status,
    detail,
    code: status === 0 ? "unreachable" : "unexpected_answer",
    suggestion: "",
  };
}

/** Requests that were sent already cannot be sent again, so a copy is kept for the time after a renewed sign-in. */
const copies = new WeakMap<Request, Request>();

const withSession: Middleware = {
  onRequest({ request }) {
    session.sign(request.headers);
    viewing.sign(new URL(request.url).pathname, request.headers);
    copies.set(request, request.clone());
    return request;
  },
  async onResponse({ request, response }) {
    setByAnswer(response.headers.get("date"));
    const copy = copies.get(request);
    if (response.status !== 401 || !copy) return response;
    const { changes } = session;
    // What one person has asked for is not done in the name of another one, who has signed in in another tab.
    if (!(await session.renew()) || session.changes !== changes) return response;
    session.sign(copy.headers);
    return fetch(copy);
  },
};

export const client = createClient<paths>({
  // Relative addresses have no base outside a browser, where the tests run.
  baseUrl: globalThis.location?.origin ?? "http://localhost",
  // `?status=a&status=b` and `?label.team=core`.
  querySerializer(query) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined || value === null || value === "") continue;
      if (Array.isArray(value)) for (const item of value) search.append(name, String(item));
      else if (typeof value === "object")
        for (const [key, item] of Object.entries(value)) search.append(`${name}.${key}`, String(item));
      else search.append(name, String(value));
    }
    return search.toString();
  },
});
client.use(withSession);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && "title" in value;
}

/** The data of an answer; throws a {@link ProblemError} for everything that is not a success. */
export async function must<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer.catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ProblemError(unreachable(cause instanceof Error ? cause.message : String(cause)));
  });
  if (response.ok) return data as T;
  throw new ProblemError(isProblem(error) ? error : unreachable(response.statusText, response.status));
}

/** A fresh `Idempotency-Key`: a request that is sent again, after its sign-in was renewed, starts one execution and not two. */
export function freshKey(): string {
  return randomId();
}
