import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useSyncExternalStore } from "react";
import { ProblemError } from "@/api/client";
import { session } from "@/api/session";
import { useViewed, viewing } from "@/api/viewing";
import { LanguageProvider } from "@/i18n/language";
import { forget } from "@/live/forget";
import { LiveProvider } from "@/live/LiveProvider";

/** What the service has refused will be refused again; everything else is worth another try. */
function isWorthAnotherTry(count: number, error: Error): boolean {
  const status = error instanceof ProblemError ? error.problem.status : 0;
  return count < 2 && (status === 0 || status >= 500);
}

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What changes is pushed; reading again on every mount or focus would only repeat it.
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: isWorthAnotherTry,
      retryDelay: (count) => Math.min(1_000 * 2 ** count, 5_000),
      // The service is on this machine as often as not: the browser's idea of being offline says nothing about it.
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

/** What one person has seen does not stay for another one, nor does the tenant that only operators look at. */
function keepApart(): void {
  let changes = session.changes;
  session.subscribe(() => {
    const { person } = session;
    if (person && person.role !== "operator" && viewing.tenant) viewing.choose(undefined);
    if (session.changes === changes) return;
    changes = session.changes;
    viewing.choose(undefined);
    forget(queries);
  });
}

keepApart();

export function Providers({ children }: { children: ReactNode }) {
  const tenant = useViewed();
  const changes = useSyncExternalStore(session.subscribe, () => session.changes);
  return (
    <QueryClientProvider client={queries}>
      <LanguageProvider>
        {/* Another person or tenant is another page: nothing of the last one stays, its connection least of all. */}
        <LiveProvider key={`${changes} ${tenant?.id ?? ""}`}>{children}</LiveProvider>
      </LanguageProvider>
    </QueryClientProvider>
  );
}
