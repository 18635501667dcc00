import { clsx } from "clsx";
import type { ReactNode } from "react";

/** A name and what is known under it; stands in a `dl`. */
export function Fact({ name, children, className }: { name: string; children: ReactNode; className?: string }) {
  return (
    <div className={clsx("min-w-0", className)}>
      <dt className="text-ink-faint text-xs">{name}</dt>
      <dd className="tabular mt-0.5 break-words">{children}</dd>
    </div>
  );
}
