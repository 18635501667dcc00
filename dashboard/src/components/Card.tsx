import { Link, type LinkProps } from "@tanstack/react-router";
import { clsx } from "clsx";
import { ArrowRight } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { buttonClass } from "./Button";
import { useTitle } from "./useTitle";

export function Card({ className, ...rest }: ComponentProps<"section">) {
  return (
    <section {...rest} className={clsx("min-w-0 rounded-xl border border-line bg-surface shadow-card", className)} />
  );
}

export function CardHead({ title, children, id }: { title: ReactNode; children?: ReactNode; id?: string }) {
  return (
    <header className="flex min-h-12 flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b px-4 py-2">
      <h2 id={id} className="font-semibold text-[15px]">
        {title}
      </h2>
      <div className="flex items-center gap-2">{children}</div>
    </header>
  );
}

/** In the head of a card: to where there is more. Its word ends where the lines of the card end. */
export function CardLink({ children, ...to }: LinkProps & { children: string }) {
  return (
    <Link {...to} className={`${buttonClass("quiet", "small")} -mr-2`}>
      {children}
      <ArrowRight className="size-4" aria-hidden />
    </Link>
  );
}

/** The name of a page: as high as the buttons beside it, so that it stands at the same place on every page. */
export const headline = "font-semibold text-xl leading-[34px] tracking-tight";

export function PageHead({
  title,
  tab = title,
  lead,
  children,
}: {
  title: string;
  /** What the tab of the browser is called, where the title says too little. */
  tab?: string;
  lead?: ReactNode;
  children?: ReactNode;
}) {
  useTitle(tab);
  return (
    <div className="mb-5 flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
      <div className="min-w-0">
        <h1 className={clsx("truncate", headline)}>{title}</h1>
        {lead && <p className="text-ink-soft">{lead}</p>}
      </div>
      {/* A field takes the whole line on small screens, together with what stands beside it. */}
      {children && (
        <div className="flex flex-wrap items-center gap-2 max-sm:has-[input]:w-full max-sm:has-[input]:flex-nowrap">
          {children}
        </div>
      )}
    </div>
  );
}
