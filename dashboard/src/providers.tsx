import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ProblemError } from "@/api/client";
import { useViewed } from "@/api/viewing";
import { LanguageProvider } from "@/i18n/language";
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

export function Providers({ children }: { children: ReactNode }) {
  const tenant = useViewed();
  return (
    <QueryClientProvider client={queries}>
      <LanguageProvider>
        {/* Another tenant is another page: nothing of the last one stays, its connection least of all. */}
        <LiveProvider key={tenant?.id ?? ""}>{children}</LiveProvider>
      </LanguageProvider>
    </QueryClientProvider>
  );
}
