import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type Viewed, viewing } from "@/api/viewing";
import { forget } from "@/live/forget";

/**
 * Turns the whole page to another tenant, or back to the own one. Nothing of what was seen before stays: the address is left first,
 * so that the other tenant is never asked for what belongs to this one; the connection ends with the provider that holds it.
 */
export function useLookAt(): (tenant: Viewed | undefined) => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return async (tenant) => {
    await navigate({ to: "/", replace: true, ignoreBlocker: true });
    viewing.choose(tenant);
    forget(queries);
  };
}
