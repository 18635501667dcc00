// Takes what this browser had saved over into the service. What has arrived is forgotten here, one by one, and only then.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { me } from "@/api/me";
import { createView, savedViews, viewKeys } from "@/api/views";
import { tellProblem } from "@/components/tellProblem";
import { useLanguage } from "@/i18n/language";
import { forgetLocalView, useLocalViews } from "./localViews";
import { sorted, transfers } from "./view";

export function useTakingOver() {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const locals = useLocalViews();
  return useMutation({
    mutationFn: async () => {
      const known = await queries.fetchQuery(savedViews("executions"));
      const { owner_id } = await queries.fetchQuery(me);
      for (const { local, create } of transfers(locals, sorted(known, owner_id).mine)) {
        if (create) await createView({ list: "executions", ...create });
        forgetLocalView(local.name);
      }
      return locals.length;
    },
    onSuccess: (count) => toast.success(t("views.takenOver", { count })),
    onError: tellProblem,
    onSettled: () => queries.invalidateQueries({ queryKey: viewKeys.all }),
  });
}
