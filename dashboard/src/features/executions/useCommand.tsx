// Asking something of an execution, with the question before and the answer after.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { toast } from "sonner";
import { type Command, command, executionKeys } from "@/api/executions";
import { Confirm } from "@/components/Dialog";
import { tellProblem } from "@/components/tellProblem";
import { useLanguage } from "@/i18n/language";
import { expectEnd } from "@/live/notices";
import { shortId } from "./Name";

/** Whether it makes another execution. */
function isStart(name: Command): boolean {
  return name === "retry" || name === "rerun";
}

/** `retriedAs` is the newest retry of it, if there is one. */
export function useCommand(id: string, retriedAs?: string) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Command>();
  const mutation = useMutation({
    mutationFn: (name: Command) => command(id, name),
    onSuccess(execution, name) {
      setAsked(undefined);
      void queries.invalidateQueries({ queryKey: executionKeys.detail(id) });
      if (!isStart(name)) return;
      expectEnd(execution.id);
      toast.success(t("execution.started"));
    },
    onError(error) {
      setAsked(undefined);
      tellProblem(error);
    },
  });
  const send = (name: Command) =>
    mutation.mutate(name, {
      // Whoever has left meanwhile stays where they are.
      onSuccess({ id: started }) {
        if (isStart(name)) void navigate({ to: "/executions/$id", params: { id: started } });
      },
    });
  const dialog = (
    <Confirm
      isOpen={asked !== undefined}
      onClose={() => setAsked(undefined)}
      onConfirm={() => asked && send(asked)}
      isBusy={mutation.isPending}
      {...(asked === "retry"
        ? {
            title: t("retries.againTitle"),
            text: t("retries.againText", { id: shortId(retriedAs ?? "") }),
            action: t("retries.again"),
            isHarmless: true,
          }
        : { title: t("execution.cancelTitle"), text: t("execution.cancelText"), action: t("execution.cancel") })}
    />
  );
  return {
    dialog,
    isBusy: mutation.isPending,
    /** Only what ends something for good is asked back, and what somebody has done before. */
    send: (name: Command) => (name === "cancel" || (name === "retry" && retriedAs) ? setAsked(name) : send(name)),
  };
}
