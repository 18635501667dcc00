import { createServer } from "node:net";

/** Below the ports that systems give to outgoing connections: nobody takes one of these while a service is away. */
const FIRST = 10_000;
const PAST = 32_768;

/** A port of this machine that is free now, and stays so while a service is killed and started again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (PAST - FIRST));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
