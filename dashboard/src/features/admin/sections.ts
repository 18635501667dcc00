// What there is to administer, and what of it somebody gets to see.
import {
  Archive,
  Building2,
  Gauge,
  HeartPulse,
  KeyRound,
  Lock,
  type LucideIcon,
  ScrollText,
  Users,
} from "lucide-react";
import type { Action } from "@/may";

export type SectionName = "users" | "keys" | "secrets" | "audit" | "limits" | "tenants" | "retention" | "health";

export interface Section {
  name: SectionName;
  icon: LucideIcon;
  /** What one must be allowed to see it. */
  needs: Action;
}

export const sections: readonly Section[] = [
  { name: "users", icon: Users, needs: "user_write" },
  { name: "keys", icon: KeyRound, needs: "key_read" },
  { name: "secrets", icon: Lock, needs: "secret_read" },
  { name: "audit", icon: ScrollText, needs: "audit_read" },
  { name: "limits", icon: Gauge, needs: "tenant_read" },
  { name: "tenants", icon: Building2, needs: "tenant_write" },
  { name: "retention", icon: Archive, needs: "retention_read" },
  { name: "health", icon: HeartPulse, needs: "queue_read" },
];
