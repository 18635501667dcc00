import { clsx } from "clsx";
import { LoaderCircle, type LucideIcon } from "lucide-react";
import type { ComponentProps } from "react";

type Look = "primary" | "plain" | "quiet" | "danger";

const looks: Record<Look, string> = {
  primary: "bg-accent text-accent-ink hover:brightness-110 border-transparent",
  plain: "bg-surface text-ink border-line-strong hover:bg-sunken",
  quiet: "bg-transparent text-ink-soft border-transparent hover:bg-sunken hover:text-ink",
  danger: "bg-danger text-danger-ink border-transparent hover:brightness-110",
};

export interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  size?: "small" | "normal";
  icon?: LucideIcon;
  isBusy?: boolean;
}

export function Button({
  look = "plain",
  size = "normal",
  icon: Icon,
  isBusy,
  children,
  className,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || isBusy}
      className={clsx(buttonClass(look, size, !children), className)}
    >
      {isBusy ? (
        <LoaderCircle className="size-4 animate-spin" aria-hidden />
      ) : (
        Icon && <Icon className="size-4 shrink-0" aria-hidden />
      )}
      {children}
    </button>
  );
}

/** The look of a button, for links that act like one. */
export function buttonClass(look: Look = "plain", size: "small" | "normal" = "normal", isSquare = false): string {
  return clsx(
    "inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-lg border font-medium transition-[background,filter,color] disabled:opacity-50",
    size === "small" ? "h-7 text-[13px]" : "h-[34px] text-sm",
    isSquare ? (size === "small" ? "w-7" : "w-[34px]") : size === "small" ? "px-2" : "px-3",
    looks[look],
  );
}
