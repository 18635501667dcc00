// A page that nobody visits is not tested: each route is among the places.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ExampleData } from "./support/example-data";
import { placesOf } from "./support/places";
import { repository } from "./support/program";

test("every route is visited", () => {
  const folder = join(repository, "dashboard/src/routes");
  const routes = readdirSync(folder).flatMap((file) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(/^ {2}path: "(.*)",$/gm)].map(([, path]) => path ?? ""),
  );
  const paths = placesOf({} as ExampleData).map(({ path }) => path.split("?")[0] ?? "");
  const isVisited = (route: string) => {
    const pattern = new RegExp(`^${route.replaceAll(/\$\w+/g, "[^/]+")}$`);
    return paths.some((path) => pattern.test(path));
  };
  expect(routes.length).toBeGreaterThan(10);
  expect(routes.filter((route) => !isVisited(route))).toEqual([]);
});
