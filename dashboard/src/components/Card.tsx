import { clsx } from "clsx";
import type { ComponentProps, ReactNode } from "react";
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
    <div className="mb-5 flex flex-wrap items-center justify-between gap-x-4 gap-y-3">
      <div className="min-w-0">
        <h1 className="truncate font-semibold text-xl tracking-tight">{title}</h1>
        {lead && <p className="mt-0.5 text-ink-soft">{lead}</p>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </div>
  );
}
