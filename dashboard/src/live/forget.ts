import type { QueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { freshest } from "./latest";
import { expectNothing } from "./notices";

/** Nothing of what was seen stays for whoever, or whichever tenant, comes next: neither data nor notices, shown or to come. */
export function forget(queries: QueryClient): void {
  freshest.clear();
  expectNothing();
  toast.dismiss();
  queries.clear();
}
