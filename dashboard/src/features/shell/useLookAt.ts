import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type Viewed, viewing } from "@/api/viewing";
import { freshest } from "@/live/latest";

/** Turns the whole page to another tenant, or back to the own one. Nothing of what was seen before stays. */
export function useLookAt(): (tenant: Viewed | undefined) => void {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return (tenant) => {
    viewing.choose(tenant);
    freshest.clear();
    queries.clear();
    void navigate({ to: "/" });
  };
}
