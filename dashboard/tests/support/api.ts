// The interface of the service as a program uses it: typed by the same description as the pages, signed in as a person.
import createClient, { type Client } from "openapi-fetch";
import type {
  AgentView,
  CreateAgent,
  ExecutionDetail,
  ExecutionView,
  FirstSignIn,
  paths,
  Role,
  StartExecution,
  Status,
  Tokens,
  UserView,
  WorkflowDetail,
} from "@/api/generated/schema";

export interface Person {
  email: string;
  password: string;
  /** The short name of the tenant. */
  tenant?: string;
  user: UserView;
  api: Api;
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

export class Api {
  #url: string;
  #token: string;
  client: Client<paths>;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.client = this.#connect();
  }

  static async firstSignIn(url: string, body: FirstSignIn): Promise<Person> {
    const tokens = await must<Tokens>(
      createClient<paths>({ baseUrl: url }).POST("/api/v1/auth/first-sign-in", { body }),
    );
    return {
      email: tokens.user.email,
      password: body.password,
      user: tokens.user,
      api: new Api(url, tokens.access_token),
    };
  }

  get url(): string {
    return this.#url;
  }

  /** The service has moved. */
  set url(url: string) {
    this.#url = url;
    this.client = this.#connect();
  }

  #connect(): Client<paths> {
    return createClient<paths>({ baseUrl: this.#url, headers: this.headers });
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` };
  }

  /** Adds somebody and signs them in; into another tenant where one is given. */
  async addPerson(name: string, role: Role, password: string, tenant?: { id: string; slug: string }): Promise<Person> {
    const email = `${name.toLowerCase()}@example.org`;
    const body = { email, display_name: name, role, password };
    const headers = tenant ? { "X-Tenant-Id": tenant.id } : {};
    await must(this.client.POST("/api/v1/users", { body, headers }));
    const client = createClient<paths>({ baseUrl: this.#url });
    const login = { email, password, tenant: tenant?.slug };
    const tokens = await must<Tokens>(client.POST("/api/v1/auth/login", { body: login }));
    return { email, password, tenant: tenant?.slug, user: tokens.user, api: new Api(this.#url, tokens.access_token) };
  }

  async addTenant(name: string, slug: string): Promise<{ id: string; slug: string }> {
    const tenant = await must(this.client.POST("/api/v1/tenants", { body: { name, slug } }));
    return { id: tenant.id, slug };
  }

  /** Registers a version of a workflow from its YAML. */
  register(source: string): Promise<WorkflowDetail> {
    const answer = this.client.POST("/api/v1/workflows", {
      body: source as never,
      bodySerializer: (text: unknown) => String(text),
      headers: { "content-type": "application/yaml" },
    });
    return must<WorkflowDetail>(answer as Promise<Answer<WorkflowDetail>>);
  }

  createAgent(body: CreateAgent): Promise<AgentView> {
    return must(this.client.POST("/api/v1/agents", { body }));
  }

  async testAgent(id: string, text: string): Promise<string> {
    const body = { test_input: text };
    const path = { id };
    return (await must(this.client.POST("/api/v1/agents/{id}/test", { params: { path }, body }))).execution_id;
  }

  async putSecret(name: string, value: string): Promise<void> {
    await must(this.client.PUT("/api/v1/secrets/{name}", { params: { path: { name } }, body: { value } }));
  }

  /** Saves a view of the executions, which everybody of the tenant sees. */
  async saveView(name: string, query: Record<string, string>): Promise<string> {
    const body = { list: "executions" as const, name, query, is_shared: true };
    return (await must(this.client.POST("/api/v1/views", { body }))).id;
  }

  async createKey(name: string): Promise<void> {
    await must(this.client.POST("/api/v1/api-keys", { body: { name } }));
  }

  start(body: StartExecution): Promise<ExecutionView> {
    return must(this.client.POST("/api/v1/executions", { body }));
  }

  execution(id: string): Promise<ExecutionDetail> {
    return must(this.client.GET("/api/v1/executions/{id}", { params: { path: { id } } }));
  }

  /** How many events an execution has, as the service counts them. */
  async lastSeq(id: string): Promise<number> {
    return (await this.execution(id)).last_seq;
  }

  async steer(id: string, name: "pause" | "resume" | "cancel"): Promise<void> {
    await must(this.client.POST(`/api/v1/executions/{id}/${name}`, { params: { path: { id } }, body: {} }));
  }

  /** Goes on with what has failed or was cancelled, as a new execution. */
  retry(id: string): Promise<ExecutionView> {
    return must(this.client.POST("/api/v1/executions/{id}/retry", { params: { path: { id } }, body: {} }));
  }

  /** Waits on the live feed of an execution until its status is one of these. */
  async reached(id: string, ...wanted: Status[]): Promise<ExecutionDetail> {
    const quit = new AbortController();
    const response = await fetch(`${this.#url}/api/v1/executions/${id}/stream`, {
      headers: this.headers,
      signal: quit.signal,
    });
    if (!response.ok || !response.body) throw new Error(`no live feed: ${response.status}`);
    try {
      // Each piece of the feed may be the one that changes the status; the first says that the feed has begun.
      for await (const _ of response.body as AsyncIterable<Uint8Array> & typeof response.body) {
        const now = await this.execution(id);
        if (wanted.includes(now.status)) return now;
        if (now.finished_at != null) throw new Error(`it has ${now.status}: ${JSON.stringify(now.error)}`);
      }
      throw new Error(`the feed of ${id} ended before it was ${wanted.join(" or ")}`);
    } finally {
      quit.abort();
    }
  }
}

/** The data of an answer; throws what the service says about everything that is not a success. */
export async function must<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${JSON.stringify(error)}`);
  return data as T;
}
