import { Ban, RotateCcw, Square } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";
import { actionOf, type Command, command, commandsFor, type Row } from "@/api/executions";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Confirm } from "@/components/Dialog";
import { type BulkProgress, forEach } from "./bulk";

/** What can be done to the selected executions. Nothing is offered that none of them would take. */
export function Bulk({ selected, onClear }: { selected: readonly Row[]; onClear: () => void }) {
  const { t } = useTranslation();
  const [progress, setProgress] = useState<BulkProgress>();
  const [isAsking, setAsking] = useState(false);
  const abort = useRef<AbortController>(undefined);
  const { may } = useStanding();
  const able = (name: Command) =>
    may(actionOf(name)) ? selected.filter((row) => commandsFor(row.status).includes(name)).map((row) => row.id) : [];
  const run = async (name: Command) => {
    setAsking(false);
    const ids = able(name);
    abort.current = new AbortController();
    setProgress({ done: 0, failed: 0, total: ids.length });
    const end = await forEach(ids, (id) => command(id, name), setProgress, abort.current.signal);
    setProgress(undefined);
    onClear();
    const text = t("bulk.done", { count: end.done - end.failed });
    if (end.failed > 0) toast.warning(text, { description: t("bulk.failed", { count: end.failed }) });
    else toast.success(text);
  };
  const [toCancel, toRetry] = [able("cancel").length, able("retry").length];
  return (
    <div
      role="toolbar"
      aria-label={t("bulk.label")}
      className="flex min-h-11 animate-appear flex-wrap items-center gap-2 border-b bg-accent-soft px-4 py-1.5"
    >
      <span className="font-medium">{t("bulk.selected", { count: selected.length })}</span>
      {progress ? (
        <>
          <span className="tabular text-ink-soft">
            {t("bulk.progress", { done: progress.done, total: progress.total })}
          </span>
          <Button size="small" icon={Square} onClick={() => abort.current?.abort()}>
            {t("bulk.stop")}
          </Button>
        </>
      ) : (
        <>
          {toCancel > 0 && (
            <Button size="small" icon={Ban} onClick={() => setAsking(true)}>
              {t("bulk.cancel", { count: toCancel })}
            </Button>
          )}
          {toRetry > 0 && (
            <Button size="small" icon={RotateCcw} onClick={() => void run("retry")}>
              {t("bulk.retry", { count: toRetry })}
            </Button>
          )}
          <Button size="small" look="quiet" onClick={onClear}>
            {t("bulk.clear")}
          </Button>
        </>
      )}
      <Confirm
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => void run("cancel")}
        title={t("bulk.cancelTitle", { count: toCancel })}
        text={t("execution.cancelText")}
        action={t("bulk.cancel", { count: toCancel })}
      />
    </div>
  );
}
