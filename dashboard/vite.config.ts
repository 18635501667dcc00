import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` speaks to a service on this address.
const service = process.env.CALLBOARD_URL ?? "http://127.0.0.1:8080";
// The service answers pages of its own origin only.
const passedOn = { target: service, changeOrigin: true, headers: { origin: service } };

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    // The service refuses scripts that stand in the page, so small files stay files.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: {
      "/api": passedOn,
      "/ws": { ...passedOn, ws: true },
      "/docs": passedOn,
      "/livez": passedOn,
      "/readyz": passedOn,
      "/metrics": passedOn,
    },
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
