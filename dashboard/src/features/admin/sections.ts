// What there is to administer, and what of it somebody gets to see.
import { KeyRound, type LucideIcon, Users } from "lucide-react";
import type { Action } from "@/may";

export type SectionName = "users" | "keys";

export interface Section {
  name: SectionName;
  icon: LucideIcon;
  /** What one must be allowed to see it. */
  needs: Action;
}

export const sections: readonly Section[] = [
  { name: "users", icon: Users, needs: "user_write" },
  { name: "keys", icon: KeyRound, needs: "key_read" },
];
