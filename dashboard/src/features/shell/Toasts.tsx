// How the ends of one's own executions are told: one notice each, and one for all when there are many.
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { Toaster, toast } from "sonner";
import type { ExecutionUpdate } from "@/api/generated/schema";
import { useLanguage } from "@/i18n/language";
import { useFailureLine } from "@/i18n/words";
import { MAX_NOTICES, setTell } from "@/live/notices";
import { useIsDark } from "@/theme";

/** Whoever looks at an execution sees it end. */
function isSeen(id: string): boolean {
  return document.visibilityState === "visible" && window.location.pathname.endsWith(`/executions/${id}`);
}

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
      visibleToasts={3}
      containerAriaLabel={t("toast.label")}
    />
  );
}
