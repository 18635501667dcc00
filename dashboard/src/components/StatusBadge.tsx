// The language of status: always color, icon and word.
import { clsx } from "clsx";
import {
  Ban,
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleX,
  Clock,
  LoaderCircle,
  type LucideIcon,
  SkipForward,
} from "lucide-react";
import type { Status, TaskStatus } from "@/api/generated/schema";
import { useLanguage } from "@/i18n/language";

export type AnyStatus = Status | TaskStatus;

export const statusIcons: Record<AnyStatus, LucideIcon> = {
  pending: CircleDashed,
  running: LoaderCircle,
  waiting: Clock,
  paused: CirclePause,
  succeeded: CircleCheck,
  failed: CircleX,
  cancelled: Ban,
  skipped: SkipForward,
};

export function StatusIcon({ status, className }: { status: AnyStatus; className?: string }) {
  const Icon = statusIcons[status];
  return (
    <Icon
      aria-hidden
      className={clsx(
        `status-${status} size-4 shrink-0 text-status`,
        status === "running" && "animate-spin [animation-duration:2.4s]",
        className,
      )}
    />
  );
}

export function StatusBadge({ status, className }: { status: AnyStatus; className?: string }) {
  const { t } = useLanguage();
  const Icon = statusIcons[status];
  return (
    <span
      className={clsx(
        `status-${status} inline-flex h-[22px] items-center gap-1 whitespace-nowrap rounded-full bg-status-tint pr-2 pl-1.5 font-medium text-status text-xs`,
        status === "running" && "animate-glow",
        className,
      )}
    >
      <Icon
        className={clsx("size-3.5", status === "running" && "animate-spin [animation-duration:2.4s]")}
        aria-hidden
      />
      {t(`status.${status}`)}
    </span>
  );
}
