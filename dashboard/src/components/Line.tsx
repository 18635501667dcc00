import { Children, cloneElement, isValidElement, type ReactElement, type ReactNode, useId } from "react";

const controls: readonly unknown[] = ["input", "textarea", "select"];

/** A control of a form with its name, a hint, and what is wrong with it: both for who sees it and for who hears it. */
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
  const id = useId();
  const told = problem ? { "aria-invalid": true, "aria-describedby": id } : {};
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children
    <label className="block">
      <span className="font-medium">{label}</span>
      {hint && <span className="block text-[13px] text-ink-soft">{hint}</span>}
      {Children.map(children, (child) => (isControl(child) ? cloneElement(child, told) : child))}
      {problem && (
        <span id={id} className="mt-1 block text-[13px] text-danger">
          {problem}
        </span>
      )}
    </label>
  );
}

function isControl(child: ReactNode): child is ReactElement<object> {
  return isValidElement(child) && controls.includes(child.type);
}
