import { clsx } from "clsx";
import { Check, type LucideIcon } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactElement, ReactNode } from "react";

/** The look of an item, for those of other kinds than these. */
export const menuItem =
  "flex min-h-8 cursor-pointer select-none items-center gap-2 rounded-md px-2 py-1.5 text-sm leading-5 outline-none data-[highlighted]:bg-sunken data-[disabled]:opacity-50";

export function Menu({
  trigger,
  children,
  align = "end",
}: {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
}) {
  return (
    // Not modal: what is around it stays there for those who cannot see it.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 max-w-[min(26rem,calc(100vw-1rem))] animate-appear overflow-y-auto rounded-lg border bg-raised p-1 shadow-float"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function MenuItem({
  icon: Icon,
  children,
  onSelect,
  isDangerous,
}: {
  icon?: LucideIcon;
  children: ReactNode;
  onSelect: () => void;
  isDangerous?: boolean;
}) {
  return (
    <DropdownMenu.Item className={clsx(menuItem, isDangerous && "text-danger")} onSelect={onSelect}>
      {Icon && <Icon className="size-4 shrink-0" aria-hidden />}
      {children}
    </DropdownMenu.Item>
  );
}

/** A link among the items of a menu. */
export function MenuLink({ children }: { children: ReactElement }) {
  return (
    <DropdownMenu.Item className={menuItem} asChild>
      {children}
    </DropdownMenu.Item>
  );
}

/** One of several, of which one is chosen. */
export function MenuChoice<T extends string>({
  label,
  value,
  options,
  onChoose,
}: {
  label: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChoose: (value: T) => void;
}) {
  return (
    <>
      <DropdownMenu.Label className="px-2 pt-2 pb-1 text-ink-faint text-xs">{label}</DropdownMenu.Label>
      <DropdownMenu.RadioGroup value={value} onValueChange={(chosen) => onChoose(chosen as T)}>
        {options.map((option) => (
          <DropdownMenu.RadioItem key={option.value} value={option.value} className={menuItem}>
            <span className="grid size-4 place-items-center">
              <DropdownMenu.ItemIndicator>
                <Check className="size-4" aria-hidden />
              </DropdownMenu.ItemIndicator>
            </span>
            {option.label}
          </DropdownMenu.RadioItem>
        ))}
      </DropdownMenu.RadioGroup>
    </>
  );
}

export function MenuLine() {
  return <DropdownMenu.Separator className="-mx-1 my-1 h-px bg-line" />;
}
