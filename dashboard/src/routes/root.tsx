import { createRootRoute } from "@tanstack/react-router";
import { Layout } from "@/features/shell/Layout";
import { Toasts } from "@/features/shell/Toasts";

export const rootRoute = createRootRoute({
  component: () => (
    <>
      <Layout />
      <Toasts />
    </>
  ),
});
