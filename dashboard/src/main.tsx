import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { session } from "@/api/session";
import { startLanguages } from "@/i18n";
import { Providers } from "@/providers";
import { router } from "@/router";
import "@/app.css";

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");

/** Whether somebody is signed in is known before the first page asks for anything. */
async function begin(): Promise<void> {
  await Promise.all([startLanguages(), session.renew().catch(() => false)]);
}

void begin().then(() => {
  createRoot(root).render(
    <StrictMode>
      <Providers>
        <RouterProvider router={router} />
      </Providers>
    </StrictMode>,
  );
});
