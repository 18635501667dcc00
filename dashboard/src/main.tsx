import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startLanguages } from "@/i18n";
import { Providers } from "@/providers";
import { router } from "@/router";
import "@/app.css";

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");

void startLanguages().then(() => {
  createRoot(root).render(
    <StrictMode>
      <Providers>
        <RouterProvider router={router} />
      </Providers>
    </StrictMode>,
  );
});
