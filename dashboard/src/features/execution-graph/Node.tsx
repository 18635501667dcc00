import { Handle, type NodeProps, Position } from "@xyflow/react";
import { clsx } from "clsx";
import {
  Bot,
  CircleHelp,
  CornerDownRight,
  Flag,
  GitFork,
  Globe,
  Hourglass,
  List,
  type LucideIcon,
  Megaphone,
  PhoneCall,
  Radio,
  Repeat,
  Shield,
  Split,
  Terminal,
  TriangleAlert,
  Variable,
  Workflow,
} from "lucide-react";
import type { TaskStatus } from "@/api/generated/schema";
import { StatusIcon } from "@/components/StatusBadge";
import { useLanguage } from "@/i18n/language";
import type { Lane, Look } from "./model";

export interface TaskData {
  name: string;
  look: Look;
  detail: string;
  condition?: string;
  isBox: boolean;
  status?: TaskStatus;
  count: number;
  done: number;
  /** Whether it belongs to an execution, where no status means "not yet". */
  isLive: boolean;
  isSelected: boolean;
}

export interface MarkData {
  end: "start" | "end";
}

export interface TitleData {
  role: Lane["role"];
}

const icons: Record<Look, LucideIcon> = {
  agent: Bot,
  call: PhoneCall,
  do: List,
  emit: Megaphone,
  for: Repeat,
  fork: GitFork,
  http: Globe,
  listen: Radio,
  race: Flag,
  raise: TriangleAlert,
  run: Terminal,
  set: Variable,
  switch: Split,
  try: Shield,
  wait: Hourglass,
  workflow: Workflow,
  unknown: CircleHelp,
};

const hidden = "!size-1 !border-0 !bg-transparent !min-w-0 !min-h-0";

function Handles() {
  return (
    <>
      <Handle id="up" type="target" position={Position.Top} className={hidden} isConnectable={false} />
      <Handle id="down" type="source" position={Position.Bottom} className={hidden} isConnectable={false} />
      <Handle id="side" type="source" position={Position.Right} className={hidden} isConnectable={false} />
      <Handle id="side-in" type="target" position={Position.Right} className={hidden} isConnectable={false} />
    </>
  );
}

export function TaskBox({ data }: NodeProps) {
  const { t } = useLanguage();
  const task = data as unknown as TaskData;
  const Icon = icons[task.look];
  const { status } = task;
  return (
    <div
      title={task.detail || undefined}
      className={clsx(
        status && `status-${status}`,
        "h-full w-full rounded-xl border transition-colors",
        task.isBox ? "bg-sunken/60" : "bg-surface shadow-card",
        status ? "border-status-solid/60" : "border-line-strong",
        !status && task.isLive && "border-dashed opacity-75",
        status === "running" && !task.isBox && "animate-glow",
        task.isSelected && "outline outline-2 outline-accent outline-offset-2",
      )}
    >
      <Handles />
      <div className={clsx("flex items-center gap-2.5 px-3", task.isBox ? "h-11" : "h-full")}>
        <span
          className={clsx(
            "grid size-7 shrink-0 place-items-center rounded-lg",
            status ? "bg-status-tint text-status" : "bg-sunken text-ink-faint",
          )}
        >
          <Icon className="size-4" aria-hidden />
        </span>
        <div className="min-w-0 flex-1 leading-tight">
          <p className="truncate font-medium text-[13px]">{task.name}</p>
          <p className="flex items-center gap-1 truncate text-[11px] text-ink-soft">
            {task.condition && <CornerDownRight className="size-3 shrink-0" aria-label={t("graph.conditional")} />}
            <span className="truncate">{task.detail || t(`kind.${task.look}`)}</span>
          </p>
        </div>
        {task.count > 1 && (
          <span
            className="tabular shrink-0 rounded-full bg-status-tint px-1.5 font-medium text-[11px] text-status"
            title={t("graph.instances", { done: task.done, count: task.count })}
          >
            {task.done === task.count ? `×${task.count}` : `${task.done}/${task.count}`}
          </span>
        )}
        {status && (
          <span title={t(`status.${status}`)}>
            <StatusIcon status={status} />
            <span className="sr-only">{t(`status.${status}`)}</span>
          </span>
        )}
      </div>
    </div>
  );
}

export function Mark({ data }: NodeProps) {
  const { t } = useLanguage();
  const { end } = data as unknown as MarkData;
  return (
    <div className="grid h-full w-full place-items-center rounded-full border border-line-strong bg-surface text-[11px] text-ink-soft">
      <Handles />
      {t(`graph.${end}`)}
    </div>
  );
}

export function Title({ data }: NodeProps) {
  const { t } = useLanguage();
  const { role } = data as unknown as TitleData;
  return <p className="font-medium text-[11px] text-ink-faint">{t(`lane.${role}`)}</p>;
}
