import type { ReactNode } from "react";

/** A control of a form with its name, a hint, and what is wrong with it. */
export function Line({
  label,
  hint,
  problem,
  children,
}: {
  label: string;
  hint?: string;
  problem?: string | false;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children
    <label className="block">
      <span className="font-medium">{label}</span>
      {hint && <span className="block text-[13px] text-ink-soft">{hint}</span>}
      {children}
      {problem && <span className="mt-1 block text-[13px] text-danger">{problem}</span>}
    </label>
  );
}
