// The views of a thing, one at a time. Which one is part of the address; that is the business of the page.
import { Tabs as Radix } from "radix-ui";
import { type ReactNode, Suspense } from "react";
import { SkeletonPanel } from "./states";
import { useStrip } from "./useStrip";

/** How a tab looks, for links that act like one. */
export const tabClass =
  "focus-visible:-outline-offset-2 -mb-px h-9 whitespace-nowrap border-transparent border-b-2 px-3 text-ink-soft hover:text-ink data-[status=active]:border-accent data-[state=active]:border-accent data-[status=active]:font-medium data-[state=active]:font-medium data-[status=active]:text-ink data-[state=active]:text-ink";

export function Tabs<T extends string>({
  label,
  value,
  tabs,
  onChoose,
  children,
}: {
  label: string;
  value: T;
  tabs: readonly { value: T; label: string }[];
  onChoose: (value: T) => void;
  /** The current view. */
  children: ReactNode;
}) {
  const strip = useStrip<HTMLDivElement>(value);
  return (
    <Radix.Root
      value={value}
      onValueChange={(chosen) => onChoose(chosen as T)}
      className="flex min-h-0 flex-1 flex-col"
    >
      <Radix.List ref={strip} aria-label={label} className="strip mb-3 flex gap-1 border-b">
        {tabs.map((tab) => (
          <Radix.Trigger key={tab.value} value={tab.value} className={tabClass}>
            {tab.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      <Radix.Content value={value} className="flex min-h-0 flex-1 flex-col focus-visible:rounded-xl">
        <Suspense fallback={<SkeletonPanel className="min-h-[420px] flex-1" />}>{children}</Suspense>
      </Radix.Content>
    </Radix.Root>
  );
}
