import { Link, type LinkProps } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";

/** To the list that a thing belongs to. */
export function BackLink({ to, children }: { to: LinkProps["to"]; children: string }) {
  return (
    <Link to={to} className="mb-2 inline-flex items-center gap-1 self-start text-[13px] text-ink-soft hover:text-ink">
      <ArrowLeft className="size-3.5" aria-hidden />
      {children}
    </Link>
  );
}
