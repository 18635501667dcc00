import { Activity, Bot, Gauge, LayoutDashboard, type LucideIcon, ShieldCheck, Workflow } from "lucide-react";

export interface Place {
  to: "/" | "/executions" | "/workflows" | "/agents" | "/queue" | "/admin";
  name: "dashboard" | "executions" | "workflows" | "agents" | "queue" | "admin";
  icon: LucideIcon;
  /** After `g`. */
  key: string;
}

export const places: readonly Place[] = [
  { to: "/", name: "dashboard", icon: LayoutDashboard, key: "d" },
  { to: "/executions", name: "executions", icon: Activity, key: "e" },
  { to: "/workflows", name: "workflows", icon: Workflow, key: "w" },
  { to: "/agents", name: "agents", icon: Bot, key: "a" },
  { to: "/queue", name: "queue", icon: Gauge, key: "q" },
  { to: "/admin", name: "admin", icon: ShieldCheck, key: "s" },
];
