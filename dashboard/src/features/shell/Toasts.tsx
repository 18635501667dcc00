// How the ends of one's own executions are told: one notice each, and one for all when there are many.
import { useNavigate } from "@tanstack/react-router";
import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import { type CSSProperties, useEffect } from "react";
import { Toaster, toast } from "sonner";
import type { ExecutionUpdate } from "@/api/generated/schema";
import { useLanguage } from "@/i18n/language";
import { useFailureLine } from "@/i18n/words";
import { MAX_NOTICES, setTell } from "@/live/notices";
import { useIsDark } from "@/theme";

/** Whoever looks at an execution, or at the result of a test, sees it end. */
function isSeen(id: string): boolean {
  if (document.visibilityState !== "visible") return false;
  const { pathname, search } = window.location;
  return pathname.endsWith(`/executions/${id}`) || new URLSearchParams(search).get("test") === id;
}

const icons = {
  success: <CircleCheck className="status-succeeded size-[18px] text-status" aria-hidden />,
  error: <CircleX className="status-failed size-[18px] text-status" aria-hidden />,
  warning: <TriangleAlert className="status-paused size-[18px] text-status" aria-hidden />,
};

/** Over the looks that the library brings, so that notices look like everything else that floats above the page. */
const colors = {
  "--normal-bg": "var(--raised)",
  "--normal-border": "var(--line)",
  "--normal-text": "var(--ink)",
  "--border-radius": "12px",
  fontFamily: "inherit",
} as CSSProperties;
const looks = {
  toast: "items-start! gap-2.5! shadow-float!",
  icon: "mx-0! mt-0.5!",
  title: "text-sm! leading-5!",
  description: "mt-0.5! text-ink-soft!",
  actionButton:
    "-my-1! h-7! rounded-lg! border! border-line-strong! border-solid! bg-raised! text-[13px]! text-ink! hover:bg-sunken!",
};

export function Toasts() {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const lineOf = useFailureLine();
  useEffect(() => {
    const one = (execution: ExecutionUpdate) => {
      const name = `${execution.workflow.namespace}/${execution.workflow.name}`;
      const isTest = execution.execution_type === "agent_test";
      const end = execution.status === "failed" || execution.status === "cancelled" ? execution.status : "succeeded";
      const text = isTest ? t(`toast.test.${end}`) : t(`toast.run.${end}`, { name });
      const open = {
        label: t("action.open"),
        onClick: () => void navigate({ to: "/executions/$id", params: { id: execution.id } }),
      };
      const options = { id: execution.id, action: open, description: lineOf(execution.error) };
      if (execution.status === "failed") toast.error(text, options);
      else if (execution.status === "succeeded") toast.success(text, options);
      else toast(text, options);
    };
    setTell((all) => {
      const ended = all.filter(({ id }) => !isSeen(id));
      if (ended.length <= MAX_NOTICES) return ended.forEach(one);
      const failed = ended.filter((execution) => execution.status === "failed").length;
      const open = { label: t("action.open"), onClick: () => void navigate({ to: "/executions" }) };
      toast(t("toast.many", { count: ended.length, failed }), { action: open });
    });
    return () => setTell(undefined);
  }, [navigate, t, lineOf]);
  return (
    <Toaster
      theme={useIsDark() ? "dark" : "light"}
      position="bottom-center"
      icons={icons}
      style={colors}
      toastOptions={{ classNames: looks }}
      // Above the navigation at the bottom of small screens.
      mobileOffset={{ bottom: "calc(env(safe-area-inset-bottom) + 4.25rem)", left: 12, right: 12 }}
      visibleToasts={3}
      containerAriaLabel={t("toast.label")}
    />
  );
}
